"""A Flux Receiver: a webhook address, how its requests prove themselves, and which applications they concern."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Annotated, Any

from gitops_workers.core.model import Dialect
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects.durations import Interval
from gitops_workers.dialects.field_rules import Namespace, is_name, one_of
from gitops_workers.dialects.fields import ManifestModel, ParseContext, Unsupported
from gitops_workers.dialects.flux import INTERVAL, NAMESPACE
from gitops_workers.dialects.flux.sources import LocalReference
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind, References
from gitops_workers.dialects.messages import shown
from gitops_workers.dialects.metadata import Object
from gitops_workers.dialects.receivers import Receiver, ReceiverTarget

TYPES = ("github", "gitlab", "generic", "generic-hmac")
_KNOWN = (*TYPES, "generic-oidc", "bitbucket", "harbor", "nexus", "gcr", "dockerhub", "quay", "acr", "cdevents")


class ResourceShape(ManifestModel):
    """`spec.resources[]`; the name `*` goes with matchLabels."""

    api_version: str = ""
    kind: str
    name: str
    namespace: Namespace = ""
    match_labels: dict[str, str] = {}
    filter: Annotated[Any, Unsupported("filtering requests by CEL")] = None


class ReceiverSpec(ManifestModel):
    """`spec`. The interval is read and not needed: a changed Secret is seen at the next request."""

    type: Annotated[str, one_of(*_KNOWN)]
    events: list[str] = []
    resources: list[ResourceShape]
    secret_ref: LocalReference | None = None
    suspend: bool = False
    interval: Interval = INTERVAL
    resource_filter: Annotated[Any, Unsupported("filtering requests by CEL")] = None
    oidc_providers: Annotated[Any, Unsupported("authentication by OIDC")] = None


class ReceiverShape(Object):
    """The whole manifest (notification.toolkit.fluxcd.io/v1)."""

    spec: ReceiverSpec


def parse(reading: ParseContext, _: References) -> tuple[Receiver, ...]:
    """The receiver; none when the document has an error or its type is for later."""
    shape = reading.shape(ReceiverShape)
    if shape is None:
        return ()
    metadata, spec = shape.metadata, shape.spec
    namespace = metadata.namespace or NAMESPACE
    for index, item in enumerate(spec.resources):
        place = ("spec", "resources", index)
        if item.name == "*" and not item.match_labels:
            reading.error((*place, "matchLabels"), "the field is missing: the name * needs it.")
        elif item.name != "*" and not is_name(item.name):
            reading.error((*place, "name"), f"found {shown(item.name)}, allowed is an object's name or *.")
    if spec.type not in TYPES:
        reading.refuse(("spec", "type"), f"the type {spec.type} is not done by this version: the address stays closed.")
    elif spec.secret_ref is None:
        reading.error(("spec", "secretRef"), "the field is missing: name a Secret with the key token.")
    if reading.failed or reading.refusals or spec.secret_ref is None:
        return ()
    receiver = Receiver(
        namespace=namespace,
        name=metadata.name,
        type=spec.type,
        secret=SecretRef("Secret", namespace, spec.secret_ref.name),
        targets=tuple(
            ReceiverTarget(item.kind, item.namespace or namespace, item.name, tuple(sorted(item.match_labels.items())))
            for item in spec.resources
        ),
        events=tuple(spec.events),
        suspended=spec.suspend,
        origin=reading.document.file,
    )
    return (receiver,)


KIND = ManifestKind(
    dialect=Dialect.FLUX,
    group="notification.toolkit.fluxcd.io",
    kind="Receiver",
    versions=("v1",),
    namespace=NAMESPACE,
    model=ReceiverShape,
    contributes=Contribution.RECEIVER,
    parse=parse,
    refers_to=frozenset({Contribution.SOURCE, Contribution.APPLICATION}),
    refuses=(f"a `spec.type` other than {', '.join(sorted(TYPES))}",),
)
