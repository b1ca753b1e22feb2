"""Whatever stands in the tree of an application is rendered, or fails the render, or is left out by upstream's rule."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.render.render_spec import DirectoryOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from gitops_workers.testing.volatile_sources import File, VolatileRepository
from tests.servers.rendering import RenderWorld, config_map

SHARED = "https://git.example.com/team/shared.git"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1" * 64 + b"\nsize 9\n"
READABLE = ("manifest", "link to a file", "link to a folder", "submodule")
KINDS = (*READABLE, *READABLE, *READABLE, "link to nothing", "link out", "pointer", "lost")
PLACES = ("a.yaml", "b.yml", "sub/c.yaml", "sub/deep/d.yaml", "sub/deep/e", "x", "x.json", "sub.d/y.yaml")
ENTRIES = st.dictionaries(st.sampled_from(PLACES), st.sampled_from(KINDS), min_size=1)
SPECS = {
    "directory": RenderSpec(directory=DirectoryOptions(recurse=True)),
    "flux": RenderSpec(Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX)),
    "chart": RenderSpec(),
}
EXTENSIONS = {"directory": (".yaml", ".yml", ".json"), "flux": (".yaml", ".yml"), "chart": ("",)}
"""By its name a file is a manifest of a directory (Argo CD) or of a Flux folder; a chart is read as a whole."""


def object_of(name: str) -> bytes:
    return f'{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "{name}"}}}}'.encode()


def laid_out(repo: RenderWorld, entries: dict[str, str], root: str) -> dict[str, File | str]:
    """The tree: each entry has what it leads to in a place of its own."""
    shared = repo.sources.repositories.setdefault(SHARED, VolatileRepository())
    tree: dict[str, File | str] = {}
    modules = ""
    for number, (path, kind) in enumerate(entries.items()):
        place, name = f"{root}{path}", f"o{number}"
        up = "../" * place.count("/")
        inner = shared.commit({"x.yaml": object_of(name)}) if kind == "submodule" else "1" * 40
        if kind == "submodule":
            modules += f'[submodule "{place}"]\n\tpath = {place}\n\turl = {SHARED}\n'
        contents: dict[str, File] = {
            "manifest": object_of(name),
            "link to a file": ("120000", f"{up}targets/{name}.yaml".encode()),
            "link to a folder": ("120000", f"{up}folders/{name}".encode()),
            "link to nothing": ("120000", f"{up}nothing".encode()),
            "link out": ("120000", b"/etc/passwd"),
            "pointer": POINTER,
            "submodule": ("160000", inner.encode()),
            "lost": ("160000", inner.encode()),
        }
        tree[place] = contents[kind]
        tree[f"targets/{name}.yaml"] = object_of(name)
        tree[f"folders/{name}/x.yaml"] = object_of(name)
    return tree | ({".gitmodules": modules} if modules else {})


def verdict(tool: str, path: str, kind: str) -> str:
    """What has to become of an entry: rendered, refused, or left out by a documented rule."""
    if kind in ("submodule", "lost"):
        return "rendered" if kind == "submodule" else "refused"
    if not path.endswith(EXTENSIONS[tool]):
        return "left out"
    if kind in ("manifest", "link to a file"):
        return "rendered"
    if kind == "link to a folder":
        return {"directory": "left out", "flux": "refused", "chart": "rendered"}[tool]
    if kind == "link to nothing" and tool == "directory":
        return "left out"
    return "refused"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, tool=st.sampled_from(sorted(SPECS)))
def test_every_entry_is_rendered_refused_or_left_out_by_a_rule(pool: Sandbox, entries: dict[str, str], tool: str):
    repo = RenderWorld(pool)
    root = "m/templates/" if tool == "chart" else "m/"
    tree = laid_out(repo, entries, root)
    if tool == "chart":
        tree["m/Chart.yaml"] = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
    else:
        tree["m/own.yaml"] = config_map("own")
    verdicts = {path: verdict(tool, path, kind) for path, kind in entries.items()}
    expected = {f"o{number}" for number, path in enumerate(entries) if verdicts[path] == "rendered"}

    try:
        found = {item["metadata"]["name"] for item in repo.objects(tree, "m", SPECS[tool])} - {"own"}
    except GitOpsError:
        assert "refused" in verdicts.values()
    else:
        assert "refused" not in verdicts.values()
        assert found == expected
