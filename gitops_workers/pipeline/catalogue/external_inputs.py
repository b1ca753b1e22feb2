"""What a catalogue means besides what stands in it: ConfigMaps in paths, tokens in webhook addresses.

They change without any file of the catalogue changing (a rotated token is a new address), so what they are now is part
of what a refresh compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import EXTERNAL_INPUTS
from gitops_workers.core.documents.polls import ExternalInputs
from gitops_workers.core.objects import digest
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.source.receiver_address import PREFIX, hook_hash
from gitops_workers.dialects.receivers import Receiver
from gitops_workers.pipeline.context import Context


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads for the parser, and keeps what was asked for."""

    context: Context
    refs: set[SecretRef] = field(default_factory=set)

    def __call__(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """As `Secrets.read`."""
        self.refs.add(ref)
        return self.context.secrets.read(ref)


def address(context: Context, secret: SecretRef, name: str, namespace: str) -> str:
    """The path of a Receiver by its token as it is now; "" when there is none."""
    token = (context.secrets.read(secret) or {}).get("token", b"")
    return PREFIX + hook_hash(token, name, namespace) if token else ""


def remember(context: Context, reads: Reads, receivers: Iterable[Receiver]) -> None:
    """Which things `fingerprint` looks at."""
    maps = sorted((ref.namespace, ref.name) for ref in reads.refs if ref.kind == "ConfigMap")
    hooks = ((item.secret.namespace, item.secret.name, item.name, item.namespace) for item in receivers)
    context.state.save(EXTERNAL_INPUTS, WHOLE, ExternalInputs(tuple(maps), tuple(hooks)))


def fingerprint(context: Context) -> str:
    """Changes when one of them does. Of a token only the address that it makes counts, which is known anyway."""
    known = context.state.load(EXTERNAL_INPUTS, WHOLE) or ExternalInputs()
    parts = []
    for namespace, name in known.maps:
        data = context.secrets.read(SecretRef("ConfigMap", namespace, name)) or {}
        parts += [f"{key}={value.hex()}" for key, value in sorted(data.items())]
    for namespace, secret, name, place in known.hooks:
        parts.append(address(context, SecretRef("Secret", namespace, secret), name, place))
    return digest(*parts)
