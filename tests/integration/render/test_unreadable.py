"""What stands in the tree and cannot be read makes the render fail: it never makes the result smaller."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.adapters.git.trees import parse_tree
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import (
    DirectoryOptions,
    HelmOptions,
    KustomizeMerge,
    KustomizeOptions,
    RenderSpec,
    Tool,
)
from tests.servers.rendering import RenderWorld, config_map

SUBMODULE = ("160000", b"1" * 40)
POINTER = ("100644", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1" * 64 + b"\nsize 9\n")
CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "templates/a.yaml": config_map("a")}
LATE = HelmOptions(value_files=("envs/$KUBE_VERSION/*.yaml",), ignore_missing_value_files=True)
FLUX = RenderSpec(Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))
RECURSE = RenderSpec(directory=DirectoryOptions(recurse=True))
DEPENDENT = CHART["Chart.yaml"] + "dependencies: [{name: s, version: 0.1.0, repository: 'file://../s'}]\n"


def below(folder, files):
    return {f"{folder}/{path}": content for path, content in files.items()}


UNREADABLE = {
    "a submodule in a directory": ({"m/a.yaml": config_map("a"), "m/s": SUBMODULE}, RECURSE),
    "a submodule as the path": ({"m": SUBMODULE, "a.yaml": config_map("a")}, RECURSE),
    "a submodule in a chart": (below("m", CHART | {"charts/s": SUBMODULE}), RenderSpec()),
    "a submodule in a chart whose value files are known late": (
        below("m", CHART | {"charts/s": SUBMODULE}),
        RenderSpec(helm=LATE),
    ),
    "a submodule in a chart beside it": (
        below("m", CHART | {"Chart.yaml": DEPENDENT}) | below("s", CHART | {"templates/s": SUBMODULE}),
        RenderSpec(),
    ),
    "a submodule in a kustomization": (
        {"m/kustomization.yaml": "resources: [s]\n", "m/s": SUBMODULE},
        RenderSpec(),
    ),
    "a submodule beside plug-in configuration": (
        {
            "m/kustomization.yaml": "resources: [s]\ntransformers: [t.yaml]\n",
            "m/s": SUBMODULE,
            "m/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\n",
        },
        RenderSpec(),
    ),
    "a submodule in a Flux folder": ({"m/a.yaml": config_map("a"), "m/s": SUBMODULE}, FLUX),
    "a value file that is a link to nothing": (
        below("m", CHART) | {"m/envs/1.37.2/v.yaml": ("120000", b"gone.yaml")},
        RenderSpec(helm=LATE),
    ),
    "a pointer to large file storage": ({"m/a.yaml": config_map("a"), "m/b.yaml": POINTER}, RenderSpec()),
    "a pointer to large file storage in a chart": (below("m", CHART | {"crds/b.yaml": POINTER}), RenderSpec()),
    "a pointer to large file storage in a Flux folder": ({"m/a.yaml": config_map("a"), "m/b.yaml": POINTER}, FLUX),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_fails_the_render(repo: RenderWorld, case):
    files, spec = UNREADABLE[case]

    with pytest.raises(RenderFailed, match=r"submodule|LFS|link"):
        repo.objects(files, "m", spec)


def test_what_the_application_does_not_read_may_be_unreadable(repo: RenderWorld):
    others: dict[str, Any] = {"x/s": SUBMODULE, "x/l.yaml": POINTER, "m/sub/s": SUBMODULE, "m/notes.txt": POINTER}

    assert len(repo.objects({"m/a.yaml": config_map("a"), **others}, "m")) == 1


def test_an_entry_of_an_unknown_mode_is_no_less():
    with pytest.raises(RenderFailed, match=r"d/a has the mode 100000"):
        parse_tree(b"100000 blob " + b"1" * 40 + b"\ta\0", "d")
