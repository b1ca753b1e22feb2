"""`${VAR}` in a Kustomization's own `spec.path`, out of its postBuild variables.

Flux does not do this; guides write it (`./clusters/${CLUSTER_NAME}`), as everybody expects it. Only inline variables
and ConfigMaps count: a path is stored and shown, so no Secret may flow into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_workers.core.render.render_spec import SecretRef, Substitution
from gitops_workers.core.text.substitution import NAME, SubstitutionFailed, substitute

ReadRef = Callable[[SecretRef], Mapping[str, bytes] | None]
"""Reads a ConfigMap or Secret; None when it does not exist."""


def resolve_path(path: str, substitution: Substitution, read: ReadRef) -> tuple[str, str]:
    """The path with its variables filled in, and what is wrong (as a sentence, "" when nothing is).

    Inline variables beat sources, later sources earlier ones.
    """
    values: dict[str, str] = {}
    missing = []
    for ref in substitution.sources:
        if ref.kind != "ConfigMap":
            missing.append(f"{ref.kind} {ref.name} does not count in a path")
        elif (data := read(ref)) is None:
            missing.append(f"{ref.kind} {ref.namespace}/{ref.name} is not found")
        else:
            values |= {key: value.decode("utf-8", "replace") for key, value in data.items() if NAME.fullmatch(key)}
    values |= dict(substitution.variables)
    try:
        return substitute(path, values), ""
    except SubstitutionFailed as error:
        why = f" ({'; '.join(missing)})" if missing else ""
        return path, f"{error}{why}."
