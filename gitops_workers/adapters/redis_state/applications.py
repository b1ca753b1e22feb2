"""Applications as the catalogue last gave them, and the documents the pipeline keeps about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from gitops_workers import redis_keys as keys
from gitops_workers.adapters.redis_state.sealed import Seal
from gitops_workers.cipher import Cipher
from gitops_workers.core.documents.kind import WHOLE, Documents, Kind
from gitops_workers.core.documents.kinds import REFRESH_DONE
from gitops_workers.core.model import AppId, Application
from gitops_workers.redis_client import RedisClient
from gitops_workers.stored_documents import DocumentReader

T = TypeVar("T")
_CODEC = TypeAdapter(Application)


class Applications:
    """The part of the port about applications.

    They are encrypted, for users write passwords into Helm parameters.
    """

    def __init__(self, client: RedisClient, cipher: Cipher) -> None:
        """`client` is shared with the other parts."""
        self._client = client
        self._cipher = cipher

    def ids(self) -> Sequence[AppId]:
        """All ids, sorted."""
        return sorted(app.decode() for app in self._client.hkeys(keys.APPLICATIONS))

    def load(self, apps: Sequence[AppId]) -> Mapping[AppId, Application]:
        """Those that exist and can be read."""
        if not apps:
            return {}
        found = {}
        for app, stored in zip(apps, self._client.hmget(keys.APPLICATIONS, apps), strict=True):
            application = self._read(app, stored)
            if application is not None:
                found[app] = application
        return found

    def save(self, apps: Sequence[Application]) -> None:
        """Add or replace."""
        if apps:
            sealed: dict[str | bytes, bytes | float | str] = {
                app.id: self._cipher.close(_place(app.id), _CODEC.dump_json(app, exclude_defaults=True)) for app in apps
            }
            self._client.hset(keys.APPLICATIONS, mapping=sealed)

    def discard(self, app: AppId) -> None:
        """Remove one."""
        self._client.hdel(keys.APPLICATIONS, app)

    def _read(self, app: AppId, stored: bytes | None) -> Application | None:
        content = self._cipher.open(_place(app), stored) if stored else None
        if content is None:
            return None
        try:
            return _CODEC.validate_json(content)
        except ValidationError:
            # Written by another version of this program; the next catalogue refresh writes it anew.
            return None


class StoredDocuments:
    """The part of the port about documents."""

    def __init__(self, client: RedisClient, seal: Seal) -> None:
        """Both are shared with the other parts."""
        self._client = client
        self._seal = seal
        self._reader = DocumentReader(lambda: self.discard(REFRESH_DONE, WHOLE))

    def load(self, kind: Kind[T], wanted: Sequence[str]) -> Mapping[str, T]:
        """Those that exist."""
        if not wanted:
            return {}
        stored = self._client.hmget(keys.documents(kind.name), [kind.place(key) for key in wanted])
        found = {key: self._read(kind, key, item) for key, item in zip(wanted, stored, strict=True) if item}
        return {key: value for key, value in found.items() if value is not None}

    def save(self, kind: Kind[T], values: Mapping[str, T]) -> None:
        """Replace them."""
        if not values:
            return
        sealed: dict[str | bytes, bytes | float | str] = {
            kind.place(key): self._sealed(kind, key, value) for key, value in values.items()
        }
        with self._client.pipeline(transaction=False) as pipe:
            pipe.sadd(keys.DOCUMENT_KINDS, kind.name)
            pipe.hset(keys.documents(kind.name), mapping=sealed)
            pipe.execute()

    def discard(self, kind: Kind[Any], key: str) -> None:
        """Remove one."""
        self._client.hdel(keys.documents(kind.name), kind.place(key))

    def load_of(self, key: str, kinds: Sequence[Kind[Any]], shared: Sequence[Kind[Any]] = ()) -> Documents:
        """The key's documents of these kinds, and the installation's of the shared ones."""
        wanted = (*kinds, *shared)
        with self._client.pipeline(transaction=False) as pipe:
            for kind in wanted:
                pipe.hget(keys.documents(kind.name), kind.place(key))
            stored = pipe.execute()
        return Documents({kind: self._read(kind, key, item) for kind, item in zip(wanted, stored, strict=True) if item})

    def save_of(self, key: str, documents: Mapping[Kind[Any], Any | None]) -> None:
        """Replace the key's documents of these kinds; None removes one."""
        if not documents:
            return
        with self._client.pipeline(transaction=False) as pipe:
            pipe.sadd(keys.DOCUMENT_KINDS, *(kind.name for kind in documents))
            for kind, value in documents.items():
                if value is None:
                    pipe.hdel(keys.documents(kind.name), kind.place(key))
                else:
                    pipe.hset(keys.documents(kind.name), kind.place(key), self._sealed(kind, key, value))
            pipe.execute()

    def sealed(self, key: str, documents: Mapping[Kind[Any], Any | None]) -> Mapping[str, bytes]:
        """The key's documents by kind as they are stored; empty bytes remove one."""
        return {
            kind.name: b"" if value is None else self._sealed(kind, key, value) for kind, value in documents.items()
        }

    def discard_all(self, key: str) -> None:
        """Remove the key's document of every kind."""
        kinds = self._client.smembers(keys.DOCUMENT_KINDS)
        with self._client.pipeline(transaction=False) as pipe:
            for kind in kinds:
                pipe.hdel(keys.documents(kind.decode()), key)
            pipe.execute()

    def _read(self, kind: Kind[T], key: str, item: bytes) -> T | None:
        place = kind.place(key)
        return self._reader.read(kind, place, self._seal.open_json(f"{kind.name}/{place}", item))

    def _sealed(self, kind: Kind[T], key: str, value: T) -> bytes:
        return self._seal.close_json(f"{kind.name}/{kind.place(key)}", kind.dumps(value))


def _place(app: AppId) -> str:
    return f"application {app}"
