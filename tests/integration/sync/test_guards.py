"""What is never deleted or taken over without a yes, on a real cluster."""

from __future__ import annotations

import pytest

from gitops_workers.core.model import Dialect, SyncStatus
from gitops_workers.core.objects import Manifest
from tests.integration.sync.test_mishaps import path_of, tell, value
from tests.integration.sync.yard import Yard, config_map

every_dialect = pytest.mark.parametrize("dialect", list(Dialect))


def many(count: int) -> list[Manifest]:
    return [config_map(f"c-{number}", v="1") for number in range(count)]


def there(yard: Yard, count: int) -> int:
    return sum(value(yard, f"c-{number}") == "1" for number in range(count))


def skipped() -> Manifest:
    """All that Git still has, and nothing that is applied."""
    item = config_map("skipped")
    item["metadata"]["annotations"]["argocd.argoproj.io/hook"] = "Skip"
    return item


def test_everything_goes_only_with_a_yes(yard: Yard) -> None:
    yard.adopt()
    yard.commit(*many(3))
    yard.until_synced()
    yard.commit(skipped())
    message = tell(yard, "so all 3 would be deleted")
    assert "app sync" in message
    yard.run(120)
    assert there(yard, 3) == 3

    yard.ask(yard.app, prune=True)
    yard.until(lambda: there(yard, 3) == 0, "the prune that was agreed to")


def test_everything_goes_by_itself_where_the_application_allows_it(yard: Yard) -> None:
    yard.adopt(allow_empty=True)
    yard.commit(*many(3))
    yard.until_synced()
    yard.commit(skipped())
    yard.until_synced()
    yard.until(lambda: there(yard, 3) == 0, "the end of what was deleted: the garbage collector takes its time")


@every_dialect
def test_more_than_ten_and_a_third_go_only_with_a_yes(yard: Yard, dialect: Dialect) -> None:
    yard.adopt(dialect)
    yard.commit(*many(20))
    yard.until_synced()
    yard.commit(*many(9))
    tell(yard, "11 of 20 objects would be deleted, more than 10")
    yard.run(120)
    assert there(yard, 20) == 20

    yard.commit(*many(10))
    yard.until_synced()
    yard.until(lambda: there(yard, 20) == 10, "the end of ten: so many at once are no accident")


def test_an_object_that_another_application_tracks_is_not_taken_where_that_is_asked_for(yard: Yard) -> None:
    theirs = config_map("shared", v="theirs")
    theirs["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": f"other:/ConfigMap:{yard.space}/shared"}
    assert yard.plane.call("POST", path_of(yard, "").rstrip("/"), theirs)[0] == 201
    yard.adopt(fail_on_shared=True)
    yard.commit(config_map("shared", v="ours"), config_map("own", v="ours"))
    message = tell(yard, "FailOnSharedResource=true")
    assert "application other" in message
    assert (value(yard, "shared"), value(yard, "own")) == ("theirs", None)
    assert yard.status(yard.app).sync is not SyncStatus.SYNCED

    assert yard.plane.call("DELETE", path_of(yard, "shared"))[0] == 200
    yard.until_synced()
    assert value(yard, "shared") == "ours"
