"""All documents of the catalogues at once: references between them are looked up, identities are kept unique."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_workers.core.model import AppId, Application, Dialect, Problem
from gitops_workers.core.policy.project import Project
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects import kinds
from gitops_workers.dialects.argocd import application as argocd
from gitops_workers.dialects.argocd.project import parse_project
from gitops_workers.dialects.configs import ConfigObject, find_config, is_config, parse_config
from gitops_workers.dialects.dependencies import linked, place
from gitops_workers.dialects.document import Document, flattened
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.flux import INTERVAL as FLUX_INTERVAL
from gitops_workers.dialects.flux import NAMESPACE as FLUX_NAMESPACE
from gitops_workers.dialects.flux.kustomization import parse_kustomization
from gitops_workers.dialects.flux.path_variables import ReadRef
from gitops_workers.dialects.flux.receiver import Receiver, ReceiverTarget, parse_receiver
from gitops_workers.dialects.flux.sources import Repository, SourceKey, parse_repository
from gitops_workers.dialects.metadata import declared_id


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the catalogues hold.

    `rejected` are applications that are declared and cannot be read: they are wrong, not gone, so whoever compares with
    the last catalogue keeps what it had. The same goes for every application of a file that could not be loaded.
    """

    applications: tuple[Application, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Errors, and remarks (`known`) about what this version does not do. In the order of the documents."""
    receivers: tuple[Receiver, ...] = ()
    configs: tuple[ConfigObject, ...] = ()
    """Secrets and ConfigMaps among the documents. Their values are never stored."""
    rejected: Mapping[AppId, tuple[Problem, ...]] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    """About documents that are none of ours; only `validate` shows them."""


def parse(
    documents: Sequence[Document],
    read: ReadRef | None = None,
    standing: Collection[AppId] = (),
    *,
    projects: Mapping[str, Project] | None = None,
    flux_interval: float = FLUX_INTERVAL,
) -> Parsed:
    """Applications, receivers and data of all documents. Never raises for what stands in a document.

    `read` looks up a ConfigMap outside the catalogue (for `${VAR}` in a Kustomization's path); it is asked first.
    `standing`: applications that exist although no document here declares them, so that others may depend on them.
    `projects`: the same for AppProjects. `flux_interval`: seconds for a Flux object that names no interval.
    """
    return _Catalogue(list(flattened(documents)), read, standing, projects or {}, flux_interval).parsed()


_DEFAULT_NAMESPACES = {kinds.APPLICATION: argocd.NAMESPACE, kinds.KUSTOMIZATION: FLUX_NAMESPACE}


@dataclass(slots=True)
class _Catalogue:
    """One run of `parse`: first what others refer to, then what refers to it."""

    documents: list[Document]
    read: ReadRef | None
    standing: Collection[AppId]
    standing_projects: Mapping[str, Project]
    flux_interval: float
    problems: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    notes: list[Problem] = field(default_factory=list)
    configs: list[ConfigObject] = field(default_factory=list)
    config_index: dict[tuple[str, str], list[ConfigObject]] = field(default_factory=lambda: defaultdict(list))
    repositories: dict[SourceKey, Repository | str] = field(default_factory=dict)
    projects: dict[str, Project | str] = field(default_factory=dict)
    sources: dict[AppId, SourceKey] = field(default_factory=dict)
    applications: dict[AppId, Application] = field(default_factory=dict)
    places: dict[AppId, int] = field(default_factory=dict)
    rejected: dict[AppId, tuple[Problem, ...]] = field(default_factory=dict)
    receivers: dict[tuple[str, str], Receiver | None] = field(default_factory=dict)

    def parsed(self) -> Parsed:
        ours: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, document in enumerate(self.documents):
            if (kind := self._sorted_out(index, document)) is not None:
                ours[kind].append(index)
        for index in ours[kinds.REPOSITORY]:
            self._repository(index)
        for index in ours[kinds.PROJECT]:
            self._project(index)
        for index in ours[kinds.APPLICATION]:
            reading = ParseContext(self.documents[index])
            app = argocd.parse_application(reading)
            self._application(index, reading, app and self._limited(app), kinds.APPLICATION)
        for index in ours[kinds.KUSTOMIZATION]:
            reading = ParseContext(self.documents[index])
            found = parse_kustomization(reading, self._find_repository, self._read, self.flux_interval)
            if found is not None:
                self.sources[found[0].id] = found[1]
            self._application(index, reading, found[0] if found else None, kinds.KUSTOMIZATION)
        self._link()
        for index in ours[kinds.RECEIVER]:
            self._receiver(index)
        return Parsed(
            applications=tuple(self.applications.values()),
            problems=tuple(problem for index in sorted(self.problems) for problem in self.problems[index]),
            receivers=tuple(self._with_applications(receiver) for receiver in self.receivers.values() if receiver),
            configs=tuple(self.configs),
            rejected=self.rejected,
            notes=tuple(self.notes),
        )

    def _sorted_out(self, index: int, document: Document) -> tuple[str, str] | None:
        """Which of our kinds the document is; everything else is dealt with here."""
        kind = (document.group, document.kind)
        if is_config(document):
            config, problems = parse_config(document)
            self.problems[index] += problems
            if config is not None:
                self.configs.append(config)
                self.config_index[config.kind, config.name].append(config)
            return None
        if (error := kinds.kind_error(document)) is not None:
            self.problems[index].append(document.problem((error[0],), error[1]))
            if (meant := kinds.meant(document)) in _DEFAULT_NAMESPACES:
                self._reject(index, _DEFAULT_NAMESPACES[meant])
            if kinds.means_project(document):
                # Wrong is not gone: without its rules project `default` would allow everything.
                self._broken_project(document.text("metadata", "name"), self.problems[index][-1:])
            return None
        if kind in kinds.PASSED_OVER:
            message = f"{document.title} is known and not run by this version: it has no effect."
            self.problems[index].append(document.problem((), message, known=True))
        elif kind in kinds.VERSIONS:
            return kind
        else:
            self.notes.append(document.problem((), kinds.note(document), known=True))
        return None

    def _repository(self, index: int) -> None:
        document = self.documents[index]
        reading = ParseContext(document)
        repository = parse_repository(reading, self.flux_interval)
        self.problems[index] += reading.problems
        name, namespace = document.text("metadata", "name"), document.text("metadata", "namespace")
        key = repository.key if repository else SourceKey(document.kind, namespace or FLUX_NAMESPACE, name)
        place = f"{document.file}:{document.line()}"
        if key in self.repositories:
            message = f"{key} is declared twice: remove or rename one of the two."
            self.problems[index].append(document.problem(("metadata", "name"), message))
            self.repositories[key] = message
        else:
            self.repositories[key] = repository or f"{key} has errors: see {place}."

    def _project(self, index: int) -> None:
        reading = ParseContext(self.documents[index])
        project = parse_project(reading)
        self.problems[index] += reading.problems
        name = self.documents[index].text("metadata", "name")
        if name in self.projects:
            message = f"AppProject {name} is declared twice: remove or rename one of the two."
            self.problems[index].append(reading.document.problem(("metadata", "name"), message))
            self.projects[name] = message
        elif project is None:
            self._broken_project(name, [problem for problem in reading.problems if not problem.known])
        elif reading.refusals:
            self.projects[name] = f"AppProject {name}: {' '.join(reading.refusals)}"
        else:
            self.projects[name] = project

    def _broken_project(self, name: str, errors: Sequence[Problem]) -> None:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self.projects[name] = f"AppProject {name} has errors: {errors[0]}{more}"

    def _limited(self, app: Application) -> Application:
        """The application with its project's rules; one whose project cannot be read must not do anything."""
        found = self.projects.get(app.project) or self.standing_projects.get(app.project)
        if isinstance(found, str):
            return replace(app, refusal=" ".join(text for text in (app.refusal, found) if text))
        return replace(app, limits=found)

    def _find_repository(self, key: SourceKey) -> Repository | str:
        if key.kind != "GitRepository":
            return f"{key}: this kind of source is not done by this version, use a GitRepository."
        return self.repositories.get(key) or f"{key} is not in the catalogue: add it or correct the name."

    def _read(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        if self.read is not None and (data := self.read(ref)) is not None:
            return data
        config = find_config(self.config_index.get((ref.kind, ref.name), ()), ref)
        return None if config is None else config.data

    def _application(self, index: int, reading: ParseContext, app: Application | None, kind: tuple[str, str]) -> None:
        self.problems[index] += reading.problems
        namespace = _DEFAULT_NAMESPACES[kind]
        if app is None:
            self._reject(index, namespace)
            return
        first = self.applications.pop(app.id, None)
        if first is None and app.id not in self.rejected:
            self.applications[app.id] = app
            self.places[app.id] = index
            return
        # Neither wins: the first would let an earlier file name take an application over, the last a later one.
        where = f" (also in {first.origin})" if first else ""
        message = f"{app.id} is declared twice{where}: remove or rename one of the two."
        self.problems[index].append(reading.document.problem(("metadata", "name"), message))
        self._reject(index, namespace)

    def _link(self) -> None:
        """Dependencies mean applications of the whole catalogue. A cycle is the error of every member."""
        for app_id, (app, remarks, error) in linked(self.applications, (*self.rejected, *self.standing)).items():
            self.applications[app_id] = app
            index = self.places[app_id]
            where = place(self.documents[index])
            self.problems[index] += [self.documents[index].problem(where, text, known=True) for text in remarks]
            if error:
                self.problems[index].append(self.documents[index].problem(where, error))

    def _reject(self, index: int, namespace: str) -> None:
        identity = declared_id(self.documents[index], namespace)
        if identity is not None:
            self.applications.pop(identity, None)
            errors = tuple(problem for problem in self.problems[index] if not problem.known)
            self.rejected[identity] = (*self.rejected.get(identity, ()), *errors)

    def _receiver(self, index: int) -> None:
        reading = ParseContext(self.documents[index])
        receiver = parse_receiver(reading)
        self.problems[index] += reading.problems
        if receiver is None:
            return
        key = (receiver.namespace, receiver.name)
        if key in self.receivers:
            message = f"Receiver {'/'.join(key)} is declared twice: remove or rename one of the two."
            self.problems[index].append(reading.document.problem(("metadata", "name"), message))
        self.receivers[key] = None if key in self.receivers else receiver

    def _with_applications(self, receiver: Receiver) -> Receiver:
        found = {app for target in receiver.targets for app in self._behind(target)}
        return replace(receiver, applications=tuple(sorted(found)))

    def _behind(self, target: ReceiverTarget) -> list[AppId]:
        """The applications that a request for this target concerns."""
        wanted = dict(target.match_labels).items()
        if target.kind == "GitRepository":
            sources = {
                key
                for key, repository in self.repositories.items()
                if key.namespace == target.namespace and target.name in ("*", key.name)
                if isinstance(repository, Repository) and wanted <= dict(repository.labels).items()
            }
            return [app for app, source in self.sources.items() if source in sources and app in self.applications]
        if target.kind == "Kustomization":
            return [
                app.id
                for app in self.applications.values()
                if app.dialect is Dialect.FLUX and app.namespace == target.namespace
                if target.name in ("*", app.name) and wanted <= dict(app.labels).items()
            ]
        return []
