"""What SOPS has encrypted is named as such, whichever way it would reach a cluster, and before anything does."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import HelmOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from tests.servers.rendering import RenderWorld, config_map

FLUX = RenderSpec(tool=Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))
NAMED = r"is encrypted by SOPS, and nothing is decrypted"
CIPHER = "ENC[AES256_GCM,data:c2VjcmV0,iv:aXY=,tag:dGFn,type:str]"
MAC = {"mac": CIPHER, "lastmodified": "2026-01-01T00:00:00Z", "version": "3.13.2", "age": []}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": CIPHER}}
WHOLE = yaml.safe_dump({**SECRET, "sops": MAC})
EVERY_VALUE = yaml.safe_dump(
    {"apiVersion": CIPHER, "kind": CIPHER, "metadata": {"name": CIPHER}, "data": {"a": CIPHER}, "sops": MAC}
)
LIST = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [SECRET], "sops": MAC})
FILES = {
    "yaml": f"password: {CIPHER}\nsops:\n    lastmodified: x\n    mac: {CIPHER}\n    version: 3.13.2\n",
    "json": f'{{\n\t"password": "{CIPHER}",\n\t"sops": {{\n\t\t"mac": "{CIPHER}"\n\t}}\n}}',
    "binary": f'{{"data":"{CIPHER}","sops":{{"mac":"{CIPHER}"}}}}',
    "env": f"PASSWORD={CIPHER}\nsops_mac={CIPHER}\nsops_version=3.13.2\n",
    "ini": f"[db]\npassword = {CIPHER}\n\n[sops]\nmac = {CIPHER}\n",
}
CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "templates/a.yaml": config_map("a")}


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize("build", [False, True], ids=["a folder", "a kustomization"])
@pytest.mark.parametrize("text", [WHOLE, EVERY_VALUE, LIST, WHOLE.replace("Secret", "Widget")])
def test_an_encrypted_object_is_named(repo: RenderWorld, spec, build, text):
    tree = {"app/secret.yaml": text, "app/beside.yaml": config_map("beside")}
    if build:
        tree["app/kustomization.yaml"] = "resources: [secret.yaml, beside.yaml]\n"

    with pytest.raises(RenderFailed, match=NAMED):
        repo.objects(tree, "app", spec)


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize(("form", "text"), FILES.items(), ids=FILES)
def test_an_encrypted_file_in_a_generated_secret_is_named(repo: RenderWorld, spec, form, text):
    tree = {"app/kustomization.yaml": f"secretGenerator: [{{name: s, files: [k=secret.{form}]}}]\n"}

    with pytest.raises(RenderFailed, match=NAMED):
        repo.objects(tree | {f"app/secret.{form}": text}, "app", spec)


def test_encrypted_lines_in_a_generated_secret_are_named(repo: RenderWorld):
    tree = {"kustomization.yaml": "secretGenerator: [{name: s, envs: [secret.env]}]\n", "secret.env": FILES["env"]}

    with pytest.raises(RenderFailed, match=f"data.PASSWORD.*{NAMED}"):
        repo.objects(tree)


def test_an_encrypted_patch_is_named(repo: RenderWorld):
    plain = yaml.safe_dump({**SECRET, "stringData": {"password": ""}})
    tree = {"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "a.yaml": plain, "p.yaml": WHOLE}

    with pytest.raises(RenderFailed, match=NAMED):
        repo.objects(tree)


@pytest.mark.parametrize("form", ["yaml", "json", "ini"])
def test_an_encrypted_file_of_a_secret_in_a_folder_is_named(repo: RenderWorld, form):
    data = {"k": base64.b64encode(FILES[form].encode()).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": data}

    with pytest.raises(RenderFailed, match=f"data.k of .*Secret db {NAMED}"):
        repo.objects({"a.yaml": yaml.safe_dump(secret)})


@pytest.mark.parametrize("kind", ["value_files", "file_parameters", "values"])
def test_encrypted_values_of_a_chart_are_named(repo: RenderWorld, kind):
    given: dict[str, Any] = {
        "value_files": ("secret.yaml",),
        "file_parameters": (("a", "secret.yaml"),),
        "values": FILES["yaml"],
    }

    with pytest.raises(RenderFailed, match=NAMED):
        repo.objects(CHART | {"secret.yaml": FILES["yaml"]}, ".", RenderSpec(helm=HelmOptions(**{kind: given[kind]})))


def test_what_is_to_stay_encrypted_is_applied_as_it_is(repo: RenderWorld):
    data = {"k": base64.b64encode(FILES["yaml"].encode()).decode()}
    annotations = {"kustomize.toolkit.fluxcd.io/decrypt": "disabled"}
    metadata = {"name": "db", "annotations": annotations}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    tree = {"kustomization.yaml": "resources: [s.yaml]\nconfigMapGenerator: [{name: c, files: [secret.ini]}]\n"}

    found = repo.objects(tree | {"s.yaml": yaml.safe_dump(secret), "secret.ini": FILES["ini"]})

    assert {item["kind"] for item in found} == {"Secret", "ConfigMap"}


def test_a_plain_secret_that_speaks_of_sops_is_none(repo: RenderWorld):
    data = {"a": "use sops -e", "b": "mac: 00:11:22", "c": "ENC[ is how it begins", "sops": "yes"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": data}

    assert repo.objects({"a.yaml": yaml.safe_dump(secret)})[0]["stringData"] == data
