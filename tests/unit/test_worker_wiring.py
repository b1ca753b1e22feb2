"""What a worker reads again while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.errors import Retry
from gitops_workers.core.model import IgnoreRule
from gitops_workers.wiring.worker import Customizations
from tests.servers.rules import InProcess
from tests.unit.core.making import application
from tests.unit.dialects.manifests import load

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd}
data: {resource.customizations.ignoreDifferences.all: "jsonPointers: [/spec/replicas]"}
"""
APP = application()


def rules_of(folder: Path) -> tuple[UserRules, Customizations]:
    rules = UserRules(InProcess())
    return rules, Customizations(SecretFiles(folder, load), InProcess())


def pointers(rules: UserRules) -> list[tuple[str, ...]]:
    return [rule.pointers for rule in rules.ignored(APP) if isinstance(rule, IgnoreRule)]


def test_settings_that_somebody_breaks_stay_in_force(tmp_path: Path) -> None:
    path = tmp_path / "argocd-cm.yaml"
    path.write_text(SETTINGS)
    rules, settings = rules_of(tmp_path)
    for text in (SETTINGS, "kind: [", SETTINGS):
        path.write_text(text)
        settings.reload(rules)
        rules.check(APP)
        assert pointers(rules) == [("/spec/replicas",)]
    path.unlink()
    settings.reload(rules)
    assert pointers(rules) == [], "taken out"


def test_a_worker_that_never_could_read_them_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "argocd-cm.yaml"
    path.write_text("kind: [")
    rules, settings = rules_of(tmp_path)
    settings.reload(rules)
    with pytest.raises(Retry, match="argocd-cm may stand in"):
        rules.check(APP)
    path.write_text(SETTINGS)
    settings.reload(rules)
    rules.check(APP)
    assert pointers(rules) == [("/spec/replicas",)]


def test_without_any_settings_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    rules, settings = rules_of(tmp_path)
    settings.reload(rules)
    rules.check(APP)
    assert pointers(rules) == []


class Overloaded(InProcess):
    """A runner that has no free child for the first jobs."""

    def __init__(self, busy: int) -> None:
        super().__init__()
        self.busy = busy

    def run(
        self, job: str, request: Mapping[str, Any], blobs: Sequence[bytes] = (), **options: Any
    ) -> tuple[Any, bytes]:
        self.busy -= 1
        if self.busy >= 0:
            raise Retry("no child was free")
        return super().run(job, request, blobs, **options)


def test_settings_that_a_busy_machine_could_not_read_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "argocd-cm.yaml").write_text(SETTINGS)
    rules = UserRules(InProcess())
    settings = Customizations(SecretFiles(tmp_path, load), Overloaded(1))
    settings.reload(rules)
    assert rules.version() == ""
    with pytest.raises(Retry, match="no child was free"):
        rules.check(APP)
    settings.reload(rules)
    rules.check(APP)
    assert pointers(rules) == [("/spec/replicas",)]


def test_ignored_differences_that_somebody_breaks_stay_in_force(tmp_path: Path) -> None:
    path = tmp_path / "argocd-cm.yaml"
    rules, settings = rules_of(tmp_path)
    for text in (SETTINGS, SETTINGS.replace("[/spec/replicas]", "["), SETTINGS.replace("[/spec/replicas]", "3")):
        path.write_text(text)
        settings.reload(rules)
        rules.check(APP)
        assert pointers(rules) == [("/spec/replicas",)]
