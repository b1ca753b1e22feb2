"""The two doors for Git servers: `POST /api/webhook` and Flux's `/hook/<hash>`.

Both answer with the status that Argo CD 3.5 and Flux 2.9 answer, so that a Git server's list of deliveries reads alike.
The one difference: a provider without a secret is off (404), where Argo CD takes what nobody has signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.telemetry.figures import WEBHOOK_REPOSITORIES, WEBHOOKS, counted
from gitops_workers.web import answers, receivers
from gitops_workers.web.access import services_of
from gitops_workers.web.bodies import Bodies
from gitops_workers.web.intake import Intake
from gitops_workers.web.problems import Refusal, documented
from gitops_workers.web.webhooks.event import Ignored, Rejected
from gitops_workers.web.webhooks.registry import Received, admit

log = structlog.get_logger(__name__)
router = APIRouter(tags=["webhooks"], responses=documented(400, 404, 422))
_HASH = re.compile(r"[0-9a-f]{64}")
_METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


@router.post("/api/webhook", response_model=answers.Received, response_model_exclude_unset=True)
async def webhook(request: Request) -> Mapping[str, object]:
    """Take a push event of a Git server and have the repository polled.

    Verified by the provider's own signature or token; see GITOPS_WEBHOOK_SECRETS. The answer comes when the request for
    a poll is stored.
    """
    services = services_of(request)
    try:
        received = await _received(request)
    except Rejected as problem:
        services.meter.add(counted(WEBHOOKS, ("none", "rejected")))
        log.info("webhook_rejected", reason=str(problem))
        raise Refusal(problem.status, problem.code, str(problem)) from None
    provider, event = received.provider, received.event
    if isinstance(event, Ignored):
        services.meter.add(counted(WEBHOOKS, (provider, "ignored")))
        return {"accepted": False, "reason": event.reason}
    groups = await _intake(request).pushed(event.urls)
    services.meter.add(counted(WEBHOOKS, (provider, "accepted" if groups else "unknown-repository")))
    say = log.info if groups else log.debug  # of a repository that nobody uses nothing is begun
    say("webhook_received", provider=provider, groups=groups, refs=len(event.refs))
    if not groups:
        # Not by its name: whoever may send webhooks would make as many series as they like.
        return {"accepted": False, "reason": "no application uses this repository"}
    services.meter.add(counted(WEBHOOK_REPOSITORIES, (without_credentials(event.urls[0]),)))
    return {"accepted": True, "polls": groups}


async def _received(request: Request) -> Received:
    """The event. What the headers tell is refused before a byte of the body is read."""
    services = services_of(request)
    admitted = admit(request.headers, services.settings.webhook_secrets)
    if admitted.ignored:
        return admitted.read(request.headers, b"")
    async with _bodies(request).read(request) as body:
        if len(body) <= services.settings.body_limit:
            return admitted.read(request.headers, body)
        return await run_in_threadpool(admitted.read, request.headers, body)


@router.api_route("/hook/{path_hash}", methods=_METHODS, include_in_schema=False)
@router.post("/hook/{path_hash}", response_model=answers.Received, response_model_exclude_unset=True)
async def hook(request: Request, path_hash: str) -> Mapping[str, object]:
    """Take a notification for a Flux Receiver and have its resources polled; any method will do, as in Flux."""
    services = services_of(request)
    try:
        if not _HASH.fullmatch(path_hash) or request.url.query:
            raise Rejected("the path is /hook/ and 64 lower-case hexadecimal digits", 404)  # noqa: TRY301 - one answer below
        receiver, token = await run_in_threadpool(receivers.find, services.state, services.secrets, path_hash)
        if receivers.reads_body(receiver):
            async with _bodies(request).read(request) as body:
                await run_in_threadpool(receivers.verify, receiver, request.headers, body, token)
        else:
            receivers.verify(receiver, request.headers, b"", token)
    except Rejected as problem:
        services.meter.add(counted(WEBHOOKS, ("flux", "rejected")))
        log.info("hook_rejected", reason=str(problem))
        raise Refusal(problem.status, problem.code, str(problem)) from None
    await _intake(request).poll(receiver.groups)
    services.meter.add(counted(WEBHOOKS, ("flux", "accepted")))
    log.info("hook_received", receiver=f"{receiver.namespace}/{receiver.name}", groups=len(receiver.groups))
    return {"accepted": True, "polls": len(receiver.groups)}


def _bodies(request: Request) -> Bodies:
    bodies = request.app.state.bodies
    assert isinstance(bodies, Bodies)
    return bodies


def _intake(request: Request) -> Intake:
    intake = request.app.state.intake
    assert isinstance(intake, Intake)
    return intake
