"""What a refresh makes of dependencies: who is rung by whom, cycles, names of what cannot be read now."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gitops_workers.core.documents.kinds import DEPENDANTS
from gitops_workers.core.model import Problem
from gitops_workers.dialects.dependencies import ANNOTATION
from gitops_workers.pipeline.catalogue.apply import Change
from gitops_workers.pipeline.catalogue.refresh import refresh
from gitops_workers.ports.catalogue import Contents
from tests.unit.dialects.manifests import load
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import as_json, config


def declared(name: str, on: str = "") -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd, annotations: {{{ANNOTATION}: "{on}"}}}}
spec:
  source: {{repoURL: "https://git.example/shop.git", path: {name}}}
  destination: {{name: east, namespace: shop}}
  syncPolicy: {{automated: {{}}}}
"""


def app(name: str) -> str:
    return f"application/argocd/{name}"


@dataclass
class Files:
    """Files of manifests by name; one whose text is empty cannot be read."""

    texts: dict[str, str] = field(default_factory=dict)
    name: str = "memory"
    repository: str = ""

    def token(self) -> str:
        return repr(self.texts)

    def contents(self) -> Contents:
        documents = [item for name, text in self.texts.items() for item in load(text.encode(), name)]
        problems = [Problem(name, 1, "", "cannot be read") for name, text in self.texts.items() if not text]
        return Contents(self.token(), documents, problems)


@pytest.fixture
def lab() -> Lab:
    found = Lab()
    found.repository.commit({f"{name}/0.json": as_json(config(name)) for name in ("base", "top", "web")})
    return found


def needed(lab: Lab, name: str) -> bool:
    found = lab.state.application(app(name))
    assert found is not None
    return found.needed


def test_who_depends_on_whom_is_stored_the_other_way_round(lab: Lab) -> None:
    files = Files({"base": declared("base"), "top": declared("top", "base"), "web": declared("web", "base, top")})
    refresh(lab.context, [files])
    assert lab.state.load(DEPENDANTS, app("base")) == (app("top"), app("web"))
    assert lab.state.load(DEPENDANTS, app("top")) == (app("web"),)
    assert [needed(lab, name) for name in ("base", "top", "web")] == [True, True, False]

    files.texts["web"] = declared("web")
    assert refresh(lab.context, [files]).changed == (app("web"),)
    assert lab.state.load(DEPENDANTS, app("top")) is None
    assert [needed(lab, name) for name in ("base", "top", "web")] == [True, False, False]


def test_a_new_dependant_is_no_reason_to_look_at_the_dependency(lab: Lab) -> None:
    files = Files({"base": declared("base")})
    refresh(lab.context, [files])
    lab.run()
    looks = lab.queue.wanted(app("base"))
    files.texts["top"] = declared("top", "base")

    assert refresh(lab.context, [files]).changed == ()

    assert needed(lab, "base")
    assert lab.queue.wanted(app("base")) == looks


def test_a_cycle_stops_its_members_and_nobody_else_and_ends_when_it_is_broken(lab: Lab) -> None:
    files = Files({"base": declared("base", "top"), "top": declared("top", "base"), "web": declared("web")})
    refresh(lab.context, [files])
    lab.run()
    assert lab.live("ConfigMap", "web") is not None
    assert (lab.live("ConfigMap", "base"), lab.live("ConfigMap", "top")) == (None, None)
    base, top = app("base"), app("top")
    assert f"{base} -> {top} -> {base}" in lab.status(base).message
    assert f"{top} -> {base} -> {top}" in lab.status(top).message

    files.texts["base"] = declared("base")
    refresh(lab.context, [files])
    lab.run()

    assert [lab.status(app(name)).sync for name in ("base", "top", "web")] == ["Synced"] * 3


def test_a_dependency_that_was_misspelt_rings_when_it_is_spelt_right(lab: Lab) -> None:
    files = Files({"base": declared("base"), "top": declared("top", "bsae")})
    refresh(lab.context, [files])
    lab.run()
    status = lab.status(app("top"))
    assert status.message == "Waiting for bsae: no application has this name: add it or correct the name."
    assert "depends on bsae" in status.conditions[0].message

    files.texts["top"] = declared("top", "base")
    refresh(lab.context, [files])
    lab.run()

    assert lab.status(app("top")).sync == "Synced"
    assert lab.status(app("top")).conditions == ()


def test_a_dependency_in_a_file_that_cannot_be_read_is_still_there_and_still_rings(lab: Lab) -> None:
    files = Files({"base": declared("base"), "top": declared("top", "base")})
    refresh(lab.context, [files])
    lab.run()
    files.texts |= {"base": "", "web": declared("web", "base")}

    assert refresh(lab.context, [files]).changed == ()
    lab.run()

    assert lab.state.load(DEPENDANTS, app("base")) == (app("top"), app("web"))
    assert lab.status(app("web")).sync == "Synced"
    assert refresh(lab.context, [files]) == Change()


def test_a_dependency_that_is_no_longer_declared_is_waited_for_by_name(lab: Lab) -> None:
    files = Files({"base": declared("base"), "top": declared("top", app("base"))})
    refresh(lab.context, [files])
    lab.run()
    del files.texts["base"]
    refresh(lab.context, [files])
    lab.repository.commit({"top/0.json": as_json(config("top", "2"))})
    lab.run(400)

    assert lab.status(app("top")).message == (
        f"Waiting for {app('base')}: it is not declared: add it or correct the name."
    )
    live = lab.live("ConfigMap", "top")
    assert live is not None
    assert live["data"]["v"] == "1"
