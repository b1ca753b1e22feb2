"""What `gitops-workers validate` says: every problem of the given files, with file, line and field."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Problem
from gitops_workers.core.render.sops import ADVICE, is_encrypted
from gitops_workers.dialects.argocd.application import NAMESPACE
from gitops_workers.dialects.argocd.cluster_secret import ClusterRules, cluster_secrets
from gitops_workers.dialects.argocd.installation import installation
from gitops_workers.dialects.argocd.repository_secret import repository_secrets
from gitops_workers.dialects.argocd.settings import NAME, LoadYaml, customizations
from gitops_workers.dialects.catalogue import parse
from gitops_workers.dialects.configs import ConfigObject, is_config
from gitops_workers.dialects.document import Document, Load, load_file
from gitops_workers.dialects.flux.path_variables import ReadRef


def validate(
    files: Mapping[str, bytes], load: Load, *, read: ReadRef | None = None, rules: ClusterRules | None = None
) -> list[Problem]:
    """Every problem of these files by file and line; `known` ones are remarks, the others errors.

    The files are looked at together, so a Kustomization finds its GitRepository in another of them.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for name, data in files.items():
        loaded, broken = load_file(load, data, name)
        documents += loaded
        problems += broken
        if not loaded and not broken:
            problems.append(Problem(name, 0, "", "the file holds no document: it has no effect.", known=True))
    clear = []
    for document in documents:
        if is_encrypted(document.value) and not is_config(document):
            problems.append(document.problem(("sops",), f"the object {ADVICE}."))
        else:
            clear.append(document)
    parsed = parse(clear, read)
    problems += [*parsed.problems, *parsed.notes]
    problems += cluster_secrets(parsed.configs, rules)[1]
    problems += repository_secrets(parsed.configs)[1]
    for config in parsed.configs:
        problems += _settings(config, load)
    order = {name: index for index, name in enumerate(files)}
    return sorted(problems, key=lambda item: (order.get(item.file, len(order)), item.line))


def _settings(config: ConfigObject, load: Load) -> list[Problem]:
    """What is wrong in an `argocd-cm`. What of it is not done is a remark: whom it concerns is refused by a worker."""
    if config.kind != "ConfigMap" or config.name != NAME or config.namespace not in ("", NAMESPACE):
        return []
    data = {key: config.text(key) for key in config.data}

    def value(text: bytes, name: str) -> object:
        documents = load(text, name)
        return documents[0].value if documents else None

    problems: list[Problem] = []
    for read in (_customized, _unheeded):
        try:
            problems += read(config, data, value)
        except InvalidManifest as error:
            problems.append(Problem(config.origin, 0, "", str(error).removeprefix(f"{config.origin}: ")))
    return problems


def _customized(config: ConfigObject, data: Mapping[str, str], load: LoadYaml) -> list[Problem]:
    return list(customizations(data, load, config.origin)[1])


def _unheeded(config: ConfigObject, data: Mapping[str, str], load: LoadYaml) -> list[Problem]:
    found = installation(data, load, config.origin).unheeded
    return [Problem(config.origin, 0, f"data[{one.key!r}]", f"{one}.", known=True) for one in found]
