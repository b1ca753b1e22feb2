"""A directory as catalogue: complete, cheap to look at, and unknown rather than empty when it cannot be read."""

import os

import pytest

from gitops_workers.adapters.catalogues.files import LARGEST_FILE, FileCatalogue
from gitops_workers.core.errors import SourceUnavailable
from tests.unit.dialects.manifests import load

APP = "kind: {}\n"


class Counting:
    """A loader that remembers what it was asked for."""

    def __init__(self):
        self.names = []

    def __call__(self, data, name):
        self.names.append(name)
        return load(data, name)


@pytest.fixture
def loader():
    return Counting()


@pytest.fixture
def catalogue(tmp_path, loader):
    (tmp_path / "catalogue").mkdir()
    return FileCatalogue(tmp_path / "catalogue", loader)


@pytest.fixture
def root(tmp_path, catalogue):
    return tmp_path / "catalogue"


def kinds(catalogue):
    return [(document.file, document.kind) for document in catalogue.contents().documents]


def test_all_files_and_documents_in_order_of_names(root, catalogue):
    (root / "b").mkdir()
    (root / "b" / "two.yml").write_text("kind: X\n---\nkind: Z\n")
    (root / "a.yaml").write_text("kind: A\n")
    (root / "c.json").write_text('{"kind": "C"}')
    (root / "readme.md").write_text("kind: no")
    (root / ".hidden.yaml").write_text("kind: no")
    (root / ".git").mkdir()
    (root / ".git" / "x.yaml").write_text("kind: no")

    assert kinds(catalogue) == [("a.yaml", "A"), ("b/two.yml", "X"), ("b/two.yml", "Z"), ("c.json", "C")]


def test_a_broken_file_is_its_own_problem_only(root, catalogue):
    (root / "a.yaml").write_text("kind: A\n")
    (root / "bad.yaml").write_text("kind: A\n  b: [\n")

    found = catalogue.contents()
    documents, (problem,) = found.documents, found.problems

    assert [document.file for document in documents] == ["a.yaml"]
    assert (problem.file, problem.known) == ("bad.yaml", False)
    assert problem.line > 0


def test_an_oversized_file_is_its_own_problem_and_is_not_read(root, catalogue, loader):
    with (root / "big.yaml").open("wb") as stream:
        stream.truncate(LARGEST_FILE + 1)

    found = catalogue.contents()
    documents, (problem,) = found.documents, found.problems

    assert (documents, problem.file, loader.names) == ([], "big.yaml", [])


def test_the_token_changes_with_every_kind_of_change_and_reads_nothing(root, catalogue, loader):
    seen = [catalogue.token()]
    (root / "a.yaml").write_text("kind: A\n")
    seen.append(catalogue.token())
    (root / "a.yaml").write_text("kind: AA\n")
    seen.append(catalogue.token())
    os.utime(root / "a.yaml", ns=(1, 1))
    seen.append(catalogue.token())
    (root / "a.yaml").rename(root / "b.yaml")
    seen.append(catalogue.token())
    (root / "b.yaml").unlink()

    assert len(set(seen)) == 5
    assert catalogue.token() == seen[0]
    assert catalogue.token() == catalogue.token()
    assert loader.names == []


def test_only_changed_files_are_read_again(root, catalogue, loader):
    (root / "a.yaml").write_text("kind: A\n")
    (root / "b.yaml").write_text("kind: B\n")
    catalogue.contents()
    (root / "b.yaml").write_text("kind: New\n")

    assert kinds(catalogue) == [("a.yaml", "A"), ("b.yaml", "New")]
    assert loader.names == ["a.yaml", "b.yaml", "b.yaml"]


def test_a_missing_directory_is_unknown_and_not_empty(tmp_path):
    catalogue = FileCatalogue(tmp_path / "nowhere", load)

    with pytest.raises(SourceUnavailable, match="nowhere"):
        catalogue.token()
    with pytest.raises(SourceUnavailable, match="nowhere"):
        catalogue.contents()


def test_a_file_in_place_of_the_directory_is_unknown(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SourceUnavailable):
        FileCatalogue(tmp_path / "file", load).token()


def test_links_out_of_the_catalogue_are_not_followed(root, catalogue, tmp_path):
    (tmp_path / "catalogue-evil").mkdir()
    (tmp_path / "catalogue-evil" / "x.yaml").write_text("kind: Evil\n")
    (root / "x.yaml").symlink_to(tmp_path / "catalogue-evil" / "x.yaml")
    (root / "folder").symlink_to(tmp_path / "catalogue-evil")
    (root / "gone.yaml").symlink_to("nothing")
    (root / "loop").symlink_to(".")
    (root / "ok.yaml").write_text("kind: A\n")

    assert kinds(catalogue) == [("ok.yaml", "A")]
    assert sorted(problem.file for problem in catalogue.contents().problems) == ["folder", "gone.yaml", "x.yaml"]


def test_a_mounted_config_map_is_read_and_its_update_seen(root, catalogue):
    (root / "..v1").mkdir()
    (root / "..v1" / "app.yaml").write_text("kind: A\n")
    (root / "..v2").mkdir()
    (root / "..v2" / "app.yaml").write_text("kind: B\n")
    (root / "..data").symlink_to("..v1")
    (root / "app.yaml").symlink_to("..data/app.yaml")
    before = catalogue.token()
    assert kinds(catalogue) == [("app.yaml", "A")]

    (root / "..tmp").symlink_to("..v2")
    (root / "..tmp").rename(root / "..data")

    assert catalogue.token() != before
    assert kinds(catalogue) == [("app.yaml", "B")]
