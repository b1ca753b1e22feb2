"""A directory of Secrets: both layouts, the catalogue's ConfigMaps, and nothing outside."""

import pytest

from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.core.errors import Retry, SourceUnavailable
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects.configs import ConfigObject
from tests.unit.dialects.manifests import load

LOGIN = SecretRef("Secret", "flux-system", "login")
MANIFEST = """
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: flux-system}
stringData: {token: first}
"""


@pytest.fixture
def secrets(tmp_path):
    return SecretFiles(tmp_path, load)


def test_manifests_anywhere_in_the_directory(tmp_path, secrets):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "all.yaml").write_text(MANIFEST + "---\napiVersion: apps/v1\nkind: Deployment\n")

    assert secrets.read(LOGIN) == {"token": b"first"}
    assert secrets.read(SecretRef("ConfigMap", "flux-system", "login")) is None
    assert secrets.read(SecretRef("Secret", "other", "login")) is None
    assert [item.title for item in secrets.objects()] == ["Secret flux-system/login"]


def test_a_rotated_secret_needs_no_restart(tmp_path, secrets):
    path = tmp_path / "a.yaml"
    path.write_text(MANIFEST)
    assert secrets.read(LOGIN) == {"token": b"first"}
    path.write_text(MANIFEST.replace("first", "second one"))

    assert secrets.read(LOGIN) == {"token": b"second one"}
    path.unlink()
    assert secrets.read(LOGIN) is None


def test_files_by_namespace_name_and_key_win_and_are_read_every_time(tmp_path, secrets):
    (tmp_path / "a.yaml").write_text(MANIFEST)
    folder = tmp_path / "flux-system" / "login"
    folder.mkdir(parents=True)
    (folder / "token").write_bytes(b"\x00raw")
    (folder / "values.yaml").write_text("{not: [yaml")

    assert secrets.read(LOGIN) == {"token": b"\x00raw", "values.yaml": b"{not: [yaml"}
    (folder / "token").write_bytes(b"new")
    assert secrets.read(LOGIN)["token"] == b"new"


def test_a_mounted_secret_is_read_through_its_links(tmp_path, secrets):
    folder = tmp_path / "flux-system" / "login"
    (folder / "..v1").mkdir(parents=True)
    (folder / "..v1" / "token").write_text("t")
    (folder / "..data").symlink_to("..v1")
    (folder / "token").symlink_to("..data/token")

    assert secrets.read(LOGIN) == {"token": b"t"}


def test_nothing_outside_the_directory_is_read(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "token").write_text("canary")
    (outside / "x.yaml").write_text(MANIFEST)
    root = tmp_path / "root"
    (root / "flux-system").mkdir(parents=True)
    (root / "flux-system" / "login").symlink_to(outside)
    (root / "x.yaml").symlink_to(outside / "x.yaml")
    inside = root / "flux-system" / "other"
    inside.mkdir()
    (inside / "token").symlink_to(outside / "token")
    secrets = SecretFiles(root, load)

    assert secrets.read(LOGIN) is None
    assert secrets.read(SecretRef("Secret", "flux-system", "other")) == {}


@pytest.mark.parametrize(("namespace", "name"), [("..", "outside"), ("flux-system", "../x"), ("", "x"), ("a", "")])
def test_names_that_are_no_names_lead_nowhere(secrets, namespace, name):
    assert secrets.read(SecretRef("Secret", namespace, name)) is None


def test_a_missing_mount_is_no_missing_secret(tmp_path):
    secrets = SecretFiles(tmp_path / "nowhere", load)

    with pytest.raises(SourceUnavailable):
        secrets.read(LOGIN)
    with pytest.raises(SourceUnavailable):
        secrets.objects()


def test_config_maps_are_found_in_the_catalogue_too_and_secrets_are_not(tmp_path):
    catalogue = [
        ConfigObject("ConfigMap", "flux-system", "vars", {"a": b"catalogue"}),
        ConfigObject("ConfigMap", "", "plain", {"a": b"plain"}),
        ConfigObject("Secret", "flux-system", "login", {"a": b"x"}),
    ]
    secrets = SecretFiles(tmp_path, load, lambda: catalogue)
    vars_ref = SecretRef("ConfigMap", "flux-system", "vars")

    assert secrets.read(vars_ref) == {"a": b"catalogue"}
    assert secrets.read(SecretRef("ConfigMap", "flux-system", "plain")) == {"a": b"plain"}
    assert secrets.read(SecretRef("ConfigMap", "team", "plain")) is None
    assert secrets.read(LOGIN) is None
    (tmp_path / "vars.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux-system}\ndata: {a: directory}\n"
    )
    assert secrets.read(vars_ref) == {"a": b"directory"}
    assert SecretFiles(None, load, lambda: catalogue).read(vars_ref) == {"a": b"catalogue"}


BROKEN = {
    "no YAML": "kind: [",
    "a value that is none": MANIFEST.replace("stringData", "data").replace("first", "canary!"),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_was_never_readable_is_unknown_and_not_absent(tmp_path, secrets, capsys, text):
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "good.yaml").write_text(MANIFEST.replace("name: login", "name: other"))

    assert secrets.read(SecretRef("Secret", "flux-system", "other")) == {"token": b"first"}
    with pytest.raises(SourceUnavailable, match=r"Secret flux-system/login may stand in bad\.yaml") as caught:
        secrets.read(LOGIN)
    (tmp_path / "bad.yaml").write_text(f"# another try\n{text}")
    with pytest.raises(SourceUnavailable, match=r"may stand in bad\.yaml"):
        secrets.read(LOGIN)
    assert "canary" not in f"{caught.value}{capsys.readouterr()}"
    (tmp_path / "bad.yaml").write_text(MANIFEST)
    assert secrets.read(LOGIN) == {"token": b"first"}
    assert secrets.read(SecretRef("Secret", "flux-system", "none")) is None


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_somebody_breaks_says_what_it_said(tmp_path, secrets, capsys, text):
    path = tmp_path / "a.yaml"
    path.write_text(MANIFEST)
    assert secrets.read(LOGIN) == {"token": b"first"}
    path.write_text(text)

    assert secrets.read(LOGIN) == {"token": b"first"}
    assert secrets.read(SecretRef("Secret", "flux-system", "none")) is None
    assert capsys.readouterr().out.count("secrets_file_broken") == 1, "told once, when it changed"
    path.write_text("")
    assert secrets.read(LOGIN) is None, "taken out is not broken"


def test_a_loader_that_is_busy_changes_nothing(tmp_path):
    busy = False

    def loader(data, name):
        if busy:
            raise Retry("no child is free")
        return load(data, name)

    secrets = SecretFiles(tmp_path, loader)
    path = tmp_path / "a.yaml"
    path.write_text(MANIFEST)
    assert secrets.read(LOGIN) == {"token": b"first"}
    busy = True
    path.write_text(MANIFEST.replace("first", "second one"))
    with pytest.raises(Retry, match="no child"):
        secrets.read(LOGIN)
    busy = False
    assert secrets.read(LOGIN) == {"token": b"second one"}
