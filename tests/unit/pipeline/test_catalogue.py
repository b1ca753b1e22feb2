"""What the declared manifests become, and when they are read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from gitops_workers.core.model import Problem
from gitops_workers.dialects import Document
from gitops_workers.pipeline.catalogue import Change, refresh
from tests.unit.dialects.manifests import load
from tests.unit.pipeline.lab import Lab

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: "https://git.example/shop.git", path: web}
  destination: {name: east, namespace: shop}
"""
ID = "application/argocd/web"


@dataclass
class TextCatalogue:
    """One file in memory."""

    text: str
    name: str = "memory"
    broken: list[Problem] = field(default_factory=list)

    def token(self) -> str:
        return self.text

    def documents(self) -> tuple[Sequence[Document], Sequence[Problem]]:
        return load(self.text.encode(), "apps.yaml"), self.broken


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_argo_cd_applications_are_looked_at_as_often_as_the_installation_says(lab: Lab) -> None:
    catalogue = TextCatalogue(APPLICATION)
    lab.world = replace(lab.world, interval=7.0, jitter=2.0)
    assert refresh(lab.world, [catalogue]).added == (ID,)
    app = lab.state.application(ID)
    assert app is not None
    assert (app.schedule.interval, app.schedule.jitter) == (7.0, 2.0)
    assert refresh(lab.world, [catalogue]) == Change()
    lab.world = replace(lab.world, interval=60.0)
    assert refresh(lab.world, [catalogue]).changed == (ID,)
