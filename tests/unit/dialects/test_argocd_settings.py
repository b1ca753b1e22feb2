"""`argocd-cm`: health scripts and ignored differences in both spellings."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import InvalidManifest, Retry
from gitops_workers.core.model import IgnoreRule
from gitops_workers.core.settings.customizations import Customizations, HealthScript
from gitops_workers.dialects.argocd.settings import customizations
from tests.servers.rules import load_yaml


def read(**data: str) -> Customizations:
    found, problems = customizations(data, load_yaml, "argocd-cm.yaml")
    assert not problems
    return found


def test_one_key_per_kind():
    found = read(
        **{
            "resource.customizations.health.cert-manager.io_Certificate": "return nil",
            "resource.customizations.useOpenLibs.cert-manager.io_Certificate": "true",
            "resource.customizations.health.PersistentVolumeClaim": "return {}",
            "url": "https://argocd.example",
        }
    )

    assert found.scripts == (
        HealthScript("PersistentVolumeClaim", "return {}"),
        HealthScript("cert-manager.io/Certificate", "return nil", open_libs=True),
    )


def test_the_older_map_has_wildcards_and_gives_way_to_the_newer_keys():
    found = read(
        **{
            "resource.customizations": """
                "*.crossplane.io/*":
                  health.lua: return nil
                  health.lua.useOpenLibs: true
                  ignoreDifferences: |
                    jsonPointers: [/spec/providerConfigRef]
                a.example/Thing:
                  health.lua: old
            """,
            "resource.customizations.health.a.example_Thing": "new",
        }
    )

    assert found.scripts == (
        HealthScript("*.crossplane.io/*", "return nil", open_libs=True),
        HealthScript("a.example/Thing", "new"),
    )
    assert found.ignore == (IgnoreRule("*.crossplane.io", "*", pointers=("/spec/providerConfigRef",)),)


def test_differences_to_leave_alone_everywhere():
    found = read(
        **{
            "resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [kube-controller-manager]",
            "resource.customizations.ignoreDifferences.admissionregistration.k8s.io_MutatingWebhookConfiguration": (
                "jqPathExpressions:\n- '.webhooks[]?.clientConfig.caBundle'\n"
            ),
        }
    )

    assert set(found.ignore) == {
        IgnoreRule("*", "*", managers=("kube-controller-manager",)),
        IgnoreRule(
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration",
            jq=(".webhooks[]?.clientConfig.caBundle",),
        ),
    }


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers: [", "cannot be read"),
        ("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers: 3", "lists of texts"),
        ("resource.customizations.ignoreDifferences.apps_Deployment", "- a", "found no mapping"),
        ("resource.customizations", "a/B: 1", "found no mapping"),
        ("resource.customizations", "- a/B", "found no mapping"),
        ("resource.customizations", "a/B: {ignoreDifferences: 'jsonPointers: ['}", "cannot be read"),
        ("resource.customizations", "a/B: [", "cannot be read"),
    ],
)
def test_ignored_differences_that_cannot_be_read_are_never_less_of_them(key: str, text: str, said: str):
    data = {key: text, "resource.customizations.ignoreDifferences.a_B": "jsonPointers: [/spec]"}

    with pytest.raises(InvalidManifest, match=said) as refused:
        customizations(data, load_yaml, "argocd-cm.yaml")

    assert str(refused.value).startswith("argocd-cm.yaml: data[")
    assert key in str(refused.value)


def test_a_machine_too_busy_to_read_an_entry_is_no_problem_of_the_entry():
    def busy(data: bytes, name: str) -> object:
        raise Retry(f"{name}: no child was free")

    with pytest.raises(Retry):
        customizations({"resource.customizations.ignoreDifferences.a_B": "jsonPointers: [/spec]"}, busy, "argocd-cm")


def test_a_script_for_no_kind_is_its_own_problem_only():
    data = {"resource.customizations.health.": "return nil", "resource.customizations.health.a_B": "return nil"}

    found, problems = customizations(data, load_yaml, "argocd-cm.yaml")

    assert [(problem.file, problem.message) for problem in problems] == [
        ("argocd-cm.yaml", "the kind is missing: write <group>_<Kind>.")
    ]
    assert found.scripts == (HealthScript("a/B", "return nil"),)
