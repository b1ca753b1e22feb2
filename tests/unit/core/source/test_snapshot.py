"""The history's snapshot renders the same objects again, is bounded, and holds no credential."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.cipher import Cipher
from gitops_workers.core.documents import codec
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import AppId, Application, RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.record.record import HistoryEntry
from gitops_workers.core.render.render_spec import HelmOptions, SecretRef
from gitops_workers.core.source.snapshot import LARGEST_OF_ALL, bounded, is_exact
from gitops_workers.core.source.snapshot import restored as restored_with
from gitops_workers.core.source.snapshot import snapshot as snapshot_with
from tests.security.leaks import found
from tests.unit.core.documents.test_codec import FULL
from tests.unit.core.making import application, noise

COMMIT = "c" * 40
SECRET = SecretRef("Secret", "flux-system", "git")


CIPHER = Cipher(bytes(32))


def snapshot(app: Application, commit: str) -> str:
    return snapshot_with(app, commit, CIPHER.close)


def restored(app: Application, found: HistoryEntry) -> Application:
    return restored_with(app, found, CIPHER.open)


def entry(source: str, number: int = 3) -> HistoryEntry:
    return HistoryEntry(number, COMMIT, "main", source, "d", "ann", "2026-01-01T00:00:00Z", "Succeeded")


def test_an_application_comes_back_as_it_was_deployed_with_the_credential_of_today() -> None:
    source = SourceSpec(
        "https://git.example/shop.git", RevisionSpec(RevisionKind.SEMVER, "1.x"), "deploy", ignore="*.md", timeout=7.0
    )
    then = replace(application(), source=source, render=FULL)
    today = replace(application(), source=SourceSpec("https://git.example/shop.git", credential=SECRET, timeout=9.0))
    back = restored(today, entry(snapshot(then, COMMIT)))
    assert back.render == FULL
    assert back.source == replace(source, credential=SECRET, timeout=9.0)
    assert replace(back, source=today.source, render=today.render) == today


def test_a_credential_in_a_url_is_not_kept_and_that_of_today_serves() -> None:
    then = replace(application(), source=SourceSpec("https://robot:kanarie@git.example/shop.git?token=kanarie"))
    text = snapshot(then, COMMIT)
    assert "kanarie" not in text
    assert restored(then, entry(text)).source.url == then.source.url


def test_no_credential_goes_to_a_repository_that_it_is_not_meant_for() -> None:
    then = replace(application(), source=SourceSpec("https://old.example/shop.git", credential=SECRET))
    today = replace(application(), source=SourceSpec("https://robot:kanarie@git.example/shop.git", credential=SECRET))
    back = restored(today, entry(snapshot(then, COMMIT)))
    assert (back.source.url, back.source.credential) == ("https://old.example/shop.git", None)


def test_what_is_too_large_is_kept_as_url_path_commit_and_namespace() -> None:
    huge = replace(application(), render=replace(FULL, helm=HelmOptions(values=noise(70_000))))
    text = snapshot(huge, COMMIT)
    kept = {"url": huge.source.url, "path": huge.source.path, "revision": COMMIT, "namespace": "shop"}
    assert json.loads(text) == kept
    assert not is_exact(text)
    today = application()
    assert restored(today, entry(text)) == today


def test_no_parameter_can_be_read_in_it() -> None:
    then = replace(application(), render=replace(FULL, helm=HelmOptions(values="password: kanarie-0815")))
    text = snapshot(then, COMMIT)
    assert not found(["kanarie"], text.encode())
    assert restored(application(), entry(text)).render == then.render


@pytest.mark.parametrize(
    "back",
    [
        lambda app, text: restored_with(app, entry(text), Cipher(b"another key").open),
        lambda app, text: restored(replace(app, id=AppId("application/argocd/other")), entry(text)),
        lambda app, text: restored(app, entry(text.replace("c" * 40, "d" * 40))),
        lambda app, text: restored(app, entry(text.replace('"sealed":"', '"sealed":"!'))),
    ],
    ids=["another key", "another application", "another commit", "damaged"],
)
def test_what_was_not_sealed_here_for_it_is_refused_and_says_what_to_do(back: Any) -> None:
    with pytest.raises(Refused, match=r"entry 3 .* GITOPS_CACHE_KEY.*--revision"):
        back(application(), snapshot(replace(application(), render=FULL), COMMIT))


def test_an_entry_in_clear_of_the_releases_before_renders_the_same_objects() -> None:
    text = json.dumps({"url": "u", "path": "p", "revision": COMMIT, "render": codec.dump(FULL)})
    assert is_exact(text)
    assert restored(application(), entry(text)).render == FULL


def test_entries_of_the_first_releases_are_rendered_with_the_parameters_of_today() -> None:
    text = '{"url": "https://git.example/shop.git", "path": "web", "revision": "abc"}'
    assert not is_exact(text)
    assert restored(replace(application(), render=FULL), entry(text)).source.path == "web"


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"url": 1, "path": "", "revision": ""}'])
def test_a_source_that_cannot_be_read_is_refused_by_the_number_of_its_entry(text: str) -> None:
    assert not is_exact(text)
    with pytest.raises(Refused, match="entry 3 of the history"):
        restored(application(), entry(text))


def test_the_oldest_entries_lose_their_parameters_first() -> None:
    text = snapshot(replace(application(), render=replace(FULL, helm=HelmOptions(values=noise(60_000)))), COMMIT)
    history = bounded([entry(text, number) for number in range(10)])
    assert [is_exact(item.source) for item in history] == [False] * 6 + [True] * 4
    assert sum(len(item.source) for item in history) < LARGEST_OF_ALL + 10_000
    assert bounded(history) == history


def test_a_source_of_another_kind_at_the_same_url_is_another_source() -> None:
    source = SourceSpec("https://git.example/shop", kind="archive", credential=SECRET)
    kept = snapshot(replace(application(), source=source), "d" * 64)
    back = restored(
        replace(application(), source=SourceSpec("https://git.example/shop", credential=SECRET)), entry(kept)
    )
    assert (back.source.kind, back.source.credential) == ("archive", None)
