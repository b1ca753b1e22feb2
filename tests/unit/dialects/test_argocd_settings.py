"""`argocd-cm`: health scripts and ignored differences in both spellings."""

from __future__ import annotations

import pytest

from gitops_workers.core.customizations import Customizations, HealthScript
from gitops_workers.core.model import IgnoreRule
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
        ("resource.customizations.health.", "return nil", "the kind is missing"),
    ],
)
def test_a_broken_entry_is_its_own_problem_only(key: str, text: str, said: str):
    data = {key: text, "resource.customizations.health.a_B": "return nil"}

    found, problems = customizations(data, load_yaml, "argocd-cm.yaml")

    assert [problem.file for problem in problems] == ["argocd-cm.yaml"]
    assert said in problems[0].message
    assert HealthScript("a/B", "return nil") in found.scripts
