"""All documents of the catalogues at once: references between them are looked up, identities are kept unique."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_workers.core.model import AppId, Application, Dialect, Problem
from gitops_workers.core.policy.project import Project
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects import kinds
from gitops_workers.dialects.configs import ConfigObject, find_config, is_config, parse_config
from gitops_workers.dialects.dependencies import linked, place
from gitops_workers.dialects.document import Document, flattened
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.flux import INTERVAL as FLUX_INTERVAL
from gitops_workers.dialects.flux.path_variables import ReadRef
from gitops_workers.dialects.flux.sources import DeclaredSource, SourceKey
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind
from gitops_workers.dialects.receivers import Receiver, ReceiverTarget


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


@dataclass(slots=True)
class _Catalogue:
    """One run of `parse`: first what others refer to, then what refers to it. It is what manifests look up, too."""

    documents: list[Document]
    read: ReadRef | None
    standing: Collection[AppId]
    standing_projects: Mapping[str, Project]
    flux_interval: float
    application_kinds: frozenset[str] = frozenset(
        kind.kind.lower() for kind in kinds.contributing(Contribution.APPLICATION)
    )
    problems: dict[int, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    notes: list[Problem] = field(default_factory=list)
    configs: list[ConfigObject] = field(default_factory=list)
    config_index: dict[tuple[str, str], list[ConfigObject]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[SourceKey, DeclaredSource | str] = field(default_factory=dict)
    projects: dict[str, Project | str] = field(default_factory=dict)
    applications: dict[AppId, Application] = field(default_factory=dict)
    places: dict[AppId, int] = field(default_factory=dict)
    rejected: dict[AppId, tuple[Problem, ...]] = field(default_factory=dict)
    receivers: dict[tuple[str, str], tuple[Dialect, Receiver] | None] = field(default_factory=dict)

    def parsed(self) -> Parsed:
        ours: dict[ManifestKind, list[int]] = defaultdict(list)
        for index, document in enumerate(self.documents):
            if (kind := self._sorted_out(index, document)) is not None:
                ours[kind].append(index)
        for kind in kinds.in_order():
            for index in ours[kind]:
                self._take(kind, index)
        self._link()
        return Parsed(
            applications=tuple(self.applications.values()),
            problems=tuple(problem for index in sorted(self.problems) for problem in self.problems[index]),
            receivers=tuple(self._with_applications(*receiver) for receiver in self.receivers.values() if receiver),
            configs=tuple(self.configs),
            rejected=self.rejected,
            notes=tuple(self.notes),
        )

    def source(self, key: SourceKey) -> DeclaredSource | str:
        """See `References`."""
        known = [kind.kind for kind in kinds.contributing(Contribution.SOURCE)]
        if key.kind not in known:
            return f"{key}: this kind of source is not done by this version, use a {' or '.join(known)}."
        return self.sources.get(key) or f"{key} is not in the catalogue: add it or correct the name."

    def project(self, name: str) -> Project | str | None:
        """See `References`."""
        return self.projects.get(name) or self.standing_projects.get(name)

    def config(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """See `References`. What is outside the catalogue is asked first."""
        if self.read is not None and (data := self.read(ref)) is not None:
            return data
        config = find_config(self.config_index.get((ref.kind, ref.name), ()), ref)
        return None if config is None else config.data

    def _sorted_out(self, index: int, document: Document) -> ManifestKind | None:
        """Which of our kinds the document is; everything else is dealt with here."""
        if is_config(document):
            config, problems = parse_config(document)
            self.problems[index] += problems
            if config is not None:
                self.configs.append(config)
                self.config_index[config.kind, config.name].append(config)
            return None
        if (error := kinds.kind_error(document)) is not None:
            self.problems[index].append(document.problem((error[0],), error[1]))
            if (meant := kinds.meant(document)) is not None:
                self._miss(meant, index)
            return None
        if (kind := kinds.kind_of(document)) is not None:
            return kind
        if (document.group, document.kind) in kinds.PASSED_OVER:
            message = f"{document.title} is known and not run by this version: it has no effect."
            self.problems[index].append(document.problem((), message, known=True))
        else:
            self.notes.append(document.problem((), kinds.note(document), known=True))
        return None

    def _take(self, kind: ManifestKind, index: int) -> None:
        """Read a document of this kind, and add what it contributes."""
        context = ParseContext(self.documents[index])
        found = kind.parse(context, self)
        self.problems[index] += context.problems
        if not found:
            self._miss(kind, index)
        for item in found:
            match item:
                case Application():
                    self._application(kind, index, item)
                case DeclaredSource():
                    self._source(index, item.key, item)
                case Project():
                    self._project(index, item.name, self._refused(item, context))
                case Receiver():
                    self._receiver(kind, index, item)

    def _miss(self, kind: ManifestKind, index: int) -> None:
        """A document of this kind cannot be read: what it declares is wrong, not gone."""
        missed: Mapping[Contribution, Callable[[ManifestKind, int], None]] = {
            Contribution.APPLICATION: self._reject,
            Contribution.SOURCE: self._broken_source,
            Contribution.PROJECT: self._broken_project,
        }
        if kind.contributes in missed:  # of a receiver nothing remains but its errors
            missed[kind.contributes](kind, index)

    def _source(self, index: int, key: SourceKey, found: DeclaredSource | str) -> None:
        if key in self.sources:
            found = f"{key} is declared twice: remove or rename one of the two."
            self.problems[index].append(self.documents[index].problem(("metadata", "name"), found))
        self.sources[key] = found

    def _broken_source(self, kind: ManifestKind, index: int) -> None:
        document = self.documents[index]
        namespace = document.text("metadata", "namespace") or kind.namespace
        key = SourceKey(kind.kind, namespace, document.text("metadata", "name"))
        self._source(index, key, f"{key} has errors: see {document.file}:{document.line()}.")

    def _project(self, index: int, name: str, found: Project | str) -> None:
        if name in self.projects:
            found = f"AppProject {name} is declared twice: remove or rename one of the two."
            self.problems[index].append(self.documents[index].problem(("metadata", "name"), found))
        self.projects[name] = found

    def _refused(self, project: Project, context: ParseContext) -> Project | str:
        """The project; where it uses what is not supported, its applications must not do anything."""
        return f"AppProject {project.name}: {' '.join(context.refusals)}" if context.refusals else project

    def _broken_project(self, _: ManifestKind, index: int) -> None:
        """Without its rules project `default` would allow everything."""
        name = self.documents[index].text("metadata", "name")
        errors = [problem for problem in self.problems[index] if not problem.known]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._project(index, name, f"AppProject {name} has errors: {errors[0]}{more}")

    def _application(self, kind: ManifestKind, index: int, app: Application) -> None:
        first = self.applications.pop(app.id, None)
        if first is None and app.id not in self.rejected:
            self.applications[app.id] = app
            self.places[app.id] = index
            return
        # Neither wins: the first would let an earlier file name take an application over, the last a later one.
        where = f" (also in {first.origin})" if first else ""
        message = f"{app.id} is declared twice{where}: remove or rename one of the two."
        self.problems[index].append(self.documents[index].problem(("metadata", "name"), message))
        self._reject(kind, index)

    def _reject(self, kind: ManifestKind, index: int) -> None:
        identity = kind.declared_id(self.documents[index])
        if identity is not None:
            self.applications.pop(identity, None)
            errors = tuple(problem for problem in self.problems[index] if not problem.known)
            self.rejected[identity] = (*self.rejected.get(identity, ()), *errors)

    def _link(self) -> None:
        """Dependencies mean applications of the whole catalogue. A cycle is the error of every member."""
        for app_id, (app, remarks, error) in linked(self.applications, (*self.rejected, *self.standing)).items():
            self.applications[app_id] = app
            index = self.places[app_id]
            where = place(self.documents[index])
            self.problems[index] += [self.documents[index].problem(where, text, known=True) for text in remarks]
            if error:
                self.problems[index].append(self.documents[index].problem(where, error))

    def _receiver(self, kind: ManifestKind, index: int, receiver: Receiver) -> None:
        key = (receiver.namespace, receiver.name)
        if key in self.receivers:
            message = f"Receiver {'/'.join(key)} is declared twice: remove or rename one of the two."
            self.problems[index].append(self.documents[index].problem(("metadata", "name"), message))
        self.receivers[key] = None if key in self.receivers else (kind.dialect, receiver)

    def _with_applications(self, dialect: Dialect, receiver: Receiver) -> Receiver:
        found = {app for target in receiver.targets for app in self._behind(dialect, target)}
        return replace(receiver, applications=tuple(sorted(found)))

    def _behind(self, dialect: Dialect, target: ReceiverTarget) -> list[AppId]:
        """The applications that a request for this target concerns."""
        kind, wanted = kinds.find(dialect, target.kind), dict(target.match_labels).items()
        if kind is None:
            return []
        if kind.contributes is Contribution.SOURCE:
            sources = {
                f"{key.kind}/{key.namespace}/{key.name}"
                for key, source in self.sources.items()
                if (key.kind, key.namespace) == (kind.kind, target.namespace) and target.name in ("*", key.name)
                if isinstance(source, DeclaredSource) and wanted <= dict(source.labels).items()
            }
            return [app.id for app in self.applications.values() if app.declared_source in sources]
        return [
            app.id
            for app in self.applications.values()
            if app.id == kind.application_id(target.namespace, app.name)
            if target.name in ("*", app.name) and wanted <= dict(app.labels).items()
        ]
