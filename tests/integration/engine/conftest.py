"""What the tests of the running engine share: one engine that reads a catalogue directory and a catalogue in Git.

Each test looks after applications of its own, so they run in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.engine.installation import Installation, Repository, answers, installation

WEBHOOK_SECRET = "story-webhook-secret"


@dataclass(slots=True)
class Story:
    """The installation, the application repository and the catalogue repository."""

    site: Installation
    shop: Repository
    fleet: Repository

    def flux(self, short: str, url: str, path: str, **spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A GitRepository and a Kustomization of that name."""
        name = self.site.name(short)
        metadata = {"name": name, "namespace": "flux-system"}
        interval = spec.pop("interval", "2s")
        source = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": metadata,
            "spec": {"url": url, "interval": interval, "ref": {"branch": "main"}, **spec.pop("source", {})},
        }
        kustomization = {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": metadata,
            "spec": {
                "interval": interval,
                "retryInterval": "2s",
                "prune": True,
                "path": path,
                "targetNamespace": self.site.space,
                "sourceRef": {"kind": "GitRepository", "name": name},
                **spec,
            },
        }
        return source, kustomization


@pytest.fixture(scope="package")
def story(planes, tmp_path_factory) -> Iterator[Story]:
    catalogue = ("git+{git}/fleet.git#main:clusters/prod",)
    secrets = (f"github={WEBHOOK_SECRET}",)
    folder = tmp_path_factory.mktemp("engine")
    with installation(folder, planes, catalogues=catalogue, webhook_secrets=secrets) as site:
        fleet = site.repository("fleet.git")
        fleet.push({"clusters/prod/README.md": "nothing yet"})
        story = Story(site, site.repository("shop.git"), fleet)
        story.shop.push({"README.md": "the shop"})
        site.until(lambda: answers(site), "the web process")
        yield story
