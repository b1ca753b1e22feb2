"""What a child answered, as the error of the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_workers.core.errors import GitOpsError, RenderFailed, Retry, UnsafeContent
from gitops_workers.sandbox_protocol import frames


class Refusal(RenderFailed):
    """A refusal with the line it is about, 0 where there is none."""

    line = 0


class Danger(UnsafeContent):
    """As `Refusal`, for content that tries to leave its bounds."""

    line = 0


def refusal(answer: Mapping[str, Any], what: str) -> GitOpsError:
    """Return the error that a child's answer stands for; `what` names the job."""
    message = f"{what}: {answer['message']}"
    if answer["error"] == "Retry":
        return Retry(message)
    if answer["error"] == "InputMissing":
        return frames.InputMissing(message)
    error = Danger(message) if answer["error"] == "UnsafeContent" else Refusal(message)
    error.line = answer.get("line", 0)
    return error
