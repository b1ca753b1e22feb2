"""T09: no expression of a manifest makes an evaluator use time or memory without bound (CVE-2022-36055, 23524)."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render.render_spec import HelmOptions, HelmParameter, RenderSpec
from gitops_workers.core.text.gitignore import Ignore
from gitops_workers.core.text.globs import matches_directory, matches_path
from tests.servers.rendering import RenderWorld

CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "templates/a.yaml": ""}


@pytest.mark.parametrize("name", ["a[1000000000]", "a[1025]", "a[0][99999]", "a[" + "9" * 100 + "]"])
def test_a_list_index_of_a_parameter_is_bounded(repo: RenderWorld, name):
    with pytest.raises(UnsafeContent, match="over 1024"):
        repo.objects(CHART, ".", RenderSpec(helm=HelmOptions(parameters=(HelmParameter(name, "1"),))))


@pytest.mark.parametrize("name", ["a[-1]", "a[x]"])
def test_a_parameter_name_that_is_none_is_refused_by_helm(repo: RenderWorld, name):
    with pytest.raises(RenderFailed, match="helm template"):
        repo.objects(CHART, ".", RenderSpec(helm=HelmOptions(parameters=(HelmParameter(name, "1"),))))


@pytest.mark.parametrize("name", ["a" + ".b" * 20, "a" + "[1]" * 50, "a[1024]", "--post-renderer"])
def test_a_strange_parameter_name_is_only_a_name(repo: RenderWorld, name):
    assert repo.objects(CHART, ".", RenderSpec(helm=HelmOptions(parameters=(HelmParameter(name, "1"),)))) == []


@pytest.mark.parametrize("name", ["--post-renderer=/bin/sh", "-f/etc/passwd", "--debug"])
def test_a_release_name_is_never_an_option(repo: RenderWorld, name):
    with pytest.raises(RenderFailed, match="release name"):
        repo.objects(CHART, ".", RenderSpec(helm=HelmOptions(release_name=name)))


HOSTILE = "*a" * 100 + "b"


def test_globs_of_many_stars_end():
    assert not matches_directory(HOSTILE, "a" * 200)
    assert not matches_path(HOSTILE, "a" * 200)
    assert not matches_path("**/" * 100 + "b", "a/" * 100 + "a")


@pytest.mark.parametrize("pattern", ["{a,b}" * 20, "x" * 2000])
def test_globs_that_stand_for_too_much_are_refused(pattern):
    with pytest.raises(RenderFailed, match="glob"):
        matches_directory(pattern, "a")


def test_ten_thousand_ignore_rules_end():
    ignore = Ignore([("", f"{HOSTILE}\n" * 10_000)], None)

    assert not ignore.hides("a" * 100)
