"""Secret values out of everything that is shown: diffs, statuses, error texts (threat T30).

A value becomes a run of `+`. Runs are equally long if and only if the values of that key are equal, so that a diff
tells that a value changed and nothing about it: not the value, not its length (Argo CD's rule, argocd.md 1.5). Masks
are made here and recognised nowhere: `++++++++` in Git is a value like any other (argo-cd 28989, 29089).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from gitops_workers.core.diff.secret_values import OPEN_FIELDS, decoded, is_secret, raw, spellings
from gitops_workers.core.objects import Manifest

MASK: Final = "++++++++"


_COPIES: Final = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
)
"""Annotations that hold a copy of the whole object, some of them packed so that no search finds a value in them."""


def mask(desired: Manifest | None, live: Manifest | None) -> tuple[Manifest | None, Manifest | None]:
    """Both sides with Secret values masked, ready to be compared; everything that is no Secret is returned as it is.

    `stringData` is merged into `data` as the API server does it. Copies of the object in annotations and managed fields
    are dropped. Neither argument is changed.
    """
    if not is_secret(desired) and not is_secret(live):
        return _masked_list(desired), _masked_list(live)
    sides = [side if side is not None else {} for side in (desired, live)]
    values = [_values(side) for side in sides]
    masks: list[dict[str, str]] = [{}, {}]
    for key in sorted(values[0].keys() | values[1].keys()):
        classes: list[bytes] = []
        for side in (0, 1):
            if key in values[side]:
                value = values[side][key]
                if value not in classes:
                    classes.append(value)
                masks[side][key] = MASK + "+" * classes.index(value)
    forms = spellings(sides)
    shown = [_shown(side, masks[at], forms) for at, side in enumerate(sides)]
    return (shown[0] if desired is not None else None), (shown[1] if live is not None else None)


def mask_text(text: str, manifests: Iterable[Manifest | None]) -> str:
    """The text without any value of the given Secrets: plain, base64 or quoted, also where two of them overlap.

    For what API servers answer: a refused Secret is quoted in the error. Values under four characters are left alone.
    """
    return _scrub(text, spellings([each for each in manifests if each is not None]))


def _masked_list(manifest: Manifest | None) -> Manifest | None:
    """A List is flattened before it is applied; one that comes here is masked item by item."""
    content = manifest.get("items") if manifest is not None else None
    if manifest is None or not isinstance(content, list) or not str(manifest.get("kind")).endswith("List"):
        return manifest
    # The items of a SecretList name no kind of their own.
    secrets = manifest.get("kind") == "SecretList"
    read = [
        item | {"kind": "Secret", "apiVersion": "v1"} if secrets and isinstance(item, dict) else item
        for item in content
    ]
    return manifest | {"items": [mask(item, None)[0] if isinstance(item, dict) else item for item in read]}


def _values(manifest: Manifest) -> dict[str, bytes]:
    """What the Secret holds by key, as bytes that are equal when the stored values are."""
    found: dict[str, bytes] = {}
    for key, value in _entries(manifest, "data"):
        found[key] = decoded(value)
    for key, value in _entries(manifest, "stringData"):
        found[key] = b"=" + value.encode(errors="surrogatepass") if isinstance(value, str) else raw(value)
    return found


def _entries(manifest: Manifest, field: str) -> list[tuple[str, Any]]:
    content = manifest.get(field)
    if isinstance(content, dict):
        return [(str(key), value) for key, value in content.items()]
    return [] if content is None else [("", content)]


def _shown(manifest: Manifest, masks: dict[str, str], forms: list[str]) -> Manifest:
    shown: Manifest = {}
    for field, value in manifest.items():
        if field == "metadata":
            shown[field] = _metadata(value, forms)
        elif field in ("data", "stringData"):
            shown["data"] = dict(masks)
        else:
            shown[field] = value if field in OPEN_FIELDS else MASK
    return shown


def _metadata(metadata: Any, forms: list[str]) -> Any:
    if not isinstance(metadata, dict):
        return _scrubbed(metadata, forms)
    shown = {key: value for key, value in metadata.items() if key != "managedFields"}
    annotations = shown.get("annotations")
    if isinstance(annotations, dict):
        shown["annotations"] = {key: value for key, value in annotations.items() if key not in _COPIES}
    # A name is no secret: the object is found by it, and a value may well be equal to it.
    kept = {key: shown[key] for key in ("name", "namespace") if key in shown}
    return _scrubbed(shown, forms) | kept


def _scrubbed(value: Any, forms: list[str]) -> Any:
    if isinstance(value, str):
        return _scrub(value, forms)
    if isinstance(value, dict):
        return {key: _scrubbed(item, forms) for key, item in value.items()}
    return [_scrubbed(item, forms) for item in value] if isinstance(value, list) else value


def _scrub(text: str, forms: list[str]) -> str:
    spans = sorted(span for form in forms for span in _found(text, form))
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        if start > end or not parts:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def _found(text: str, form: str) -> Iterator[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)
