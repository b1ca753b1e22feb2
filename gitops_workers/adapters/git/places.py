"""Where the repositories of sources lie on this host, and whose credential each request carries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gitops_workers.adapters.git.address import Address, parse_address, rewrite
from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.mirror import Mirror
from gitops_workers.adapters.git.place import Place
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.transport import Transport
from gitops_workers.core.errors import UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.objects import digest
from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.source.urls import without_credentials

Lookup = Callable[[SourceSpec], Credential | None]
"""The credential of a source at this moment; None when it has none. Asked before every request, never stored."""

_PLACES = 4_096


class Places:
    """The places of one process. Safe for threads."""

    def __init__(
        self, directory: Path, settings: GitSettings, git: GitProgram, transport: Transport, lookup: Lookup
    ) -> None:
        """`directory` holds this host's mirrors."""
        self._directory = directory
        self._settings = settings
        self._git = git
        self._transport = transport
        self._lookup = lookup
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str, str], Place] = OrderedDict()

    def place(self, source: SourceSpec) -> Place:
        """Where the source's repository lies; sources with different credentials share none."""
        identity = (source.url, repr(source.credential))
        with self._lock:
            if (place := self._places.get(identity)) is not None:
                return place
        address = self._address(source.url)
        key = digest(address.url, *address.userinfo, repr(source.credential))
        place = self._new_place(key, address)
        with self._lock:
            self._places.setdefault(identity, place)
            place = self._places[identity]
            if len(self._places) > _PLACES:
                self._places.popitem(last=False)
        return place

    def module(self, place: Place, url: str) -> Place:
        """Where a submodule lies: beside its source, for no other source to read."""
        address = self._address(url)
        key = digest("submodule", place.key, address.url, *address.userinfo)
        return self._new_place(key, address)

    def _new_place(self, key: str, address: Address) -> Place:
        mirror = Mirror(self._git, self._transport, self._directory / f"{key}.git")
        history = Mirror(self._git, self._transport, self._directory / f"{key}.history.git")
        return Place(key, address, mirror, history)

    def _address(self, url: str) -> Address:
        rewritten, trusted = rewrite(url, self._settings.mirrors)
        if not trusted:
            return parse_address(url, self._settings.schemes)
        named = without_credentials(url)
        try:
            return replace(parse_address(rewritten, self._settings.schemes, trusted=True), named=named)
        except UnsafeContent as error:
            raise UnsafeContent(f"{named}: its mirror of GITOPS_GIT_MIRRORS cannot be used: {error}") from None

    def submodule_credential(self, source: SourceSpec, place: Place, url: str, address: Address) -> Credential:
        """By the submodule's URL where credentials are declared so; else the parent's, on the parent's own server only.

        A Secret that a source names goes to the server of that source and to no other (Flux gives it to all of them).
        """
        rewritten, _ = rewrite(url, self._settings.mirrors)
        found = None if source.credential is not None else self._lookup(SourceSpec(rewritten))
        if found is not None:
            return found
        if address.server == place.address.server:
            return self.credential(source, place)
        return Credential(*address.userinfo)

    def credential(self, source: SourceSpec, place: Place) -> Credential:
        """The credential of the source as it is declared now."""
        # For the URL that is really asked: a credential for github.com is none of a mirror's business.
        rewritten, trusted = rewrite(source.url, self._settings.mirrors)
        asked = SourceSpec(rewritten, source.revision, source.path, source.credential) if trusted else source
        found = self._lookup(asked)
        return found if found is not None else Credential(*place.address.userinfo)
