"""A Git repository as catalogue."""

import itertools

import pytest

from gitops_workers.adapters.catalogues import Readers, parse
from gitops_workers.adapters.catalogues.git import Repository
from gitops_workers.core.errors import GitOpsError, InvalidManifest, SourceUnavailable
from gitops_workers.core.model import RevisionKind, RevisionSpec
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources
from tests.unit.dialects.manifests import load

URL = "https://git.example.com/team/fleet.git"


@pytest.fixture
def repository():
    return VolatileRepository()


def catalogue(repository, place="#main:clusters"):
    ticks = itertools.count(1.0)
    clock = ticks.__next__
    sources = VolatileSources(clock)
    sources.repositories[URL] = repository
    return parse(f"git+{URL}{place}").open(Readers(load, sources, clock))


@pytest.mark.parametrize(
    ("text", "url", "revision", "path"),
    [
        (f"git+{URL}#main:clusters/prod", URL, "main", "clusters/prod"),
        (f"git+{URL}#v1.*", URL, "v1.*", "."),
        (f"git+{URL}", URL, "", "."),
        (f"git+{URL}#:apps", URL, "", "apps"),
        ("git+git@git.example.com:team/fleet#main:x", "git@git.example.com:team/fleet", "main", "x"),
        ("git+file:///srv/fleet#main", "file:///srv/fleet", "main", "."),
    ],
)
def test_a_location_names_url_ref_and_path(text, url, revision, path):
    source = Repository.parse(text).source

    assert (source.url, source.revision, source.path) == (url, RevisionSpec(RevisionKind.ARGOCD, revision), path)


@pytest.mark.parametrize(
    "text", ["git+", "https://x/y", f"git+{URL}#main:../up", "git+ext::sh#x", "git+https://u:canary@/#x"]
)
def test_what_is_no_location_is_refused_without_its_password(text):
    with pytest.raises(InvalidManifest) as caught:
        Repository.parse(text)

    assert "canary" not in str(caught.value)


def test_the_files_of_the_folder_at_the_revision(repository):
    repository.commit(
        {
            "clusters/b.yaml": b"kind: B\n",
            "clusters/deep/a.yaml": b"kind: A\n---\nkind: AA\n",
            "clusters/bad.yaml": b"a: [",
            "clusters/note.md": b"kind: no",
            "clusters/.hidden.yaml": b"kind: no",
            "clusters/away": ("120000", b"../other"),
            "clusters/inside": ("120000", b"deep"),
            "clusters/link.yaml": ("120000", b"b.yaml"),
            "clusters/LICENCE": ("120000", b"note.md"),
            "clusters/nowhere": ("120000", b"gone"),
            "clusters/out": ("120000", b"../../etc"),
            "clusters/module": ("160000", b"1" * 40),
            "other/c.yaml": b"kind: no",
        }
    )

    found = catalogue(repository).contents()
    documents, problems = found.documents, found.problems

    assert [(document.file, document.kind) for document in documents] == [
        ("clusters/b.yaml", "B"),
        ("clusters/deep/a.yaml", "A"),
        ("clusters/deep/a.yaml", "AA"),
    ]
    assert [problem.file for problem in problems] == [
        "clusters/bad.yaml",
        *(f"clusters/{name}" for name in ("away", "link.yaml", "module", "nowhere", "out")),
    ]


def test_a_folder_that_became_a_link_is_not_an_empty_one(repository):
    repository.commit({"clusters": ("120000", b"other"), "other/c.yaml": b"kind: C"})

    with pytest.raises(SourceUnavailable, match="no folder"):
        catalogue(repository).contents()


def test_the_token_changes_only_with_the_folder(repository):
    place = catalogue(repository)
    repository.commit({"clusters/a.yaml": b"kind: A\n"})
    first = place.token()
    repository.commit({"clusters/a.yaml": b"kind: A\n", "other.txt": b"x"})
    assert place.token() == first
    repository.commit({"clusters/a.yaml": b"kind: B\n"})

    assert place.token() != first
    assert [document.kind for document in place.contents().documents] == ["B"]


@pytest.mark.parametrize("place", ["#main:nowhere", "#gone:clusters"])
def test_a_folder_or_revision_that_is_not_there_is_unknown_and_not_empty(repository, place):
    repository.commit({"clusters/a.yaml": b"kind: A\n"})

    with pytest.raises(GitOpsError):
        catalogue(repository, place).contents()
    with pytest.raises(GitOpsError):
        catalogue(repository, place).token()


def test_a_silent_server_is_unknown(repository):
    repository.commit({"clusters/a.yaml": b"kind: A\n"})
    repository.down = "no route"

    with pytest.raises(SourceUnavailable):
        catalogue(repository).token()


@pytest.mark.parametrize("revision", ["", "HEAD", "main", "refs/heads/main", "v1", "v*"])
def test_every_form_of_revision_is_resolved(repository, revision):
    repository.tag("v1", repository.commit({"clusters/a.yaml": b"kind: A\n"}))

    assert [document.kind for document in catalogue(repository, f"#{revision}:clusters").contents().documents] == ["A"]
