# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What really happened in the simulated world, counted as the documented metrics count it and without the check."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from simulator.components.training import CONTROLLERS, TrainingOperator
from simulator.events import AccessRequest, Inference, NotebookAttempt, ScheduleSync
from simulator.workloads.traffic import AGGREGATED, KSERVE, MLSERVER, OPENCENSUS, OPENTELEMETRY, Server
from simulator.world import DELETED, PhaseChange, World

# A metric and the tags by which it is compared, sorted; its other tags are added up.
Counted = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """How one metric counts events of one class. `tags` gives the tags of an event, or None for one that is no case."""

    metric: str
    event: type
    tags: Callable[[object], Iterable[str] | None]


def _phases(kind: str, phase: str, metric: str) -> Rule:
    def tags(change: PhaseChange) -> Iterable[str] | None:
        subject = change.object
        return [f'namespace:{subject.namespace}'] if subject.kind == kind and change.phase == phase else None

    return Rule(metric, PhaseChange, tags)


def _jobs(phase: str, metric: str, frameworks: Collection[str]) -> Rule:
    def tags(change: PhaseChange) -> Iterable[str] | None:
        job = change.object
        if job.kind != 'job' or change.phase != phase or job.flavour not in frameworks:
            return None
        return [f'framework:{job.flavour}', f'namespace:{job.namespace}']

    return Rule(metric, PhaseChange, tags)


def _inferences(server: Server, metric: str, counts: Callable[[Inference], bool], by_model: bool = True) -> Rule:
    def tags(request: Inference) -> Iterable[str] | None:
        if request.server != server.name or not counts(request):
            return None
        return [f'model_name:{request.model}'] if by_model else []

    return Rule(metric, Inference, tags)


def _predicted(request: Inference) -> bool:
    """Whether the predict step of KServe's server was entered (KServe 0.10 and later)."""
    return request.verb == 'predict' and request.status in (200, 400, 500)


def _posted(request: Inference) -> bool:
    return request.method == 'POST'


def _broken(request: Inference) -> bool:
    return request.status == 500


def _run_phase(change: PhaseChange) -> Iterable[str] | None:
    run = change.object
    if run.kind != 'run' or change.phase == DELETED:
        return None
    return [f'namespace:{run.namespace}', f'status:{change.phase}']


def _katib() -> Iterator[Rule]:
    for kind in ('experiment', 'trial'):
        for phase in ('Created', 'Succeeded', 'Failed'):
            yield _phases(kind, phase, f'kubeflow.katib.{kind}.{phase.lower()}.count')


def _training(release: str) -> Iterator[Rule]:
    frameworks = (*CONTROLLERS, *TrainingOperator.LAST[release])
    for phase, word in (('Created', 'created'), ('Succeeded', 'succeeded'), ('Failed', 'failed')):
        yield _jobs(phase, f'kubeflow.training.job.{word}.count', frameworks)


def _notebooks() -> Iterator[Rule]:
    yield Rule(
        'kubeflow.notebook.server.created.count', NotebookAttempt, lambda attempt: [f'namespace:{attempt.namespace}']
    )
    yield Rule(
        'kubeflow.notebook.server.failed.count',
        NotebookAttempt,
        lambda attempt: [f'namespace:{attempt.namespace}'] if attempt.failed else None,
    )


INFERENCES = 'kubeflow.kserve.inferences.count'
ERRORS = 'kubeflow.kserve.inference.errors.count'
TIMED = 'kubeflow.kserve.inference.duration.seconds.count'


def rules(endpoint: str, release: str) -> tuple[Rule, ...]:
    """What is compared at an endpoint of the simulator, by its name and the release of its component."""
    match endpoint:
        case 'katib-controller':
            return tuple(_katib())
        case 'training-operator':
            return tuple(_training(release))
        case 'notebook-controller':
            return tuple(_notebooks())
        case 'kfam':
            return (Rule('kubeflow.kfam.requests.count', AccessRequest, lambda each: None if each.error else []),)
        case 'kserve-server':
            return (_inferences(KSERVE, INFERENCES, _predicted), _inferences(KSERVE, TIMED, _predicted))
        case 'qpext':
            return (_inferences(AGGREGATED, INFERENCES, _predicted), _inferences(AGGREGATED, TIMED, _predicted))
        case 'mlserver':
            # A body that is none does not reach the model.
            return (
                _inferences(MLSERVER, INFERENCES, lambda each: _posted(each) and each.status != 422, by_model=False),
                _inferences(MLSERVER, ERRORS, lambda each: each.status in (400, 404, 500), by_model=False),
            )
        case 'queue-proxy-opencensus':
            return (
                _inferences(OPENCENSUS, INFERENCES, lambda each: True, by_model=False),
                _inferences(OPENCENSUS, ERRORS, _broken, by_model=False),
            )
        case 'queue-proxy-otel':
            return (
                _inferences(OPENTELEMETRY, INFERENCES, _posted, by_model=False),
                _inferences(OPENTELEMETRY, ERRORS, _broken, by_model=False),
            )
        case 'scheduledworkflow-controller':
            return (Rule('kubeflow.pipeline.scheduled_workflow.throughput.count', ScheduleSync, lambda sync: []),)
        case 'argo-3.7' | 'argo-4.0':
            return (Rule('kubeflow.pipeline.run.phase.count', PhaseChange, _run_phase),)
    return ()


class Ledger:
    """Counts, for each endpoint, what a check that scraped it could know.

    What happened before the first scrape is not counted, and what happened between the last scrape before a restart
    and the restart is lost with the process.
    """

    def __init__(self, world: World, releases: Mapping[str, str]):
        """`releases` gives the release of the component behind each endpoint, by the endpoint's name."""
        self._happened: dict[str, Counter[Counted]] = defaultdict(Counter)
        self._known: dict[str, Counter[Counted]] = {}
        self._unknowable: dict[str, Counter[Counted]] = defaultdict(Counter)
        for endpoint, release in releases.items():
            for rule in rules(endpoint, release):
                world.listen(rule.event, lambda event, endpoint=endpoint, rule=rule: self._count(endpoint, rule, event))

    def _count(self, endpoint: str, rule: Rule, event: object) -> None:
        tags = rule.tags(event)
        if tags is not None:
            self._happened[endpoint][rule.metric, tuple(sorted(tags))] += 1

    def scraped(self, endpoint: str) -> None:
        """The check read that endpoint."""
        if endpoint not in self._known:
            self._unknowable[endpoint] = Counter(self._happened[endpoint])
        self._known[endpoint] = Counter(self._happened[endpoint])

    def restarted(self, endpoint: str) -> None:
        """The component behind that endpoint begins anew."""
        if endpoint not in self._known:
            return
        happened = self._happened[endpoint]
        self._unknowable[endpoint] += happened - self._known[endpoint]
        self._known[endpoint] = Counter(happened)

    def expected(self, endpoint: str) -> Counter[Counted]:
        """What the check must have counted by its last scrape."""
        return self._known.get(endpoint, Counter()) - self._unknowable[endpoint]
