# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What really happened in the simulated world, counted as the documented metrics count it and without the check."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from simulator import components
from simulator.components.component import Component
from simulator.components.training import CONTROLLERS
from simulator.events import AccessRequest, Inference, NotebookAttempt, ProfileRequest, ScheduleSync, WorkflowCollected
from simulator.workloads.traffic import AGGREGATED, KSERVE, MLSERVER, OPENCENSUS, OPENTELEMETRY, Server
from simulator.world import PhaseChange, World

# The tags by which the counts of a metric are compared, sorted; its other tags are added up.
Tags = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """How one metric counts events of one class.

    `tags` gives the tags, of the keys in `keys`, of an event, or None for one that is no case. A component that begins
    anew counts the objects of kind `anew` once more. `told` says whether the process tells when it started; the Agent
    cannot know everything of one that does not.
    """

    metric: str
    event: type
    tags: Callable[[object], Iterable[str] | None]
    keys: tuple[str, ...] = ()
    anew: str = ''
    told: bool = True


@dataclass(frozen=True)
class Expected:
    """What the check must have counted of a metric by its last scrape, by tags of the keys in `keys`.

    Where `exact` is not set it may be less, and not more.
    """

    metric: str
    keys: tuple[str, ...]
    counts: Counter[Tags]
    exact: bool


def _all(_: object) -> Iterable[str]:
    return ()


def _phases(kind: str, phase: str, metric: str) -> Rule:
    def tags(change: PhaseChange) -> Iterable[str] | None:
        subject = change.object
        return [f'namespace:{subject.namespace}'] if subject.kind == kind and change.phase == phase else None

    return Rule(metric, PhaseChange, tags, ('namespace',))


def _katib(_: str) -> Iterator[Rule]:
    for kind in ('experiment', 'trial'):
        for phase in ('Created', 'Succeeded', 'Failed'):
            yield _phases(kind, phase, f'kubeflow.katib.{kind}.{phase.lower()}.count')


def _training(release: str) -> Iterator[Rule]:
    frameworks = {*CONTROLLERS, *components.TrainingOperator.LAST[release]}
    for phase in ('Created', 'Succeeded', 'Failed'):

        def tags(change: PhaseChange, phase: str = phase) -> Iterable[str] | None:
            job = change.object
            if job.kind != 'job' or change.phase != phase or job.flavour not in frameworks:
                return None
            return [f'framework:{job.flavour}', f'namespace:{job.namespace}']

        metric = f'kubeflow.training.job.{phase.lower()}.count'
        yield Rule(metric, PhaseChange, tags, ('framework', 'namespace'))


def _notebooks(_: str) -> Iterator[Rule]:
    def namespace(attempt: NotebookAttempt) -> Iterable[str]:
        return [f'namespace:{attempt.namespace}']

    def failed(attempt: NotebookAttempt) -> Iterable[str] | None:
        return namespace(attempt) if attempt.failed else None

    yield Rule('kubeflow.notebook.server.created.count', NotebookAttempt, namespace, ('namespace',))
    yield Rule('kubeflow.notebook.server.failed.count', NotebookAttempt, failed, ('namespace',))


def _profiles(_: str) -> Iterator[Rule]:
    yield Rule('kubeflow.profile.requests.count', ProfileRequest, _all, anew='profile')


def _kfam(_: str) -> Iterator[Rule]:
    yield Rule('kubeflow.kfam.requests.count', AccessRequest, lambda each: None if each.error else ())


def _tensorboards(_: str) -> Iterator[Rule]:
    def tags(change: PhaseChange) -> Iterable[str] | None:
        return () if change.object.kind == 'tensorboard' else None

    yield Rule('kubeflow.controller.reconcile.count', PhaseChange, tags, anew='tensorboard')


def _pipelines(_: str) -> Iterator[Rule]:
    yield Rule('kubeflow.pipeline.workflow.gc.count', WorkflowCollected, _all)


def _schedules(_: str) -> Iterator[Rule]:
    yield Rule('kubeflow.pipeline.scheduled_workflow.throughput.count', ScheduleSync, _all)


def _runs(*phases: str) -> Callable[[object], Iterable[str] | None]:
    def tags(change: PhaseChange) -> Iterable[str] | None:
        run = change.object
        if run.kind != 'run' or change.phase not in phases:
            return None
        return [f'namespace:{run.namespace}', f'status:{change.phase}']

    return tags


FINISHED = ('Succeeded', 'Failed', 'Error')


def _old_argo(_: str) -> Iterator[Rule]:
    yield Rule('kubeflow.pipeline.run.duration.seconds.count', PhaseChange, _runs(*FINISHED), ('namespace', 'status'))


def _argo(release: str) -> Iterator[Rule]:
    yield from _old_argo(release)
    entered = _runs('Pending', 'Running', *FINISHED)
    yield Rule('kubeflow.pipeline.run.phase.count', PhaseChange, entered, ('namespace', 'status'))


INFERENCES = 'kubeflow.kserve.inferences.count'
ERRORS = 'kubeflow.kserve.inference.errors.count'
TIMED = 'kubeflow.kserve.inference.duration.seconds.count'


def _inferences(metric: str, server: Server, counts: Callable[[Inference], bool], told: bool = True) -> Rule:
    def tags(request: Inference) -> Iterable[str] | None:
        return () if request.server == server.name and counts(request) else None

    return Rule(metric, Inference, tags, told=told)


def _predictions(server: Server) -> Iterator[Rule]:
    """Of KServe's server, 0.10 and later: whoever entered the predict step."""

    def tags(request: Inference) -> Iterable[str] | None:
        if request.server != server.name or request.verb != 'predict' or request.status not in (200, 400, 500):
            return None
        return [f'model_name:{request.model}']

    for metric in (INFERENCES, TIMED):
        yield Rule(metric, Inference, tags, ('model_name',))


def _posted(request: Inference) -> bool:
    return request.method == 'POST'


def _broken(request: Inference) -> bool:
    return request.status == 500


def _mlserver(_: str) -> Iterator[Rule]:
    # A body that is none does not reach a model.
    yield _inferences(INFERENCES, MLSERVER, lambda each: _posted(each) and each.status != 422)
    yield _inferences(ERRORS, MLSERVER, lambda each: each.status in (400, 404, 500))


def _old_sidecar(_: str) -> Iterator[Rule]:
    yield _inferences(INFERENCES, OPENCENSUS, lambda each: True, told=False)
    yield _inferences(ERRORS, OPENCENSUS, _broken, told=False)


def _sidecar(_: str) -> Iterator[Rule]:
    yield _inferences(INFERENCES, OPENTELEMETRY, _posted)
    yield _inferences(ERRORS, OPENTELEMETRY, _broken)


# What is compared of each component, by its release.
RULES: Mapping[type[Component], Callable[[str], Iterable[Rule]]] = {
    components.Katib: _katib,
    components.TrainingOperator: _training,
    components.NotebookController: _notebooks,
    components.ProfileController: _profiles,
    components.Kfam: _kfam,
    components.TensorboardController: _tensorboards,
    components.KServe: lambda release: _predictions(KSERVE),
    components.OpenCensusQpext: lambda release: _predictions(AGGREGATED),
    components.OpenTelemetryQpext: lambda release: _predictions(AGGREGATED),
    components.MLServer: _mlserver,
    components.OpenCensusQueueProxy: _old_sidecar,
    components.OpenTelemetryQueueProxy: _sidecar,
    components.PipelinesAPIServer: _pipelines,
    components.ScheduledWorkflowController: _schedules,
    components.LegacyArgo: _old_argo,
    components.Argo: _argo,
}


class Ledger:
    """Counts, for each endpoint, what a check that scraped it could know.

    What happened before the first scrape is not counted, and what happened between the last scrape before a restart
    and the restart is lost with the process.
    """

    def __init__(self, world: World, behind: Mapping[str, Component]):
        """`behind` gives the component behind each endpoint, by the endpoint's name."""
        self._world = world
        self._pages = {
            endpoint: [_Page(rule) for rule in RULES[type(component)](component.release)]
            for endpoint, component in behind.items()
        }
        for pages in self._pages.values():
            for page in pages:
                world.listen(page.rule.event, page.on_event)

    def scraped(self, endpoint: str) -> None:
        """The check read that endpoint."""
        for page in self._pages[endpoint]:
            page.scraped()

    def restarted(self, endpoint: str) -> None:
        """The component behind that endpoint begins anew."""
        for page in self._pages[endpoint]:
            page.restarted(len(self._world.objects(page.rule.anew)) if page.rule.anew else 0)

    def expected(self, endpoint: str) -> list[Expected]:
        """What the check must have counted by its last scrape."""
        return [page.expected() for page in self._pages[endpoint]]


class _Page:
    """What one rule counts at one endpoint."""

    def __init__(self, rule: Rule):
        self.rule = rule
        self._happened: Counter[Tags] = Counter()
        self._seen: Counter[Tags] | None = None
        self._unknowable: Counter[Tags] = Counter()

    def on_event(self, event: object) -> None:
        tags = self.rule.tags(event)
        if tags is not None:
            self._happened[tuple(sorted(tags))] += 1

    def scraped(self) -> None:
        if self._seen is None:
            self._unknowable = Counter(self._happened)
        self._seen = Counter(self._happened)

    def restarted(self, anew: int) -> None:
        if self._seen is not None:
            self._unknowable += self._happened - self._seen
            self._seen = Counter(self._happened)
        self._happened[()] += anew

    def expected(self) -> Expected:
        known = (self._seen or Counter()) - self._unknowable
        return Expected(self.rule.metric, self.rule.keys, known, exact=self.rule.told)
