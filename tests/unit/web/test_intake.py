"""Many pushes at once cost few batches, and nobody is told "done" for what was not stored."""

from __future__ import annotations

import asyncio

import pytest

from gitops_workers.web.intake import Intake
from gitops_workers.web.services import WebServices, WebSettings
from tests.documents import raw


def services(world) -> WebServices:
    return WebServices(world.state, world.queue, world.publish, WebSettings(), world.telemetry)


def test_a_thousand_requests_for_one_group_ring_once(world):
    world.queue.enroll_poll("g", "//git.example.com", 500.0)

    async def storm() -> None:
        intake = Intake(services(world))
        await asyncio.gather(*(intake.poll(["g"]) for _ in range(1_000)))

    asyncio.run(storm())
    assert [bell.id for bell in world.published] == ["g"]


def test_all_of_a_batch_that_failed_are_told_and_the_next_is_not_harmed(world):
    for group in ("g", "h", "i"):
        world.queue.enroll_poll(group, "//git.example.com", 500.0)
    works = world.queue.request_poll
    broken = [True]

    def once_broken(group, urgency):
        if broken and group == "g":
            broken.clear()
            raise ConnectionError("gone")
        works(group, urgency)

    world.queue.request_poll = once_broken

    async def storm() -> list[object]:
        intake = Intake(services(world))
        # The first is on its way while the others gather for the next batch.
        asked = (intake.poll([group]) for group in ("i", "g", "h"))
        answers: list[object] = list(await asyncio.gather(*asked, return_exceptions=True))
        await intake.poll(["h"])  # raises nothing: the store is back
        return answers

    alone, first, second = asyncio.run(storm())
    assert isinstance(first, ConnectionError)
    assert second is first
    assert alone is None
    assert [bell.id for bell in world.published] == ["i", "h"]


@pytest.mark.parametrize("url", ["https://git.example.com/A/b.git", "git@git.example.com:a/b"])
def test_the_groups_of_a_repository_are_found_by_any_of_its_urls(world, url):
    for group in ("g1", "g2"):
        world.queue.enroll_poll(group, "//git.example.com", 500.0)
    world.state.save(raw("repository"), "git.example.com/a/b", ["g2", "g1"])

    async def push() -> int:
        return await Intake(services(world)).pushed([url, url, "https://nowhere.example.com/x", ""])

    assert asyncio.run(push()) == 2
    assert {bell.id for bell in world.published} == {"g1", "g2"}
