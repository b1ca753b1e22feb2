"""Argo CD's build environment: the variables that helm parameters, file paths and kustomize values may name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_EXPRESSION = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*)|([*#$@!?0-9-]))")

AT_CLOSURE = ("ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME", "KUBE_VERSION", "KUBE_API_VERSIONS")
"""Variables that are not known yet when a closure is computed."""


def build_environment(
    *,
    app_name: str,
    namespace: str = "",
    project: str = "",
    commit: str = "",
    path: str = "",
    url: str = "",
    target_revision: str = "",
    kube_version: str = "",
    api_versions: Sequence[str] = (),
) -> dict[str, str]:
    """Return the variables by name (Argo CD docs, build environment). `namespace` is the destination's."""
    return {
        "ARGOCD_APP_NAME": app_name,
        "ARGOCD_APP_NAMESPACE": namespace,
        "ARGOCD_APP_PROJECT_NAME": project,
        "ARGOCD_APP_REVISION": commit,
        "ARGOCD_APP_REVISION_SHORT": commit[:7],
        "ARGOCD_APP_REVISION_SHORT_8": commit[:8],
        "ARGOCD_APP_SOURCE_PATH": path,
        "ARGOCD_APP_SOURCE_REPO_URL": url,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": target_revision,
        "KUBE_VERSION": kube_version,
        "KUBE_API_VERSIONS": ",".join(api_versions),
    }


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}`; an unknown name is empty and `$$` a dollar sign, as Go's os.Expand does.

    >>> expand("$ARGOCD_APP_NAME-${X}-$$HOME", {"ARGOCD_APP_NAME": "web"})
    'web--$HOME'
    """
    if "$" not in text:
        return text
    return _EXPRESSION.sub(
        lambda found: "$" if found[3] == "$" else environment.get(found[1] or found[2] or "", ""), text
    )


def named(text: str) -> frozenset[str]:
    """Return the names of the variables in a text: what a cache key has to hold.

    >>> sorted(named("a-$X-${Y}-$$Z"))
    ['X', 'Y']
    """
    return frozenset(found[1] or found[2] for found in _EXPRESSION.finditer(text) if not found[3])
