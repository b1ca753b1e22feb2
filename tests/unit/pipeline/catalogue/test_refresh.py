"""What the declared manifests become, and when they are read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import Problem, SyncStatus
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.pipeline.catalogue.apply import Change
from gitops_workers.pipeline.catalogue.refresh import refresh
from gitops_workers.pipeline.catalogue.remarks import remarks_of
from gitops_workers.ports.catalogue import Contents
from tests.documents import raw
from tests.unit.core.making import manifest
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
FLUX = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {url: "https://git.example/shop.git", interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  interval: 1m
  path: ./clusters/${CLUSTER}
  sourceRef: {kind: GitRepository, name: fleet}
  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}
---
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: hook, namespace: flux-system}
spec:
  type: generic
  secretRef: {name: token}
  resources: [{kind: GitRepository, name: fleet}]
"""


@dataclass
class TextCatalogue:
    """One file in memory."""

    text: str
    name: str = "memory"
    repository: str = ""
    broken: list[Problem] = field(default_factory=list)
    down: GitOpsError | None = None
    file: str = "apps.yaml"

    def token(self) -> str:
        if self.down is not None:
            raise self.down
        return f"{self.text}{self.broken}"

    def contents(self) -> Contents:
        return Contents(self.token(), list(load(self.text.encode(), self.file)), self.broken)


@dataclass
class Held:
    """Secrets and ConfigMaps by name, which anybody may change."""

    data: dict[str, dict[str, bytes]]

    def read(self, ref: SecretRef) -> dict[str, bytes] | None:
        return self.data.get(ref.name)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_argo_cd_applications_are_looked_at_as_often_as_the_installation_says(lab: Lab) -> None:
    catalogue = TextCatalogue(APPLICATION)
    lab.context = replace(lab.context, interval=7.0, jitter=2.0)
    assert refresh(lab.context, [catalogue]).added == (ID,)
    app = lab.state.application(ID)
    assert app is not None
    assert (app.schedule.interval, app.schedule.jitter) == (7.0, 2.0)
    assert refresh(lab.context, [catalogue]) == Change()
    lab.context = replace(lab.context, interval=60.0)
    assert refresh(lab.context, [catalogue]).changed == (ID,)


def test_what_the_manifests_refer_to_is_followed_like_the_manifests(lab: Lab) -> None:
    held = Held({"vars": {"CLUSTER": b"oslo"}, "token": {"token": b"one"}})
    catalogue = TextCatalogue(FLUX)
    lab.context = replace(lab.context, secrets=held)
    refresh(lab.context, [catalogue])
    app = "kustomization/flux-system/web"
    first = lab.state.load(raw("catalogue"), "receivers")
    assert refresh(lab.context, [catalogue]) == Change()

    held.data["vars"] = {"CLUSTER": b"bergen"}
    assert refresh(lab.context, [catalogue]).changed == (app,)
    found = lab.state.application(app)
    assert found is not None
    assert found.source.path == "clusters/bergen"

    held.data["token"] = {"token": b"two"}
    refresh(lab.context, [catalogue])
    second = lab.state.load(raw("catalogue"), "receivers")
    assert len(second) == 1
    assert second != first
    assert lab.state.load(raw("receiver"), first[0]) is None
    assert refresh(lab.context, [catalogue]) == Change()


def test_an_application_that_was_lost_from_the_store_is_read_from_its_manifest_again(lab: Lab) -> None:
    catalogue = TextCatalogue(APPLICATION)
    lab.push(manifest("ConfigMap", "a"))
    refresh(lab.context, [catalogue])
    lab.run()
    lab.state.delete_application(ID)
    assert refresh(lab.context, [catalogue]) == Change()
    lab.run(400)
    assert refresh(lab.context, [catalogue]).added == (ID,)
    lab.run()
    assert lab.status(ID).sync is SyncStatus.OUT_OF_SYNC  # looked at again; it is not automated


@pytest.mark.parametrize("secret", ["robot:kanarie@", "kanarie@"])
def test_a_password_in_an_address_is_refused_and_kept_nowhere(lab: Lab, secret: str) -> None:
    refresh(lab.context, [TextCatalogue(APPLICATION.replace("https://", f"https://{secret}"))])
    lab.run()
    app = lab.state.application(ID)
    assert "kanarie" not in repr(app)
    status = lab.status(ID)
    assert "https://git.example/shop.git is written with a login" in status.message
    assert "repository Secret" in status.message
    assert "kanarie" not in repr(status)


@pytest.mark.parametrize("url", ["ssh://git@git.example/shop.git", "git@git.example:shop.git"])
def test_the_login_name_of_ssh_is_no_secret(lab: Lab, url: str) -> None:
    refresh(lab.context, [TextCatalogue(APPLICATION.replace("https://git.example/shop.git", url))])
    app = lab.state.application(ID)
    assert app is not None
    assert (app.source.url, app.refusal) == (url, "")


@dataclass
class Interrupted(TextCatalogue):
    """Runs something while its documents are being read."""

    during: Callable[[], object] = lambda: None

    def contents(self) -> Contents:
        read = super().contents()
        self.during()
        return read


@dataclass
class Flickering(TextCatalogue):
    """Its file comes after the token was asked for, and is gone again before anybody asks once more."""

    flickers: str = ""

    def contents(self) -> Contents:
        before, self.text = self.text, self.flickers or self.text
        self.flickers = ""
        read = super().contents()
        self.text = before
        return read


def test_a_file_that_came_and_went_while_the_catalogue_was_read_is_gone_at_the_next_refresh(lab: Lab) -> None:
    catalogue = Flickering("", flickers=APPLICATION)
    refresh(lab.context, [catalogue])
    assert lab.state.application(ID) is not None
    refresh(lab.context, [catalogue])
    assert lab.state.application(ID) is None


def test_a_push_to_the_catalogues_own_repository_is_news_for_the_catalogue(lab: Lab) -> None:
    refresh(lab.context, [TextCatalogue(APPLICATION, repository="https://git.example/fleet.git"), TextCatalogue("")])
    assert lab.state.load(raw("repository"), "git.example/fleet") == ["catalogue"]
    refresh(lab.context, [TextCatalogue(APPLICATION, repository="https://git.example/shop.git")])
    assert lab.state.load(raw("repository"), "git.example/shop")[0] == "catalogue"
    assert len(lab.state.load(raw("repository"), "git.example/shop")) == 2


def test_two_refreshes_never_overlap(lab: Lab) -> None:
    """The older one would write the groups without what the newer one has found, and nobody would ever poll it."""
    two = APPLICATION + "---\n" + APPLICATION.replace("name: web,", "name: api,")
    inner: list[Change] = []
    older = Interrupted(APPLICATION, during=lambda: inner.append(refresh(lab.context, [TextCatalogue(two)])))
    refresh(lab.context, [older])
    assert inner == [Change()]
    refresh(lab.context, [TextCatalogue(two)])
    assert lab.state.load(raw("group"), "cluster/east")["apps"] == ["application/argocd/api", ID]


def test_a_refresh_that_was_frozen_writes_nothing_and_has_all_of_it_written_again(lab: Lab) -> None:
    two = APPLICATION + "---\n" + APPLICATION.replace("name: web,", "name: api,")

    def overtaken() -> None:
        lab.now += lab.context.lease + 1
        assert len(refresh(lab.context, [TextCatalogue(two)]).added) == 2

    assert refresh(lab.context, [Interrupted(APPLICATION, during=overtaken)]) == Change()
    assert lab.state.load(raw("group"), "cluster/east")["apps"] == ["application/argocd/api", ID]
    assert lab.state.load(raw("catalogue"), "seen") is None


@pytest.mark.parametrize("name", ["default", "team"])
def test_a_project_whose_file_cannot_be_read_stays_as_it_was(name: str) -> None:
    """Else a slip in the file of project `default` would open everything to everybody."""
    project = f"""\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: {name}, namespace: argocd}}
spec: {{sourceRepos: ["*"], destinations: [{{server: "*", namespace: shop}}]}}
"""
    app = APPLICATION.replace("project: default", f"project: {name}")
    lab, catalogue = Lab(), TextCatalogue(f"{app}---\n{project}")
    refresh(lab.context, [catalogue])
    before = lab.state.application(ID).limits
    assert before is not None

    catalogue.text, catalogue.broken = app, [Problem("projects.yaml", 3, "", "not YAML")]
    assert refresh(lab.context, [catalogue]).changed == ()
    assert lab.state.application(ID).limits == before

    catalogue.text = app + "---\n" + app.replace("name: web", "name: new")
    refresh(lab.context, [catalogue])
    assert lab.state.application("application/argocd/new").limits == before

    catalogue.broken = []
    refresh(lab.context, [catalogue])
    assert lab.state.application(ID).limits is None, "now it is known to be gone"


@pytest.mark.parametrize("broken", ["team", "team/deep", "team/deep/apps.yaml"])
def test_what_stood_in_a_folder_that_cannot_be_read_stays_as_it_was(lab: Lab, broken: str) -> None:
    catalogue = TextCatalogue(APPLICATION, file="team/deep/apps.yaml")
    refresh(lab.context, [catalogue])

    catalogue.text, catalogue.broken = "", [Problem(broken, 0, "", "it is a link")]
    change = refresh(lab.context, [catalogue])

    assert (change.removed, change.leaving) == ((), ())
    assert lab.state.application(ID) is not None


def test_remarks_of_the_catalogue_are_kept_for_those_who_look_and_go_with_their_cause(lab: Lab) -> None:
    odd = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all, namespace: argocd}\n"
    catalogue = TextCatalogue(f"{APPLICATION}---\n{odd}")
    refresh(lab.context, [catalogue])
    found = remarks_of(lab.state)
    assert found.summary == "The catalogue has 1 remark."
    assert "ApplicationSet" in found.lines[0]
    assert "it has no effect" in found.lines[0]
    refresh(lab.context, [TextCatalogue(APPLICATION)])
    assert remarks_of(lab.state).summary == ""


def test_a_manifest_that_lost_its_api_version_goes_on_as_it_was(lab: Lab) -> None:
    refresh(lab.context, [TextCatalogue(APPLICATION)])
    change = refresh(lab.context, [TextCatalogue(APPLICATION.replace("apiVersion: argoproj.io/v1alpha1\n", ""))])
    assert (change.removed, change.leaving) == ((), ())
    assert lab.state.application(ID) is not None
    assert "apiVersion" in " ".join(item.message for item in lab.status(ID).conditions)
