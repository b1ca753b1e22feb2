"""After a run, the published dashboards of both projects find their names, whichever process did the work."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.engine.conftest import Story
from tests.published_dashboards import PUBLISHED, WHEN_SOMETHING_DRIFTS

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: '1'}\n"


def scraped(story: Story) -> dict[str, list[tuple[dict[str, str], float]]]:
    """All samples by name."""
    text = httpx.get(f"{story.site.engine.web}/metrics").text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(family.name, [])
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_published_dashboards_show_data_and_a_failure_is_a_failure_in_both_dialects(story: Story) -> None:
    site, shop = story.site, story.shop
    shop.push(
        {"metrics/a/map.yaml": MAP.replace("NAME", "metrics-a"), "metrics/b/map.yaml": MAP.replace("NAME", "metrics-b")}
    )
    broken = MAP.replace("NAME", "metrics-c").replace("data: {a: '1'}", "data: [1]")
    shop.push({"metrics/c/map.yaml": broken})
    site.declare(
        "metrics.yaml",
        site.argo("metrics-a", shop.url, "metrics/a"),
        site.argo("metrics-c", shop.url, "metrics/c"),
        *story.flux("metrics-b", shop.url, "./metrics/b"),
        *story.flux("metrics-gone", shop.url, "./metrics/gone"),
    )
    for app in (site.app("metrics-a"), site.app("metrics-b", "kustomization")):
        site.until_synced(app)

    def all_told() -> dict[str, list[tuple[dict[str, str], float]]] | None:
        found = scraped(story)
        missing = [
            name for name, labels in PUBLISHED.items() if not any(labels <= set(of) for of, _ in found.get(name, ()))
        ]
        assert all(name.removesuffix("_total") in found for name in WHEN_SOMETHING_DRIFTS)
        # Each process tells its figures with its own heartbeat: one worker's can be ten seconds behind another's.
        synced = [value for of, value in found.get("argocd_app_sync_total", ()) if of["name"] == site.name("metrics-a")]
        fetches = [value for of, value in found.get("argocd_git_request_total", ()) if of["request_type"] == "fetch"]
        kinds = {of["kind"] for of, _ in found.get("gotk_reconcile_duration_seconds_count", ())}
        told = not missing and sum(synced) >= 1 and sum(fetches) >= 1 and kinds >= {"Kustomization", "GitRepository"}
        return found if told else None

    found = site.until(all_told, "all names of the published dashboards, with figures of all that has run")
    assert [value for of, value in found["gitops_workers"] if of["fleet"] == "default"] == [2]

    def ready(kind: str, short: str) -> list[str]:
        rows = [of for of, _ in scraped(story)["gotk_resource_info"]]
        return [of["ready"] for of in rows if (of["customresource_kind"], of["name"]) == (kind, site.name(short))]

    site.until(lambda: ready("Kustomization", "metrics-gone") == ["False"], "the failure of a Kustomization")
    assert ready("Kustomization", "metrics-b") == ["True"]
    assert ready("GitRepository", "metrics-b") == ["True"]
    conditions = {
        of["condition"] for of, _ in scraped(story)["argocd_app_condition"] if of["name"] == site.name("metrics-c")
    }
    assert conditions & {"SyncError", "ComparisonError"}
