"""What a worker reads again while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.errors import Retry
from gitops_workers.core.model import IgnoreRule
from gitops_workers.worker_wiring import Customizations
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
