"""T38: a render has no network by more than one means, and reads the same where the kernel allows fewer of them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gitops_workers.adapters.sandbox import SandboxLimits
from gitops_workers.core.render.render_spec import HelmOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from tests.security.content.closed_host import LANDLOCK, NAMESPACES, SECCOMP, first_words, host, isolation, rendered
from tests.servers.rendering import RenderWorld, config_map

FLUX = RenderSpec(tool=Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))
CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "templates/a.yaml": config_map("a")}
PLUGIN = "apiVersion: builtin\nkind: %s\nmetadata: {name: x}\n%s\n"
OUTSIDE = {
    "URL": "http://127.0.0.1:%d/x.yaml",
    "URL in capitals": "HTTP://127.0.0.1:%d/x.yaml",
    "absolute path": "/etc/passwd",
    "path above the repository": "../../../../etc/passwd",
}
PLUGINS = {
    "ConfigMapGenerator": "files: ['%s']",
    "ConfigMapGenerator with a key": "files: ['k=%s']",
    "ConfigMapGenerator in capitals": "FILES: ['%s']",
    "ConfigMapGenerator envs": "envs: ['%s']",
    "SecretGenerator env": "env: '%s'",
    "PatchTransformer": "path: '%s'",
    "PatchJson6902Transformer": "target: {name: a, kind: ConfigMap}\npath: '%s'",
    "PatchStrategicMergeTransformer": "paths: ['%s']",
    "ReplacementTransformer": "replacements: [{path: '%s'}]",
    "ValueAddTransformer": "targetFilePath: '%s'\nvalue: x\ntargets: [{fieldPath: data/a}]",
}


@pytest.fixture
def canary():
    """A server of ours; the test fails when anybody connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server.getsockname()[1]
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.fixture(scope="module")
def restricted():
    """A host that allows no namespace and no chroot."""
    with host(*NAMESPACES) as run:
        yield run


@pytest.fixture(scope="module")
def bare():
    """A host that allows no Landlock either: what a render may read is guarded by checks of its content alone."""
    with host(*NAMESPACES, LANDLOCK) as run:
        yield run


def test_without_namespaces_network_and_files_stay_closed(restricted):
    found = restricted(isolation)

    assert (found.network_namespace, found.chroot) == (False, False)
    assert found.network_closed
    assert found.files_closed


def test_what_is_missing_is_named(bare):
    found = bare(isolation)

    assert not found.files_closed
    assert found.missing == ("network_namespace", "chroot", "landlock")
    assert "checks of the content only" in str(found)


def test_where_nothing_closes_the_network_nothing_is_rendered_unless_a_setting_says_so():
    tree = {"a.yaml": config_map("a")}
    with host(*NAMESPACES, SECCOMP) as run:
        assert not run(isolation).network_closed
        assert run(rendered, tree, ".", RenderSpec()).startswith("Retry: nothing is rendered here")
        assert run(rendered, tree, ".", RenderSpec(), SandboxLimits(open_network=True))[0]["kind"] == "ConfigMap"


def test_a_worker_tells_at_its_start_by_which_means_it_is_closed(bare):
    line = bare(first_words, {})

    assert (line["event"], line["level"], line["code"]) == ("isolation of renders", "warning", None)
    assert (line["system_call_filter"], line["network_namespace"], line["landlock"]) == (True, False, False)


def test_a_worker_does_not_start_where_nothing_closes_the_network_unless_a_setting_says_so():
    with host(*NAMESPACES, SECCOMP) as run:
        refused, allowed = run(first_words, {}), run(first_words, {"GITOPS_ALLOW_RENDER_NETWORK": "true"})

    assert (refused["level"], refused["code"]) == ("error", 1)
    assert "GITOPS_ALLOW_RENDER_NETWORK" in refused["reason"]
    assert (allowed["level"], allowed["code"]) == ("warning", None)


@pytest.mark.parametrize("where", ["restricted", "bare"])
@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize(
    "tree",
    [
        {"app/kustomization.yaml": "configMapGenerator: [{name: c, files: [x.txt]}]\n", "app/x.txt": "hello"},
        {"app/kustomization.yaml": "configMapGenerator: [{name: c, files: [../shared/x.txt]}]\n", "shared/x.txt": "hi"},
        {"app/kustomization.yaml": "resources: [../shared/x.yaml]\n", "shared/x.yaml": config_map("x")},
        {"app/kustomization.yaml": "resources: [../shared]\n", "shared/kustomization.yaml": "resources: [x.yaml]\n"}
        | {"shared/x.yaml": config_map("x")},
        {
            "app/kustomization.yaml": "generators: [g.yaml]\n",
            "app/g.yaml": PLUGIN % ("ConfigMapGenerator", "files: [x]"),
        }
        | {"app/x": "hello"},
    ],
    ids=["below", "file beside", "resource beside", "base beside", "plug-in"],
)
def test_the_result_does_not_depend_on_the_means(request, repo: RenderWorld, where, spec, tree):
    there = request.getfixturevalue(where)(rendered, tree, "app", spec)
    try:
        here: object = repo.objects(tree, "app", spec)
    except Exception as error:  # noqa: BLE001 - any answer must be the same on both
        here = f"{type(error).__name__}: {error}"

    assert there == here


def test_flux_reads_beside_the_kustomization_and_argocd_does_not(bare):
    tree = {"app/kustomization.yaml": "configMapGenerator: [{name: c, files: [../shared/x.txt]}]\n"}
    tree |= {"shared/x.txt": "hello"}

    assert bare(rendered, tree, "app", FLUX)[0]["data"] == {"x.txt": "hello"}
    assert "not in or below" in bare(rendered, tree, "app", RenderSpec())


@pytest.mark.parametrize("spec", [RenderSpec(), FLUX], ids=["argocd", "flux"])
@pytest.mark.parametrize("target", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.parametrize(("kind", "config"), PLUGINS.items(), ids=PLUGINS)
@pytest.mark.parametrize("form", ["a file", "inline", "a list", "a folder"])
def test_a_built_in_plug_in_reads_nothing_outside(repo: RenderWorld, canary, spec, target, kind, config, form):
    plugin = PLUGIN % (kind.split()[0], config % (target % canary if "%d" in target else target))
    field = "generators" if "Generator" in kind else "transformers"
    tree = {"app/a.yaml": config_map("a")}
    if form == "inline":
        text = json.dumps([plugin])
        tree["app/kustomization.yaml"] = f"resources: [a.yaml]\n{field}: {text}\n"
    else:
        tree["app/kustomization.yaml"] = f"resources: [a.yaml]\n{field}: [p]\n"
        if form == "a folder":
            tree |= {"app/p/kustomization.yaml": "resources: [p.yaml]\n", "app/p/p.yaml": plugin}
        else:
            items = "".join(f"  {line}\n" for line in plugin.splitlines())
            tree["app/p"] = plugin if form == "a file" else f"apiVersion: v1\nkind: List\nitems:\n-{items[1:]}"

    with pytest.raises(Exception, match=r"is a URL|is an absolute path|leaves the repository") as caught:
        repo.objects(tree, "app", spec)

    assert type(caught.value).__name__ in ("UnsafeContent", "Danger")


@pytest.mark.parametrize(
    "kustomization",
    [
        "Resources: ['http://127.0.0.1:%d/x.yaml']\n",
        "RESOURCES: [/etc/passwd]\n",
        "ConfigmapGenerator: [{name: c, files: [/etc/passwd]}]\n",
        "configMapGenerator: [{name: c, Files: ['http://127.0.0.1:%d/x']}]\n",
        "patches: [{PATH: 'http://127.0.0.1:%d/x'}]\n",
        "patchesStrategicMerge: ['http://127.0.0.1:%d/x: y']\n",
        "patchesStrategicMerge: ['../../../etc/passwd: y']\n",
        'transformers: [\'!!map {"apiVersion":"builtin","kind":"PatchTransformer","path":"http://127.0.0.1:%d/x"}\']\n',
        "openAPI: {Path: 'http://127.0.0.1:%d/x'}\n",
        "HELMCHARTS: [{name: x, repo: 'http://127.0.0.1:%d'}]\n",
    ],
)
def test_another_spelling_is_no_way_out(restricted, canary, kustomization):
    text = kustomization % canary if "%d" in kustomization else kustomization

    answer = restricted(rendered, {"a/kustomization.yaml": text, "a/a.yaml": config_map("a")}, "a", RenderSpec())

    assert answer.startswith(("UnsafeContent", "Danger")), answer


def test_plug_in_configuration_that_is_made_by_a_kustomization_is_refused(repo: RenderWorld):
    tree = {
        "app/kustomization.yaml": "generators: [g]\n",
        "app/g/kustomization.yaml": "resources: [g.yaml]\npatches: [{path: p.yaml}]\n",
        "app/g/g.yaml": PLUGIN % ("ConfigMapGenerator", "literals: [a=b]"),
        "app/g/p.yaml": PLUGIN % ("ConfigMapGenerator", "files: [/etc/passwd]"),
    }

    with pytest.raises(Exception, match="list only `resources`"):
        repo.objects(tree, "app")


def test_the_inputs_of_a_plug_in_are_part_of_the_closure(repo: RenderWorld):
    tree = {
        "app/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t]\n",
        "app/a.yaml": config_map("a", k="v"),
        "app/t/kustomization.yaml": "resources: [t.yaml]\n",
        "app/t/t.yaml": PLUGIN % ("PatchTransformer", "path: patch.yaml\ntarget: {kind: ConfigMap}"),
        "app/patch.yaml": "- {op: replace, path: /data/k, value: w}\n",
        "other/x.yaml": config_map("x"),
    }
    at = repo.commit(tree)

    assert {entry.path for entry in repo.closure(at, "app").entries} == {
        path for path in tree if path != "other/x.yaml"
    }
    assert repo.rendered(at, "app").objects[0]["data"] == {"k": "w"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:%d/s.json"},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"$id": "http://127.0.0.1:%d/", "properties": {"a": {"$ref": "other.json"}}},
        {"$schema": "http://127.0.0.1:%d/meta.json"},
        {"allOf": [{"$dynamicRef": "http://127.0.0.1:%d/s.json#x"}]},
        {"$ref": "urn:example:x"},
        {"$ref": "values.json"},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("place", ["", "charts/sub/"])
def test_a_values_schema_opens_nothing(restricted, canary, schema, place):
    text = json.dumps(schema).replace("%d", str(canary))
    tree = CHART | {"values.yaml": "a: 1\nsub: {a: 1}\n", f"{place}values.schema.json": text}
    if place:
        tree |= {f"{place}{name}": text.replace("name: c", "name: sub") for name, text in CHART.items()}

    answer = restricted(rendered, tree, ".", RenderSpec())

    assert answer.startswith(("UnsafeContent", "Danger")), answer
    assert "refers to" in answer


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#/definitions/n"}}}
        | {"definitions": {"n": {"type": "integer"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/n", "$defs": {"n": {}}},
        {"$id": "https://example.com/me.json", "properties": {"a": {"$ref": "https://example.com/me.json#/$defs/n"}}}
        | {"$defs": {"n": {"type": "integer"}}},
        {"properties": {"$ref": {"type": "string"}}},
    ],
    ids=["draft 7", "2020-12", "by its own id", "a value of that name"],
)
def test_a_values_schema_may_refer_to_itself(repo: RenderWorld, schema):
    tree = CHART | {"values.yaml": "a: 1\n", "values.schema.json": json.dumps(schema)}

    assert repo.objects(tree)[0]["kind"] == "ConfigMap"


def test_a_schema_that_is_not_used_may_refer_to_anything(repo: RenderWorld):
    tree = CHART | {"values.schema.json": '{"$ref": "http://example.com/s.json"}'}

    assert repo.objects(tree, ".", RenderSpec(helm=HelmOptions(skip_schema_validation=True)))


def test_a_child_and_its_tools_can_open_no_socket(repo: RenderWorld):
    assert repo.sandbox.isolation().system_call_filter
    (pid, *_) = repo.sandbox.pids()

    assert "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()
