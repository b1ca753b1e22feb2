"""The two doors for Git servers: `POST /api/webhook` and Flux's `POST /hook/<hash>`."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from gitops_workers.web import answers, receivers
from gitops_workers.web.access import services_of
from gitops_workers.web.intake import Intake
from gitops_workers.web.metrics import Counters
from gitops_workers.web.problems import documented
from gitops_workers.web.webhooks.event import Ignored, Rejected
from gitops_workers.web.webhooks.registry import receive

log = structlog.get_logger(__name__)
router = APIRouter(tags=["webhooks"], responses=documented(400, 401, 404, 422))
_HASH = re.compile(r"[0-9a-f]{64}")


@router.post("/api/webhook", response_model=answers.Received, response_model_exclude_unset=True)
async def webhook(request: Request) -> Mapping[str, object]:
    """Take a push event of a Git server and have the repository polled.

    Verified by the provider's own signature or token; see GITOPS_WEBHOOK_SECRETS. The answer comes when the request for
    a poll is stored.
    """
    services, counters = services_of(request), _counters(request)
    body = await request.body()
    try:
        received = receive(request.headers, body, services.settings.webhook_secrets)
    except Rejected as problem:
        counters.webhooks.labels("none", "rejected").inc()
        log.info("webhook_rejected", reason=str(problem))
        raise HTTPException(problem.status, str(problem)) from None
    provider, event = received.provider, received.event
    if isinstance(event, Ignored):
        counters.webhooks.labels(provider, "ignored").inc()
        return {"accepted": False, "reason": event.reason}
    with counters.in_flight.track_inprogress():
        groups = await _intake(request).pushed(event.urls)
    counters.webhooks.labels(provider, "accepted" if groups else "unknown-repository").inc()
    say = log.info if groups else log.debug  # of a repository that nobody uses nothing is begun
    say("webhook_received", provider=provider, groups=groups, refs=len(event.refs))
    if not groups:
        return {"accepted": False, "reason": "no application uses this repository"}
    return {"accepted": True, "polls": groups}


@router.post("/hook/{path_hash}", response_model=answers.Received, response_model_exclude_unset=True)
async def hook(request: Request, path_hash: str) -> Mapping[str, object]:
    """Take a notification for a Flux Receiver and have its resources polled."""
    services, counters = services_of(request), _counters(request)
    body = await request.body()
    try:
        if not _HASH.fullmatch(path_hash):
            raise Rejected("the path is /hook/ and 64 lower-case hexadecimal digits", 404)  # noqa: TRY301 - one answer below
        receiver, token = await run_in_threadpool(receivers.find, services.state, services.secrets, path_hash)
        ignored = receivers.verify(receiver, request.headers, body, token)
    except Rejected as problem:
        counters.webhooks.labels("flux", "rejected").inc()
        log.info("hook_rejected", reason=str(problem))
        raise HTTPException(problem.status, str(problem)) from None
    if ignored:
        counters.webhooks.labels("flux", "ignored").inc()
        return {"accepted": False, "reason": ignored.reason}
    await _intake(request).poll(receiver.groups)
    counters.webhooks.labels("flux", "accepted").inc()
    log.info("hook_received", receiver=f"{receiver.namespace}/{receiver.name}", groups=len(receiver.groups))
    return {"accepted": True, "polls": len(receiver.groups)}


def _intake(request: Request) -> Intake:
    intake = request.app.state.intake
    assert isinstance(intake, Intake)
    return intake


def _counters(request: Request) -> Counters:
    counters = request.app.state.counters
    assert isinstance(counters, Counters)
    return counters
