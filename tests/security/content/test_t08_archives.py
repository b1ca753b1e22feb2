"""T08: a vendored archive that unpacks to far more than it is ends at helm's limit, without filling memory or disk."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from gitops_workers.core.errors import RenderFailed
from tests.servers.rendering import RenderWorld, config_map


def bomb(unpacked: int) -> bytes:
    data = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=data, mode="wb", compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for number in range(unpacked >> 22):
            info = tarfile.TarInfo(f"s/files/{number}")
            info.size = 1 << 22
            tar.addfile(info, io.BytesIO(bytes(1 << 22)))
    return data.getvalue()


def test_an_archive_bomb_is_a_typed_error(repo: RenderWorld):
    tree = {"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "c/charts/s-0.1.0.tgz": bomb(256 << 20)}

    with pytest.raises(RenderFailed, match="archives hold more than"):
        repo.objects(tree, "c")

    assert repo.objects({"good.yaml": config_map("a")})
