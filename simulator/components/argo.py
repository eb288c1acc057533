# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Argo's workflow-controller, which runs the Workflow of each pipeline run."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import Gauge, Histogram, Metric

from ..events import PodUnschedulable
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import DELETED, PhaseChange, World, WorldObject
from .component import Component

PHASES = ('Pending', 'Running', 'Succeeded', 'Failed', 'Error')
FINISHED = PHASES[2:]


class _Argo(Component):
    """What all releases have, with the run duration histogram that an operator adds by `workflowDefaults`.

    The gauge counts Workflow objects of all namespaces and has all five phases, zeros included. A Workflow has one pod
    here. A failed Workflow is a warning in the log, one that ended in an error is an error.
    """

    id = 'argo-workflow-controller'
    program = 'Argo workflow-controller'
    dialect = GO

    # Names that changed with 3.6, and how the log calls a warning.
    depth: str
    log: str
    warning: str
    # The release of Go it was built with, and the groups of `runtime.yaml` that its client_golang adds.
    go_release: str
    runtime: tuple[str, ...]

    QUEUES = ('cron_wf_queue', 'pod_cleanup_queue', 'workflow_queue', 'workflow_ttl_queue', 'workflow_archive_queue')
    CAUSES = ('OperationPanic', 'CronWorkflowSubmissionError', 'CronWorkflowSpecError')
    # The bounds which the workflowDefaults snippet suggests, in seconds.
    DURATION_BUCKETS = (30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    MISSING_POD = {'node_phase': 'Running', 'recently_started': 'false'}

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._random = world.random(self.id)
        self._durations = Histogram(
            'argo_workflows_pipeline_run_duration_seconds',
            'Duration of finished pipeline runs in seconds',
            ['status', 'workflow_namespace'],
            buckets=self.DURATION_BUCKETS,
            registry=self.registry,
        )
        self._operations = Histogram(
            'argo_workflows_operation_duration_seconds',
            'Time of one reconcile of a workflow',
            buckets=(5, 10, 15, 20, 25, 30),
            registry=self.registry,
        )
        self._requests = self._counter(
            'argo_workflows_k8s_request_total', 'Calls to the Kubernetes API', 'kind status_code verb'
        )
        self._logs = self._counter(self.log, 'Lines logged', 'level')
        self._init_queues()
        errors = self._counter('argo_workflows_error_count', 'Errors of the controller', 'cause')
        for cause in self.CAUSES:
            errors.labels(cause)
        self.registry.register(self)
        GoRuntime(world, self.registry, *self.runtime, release=self.go_release)
        world.listen(PhaseChange, self._on_change)

    def _counter(self, name: str, text: str, labels: str = '') -> RawCounter:
        return RawCounter(name, text, labels.split(), registry=self.registry)

    def _gauge(self, name: str, text: str, labels: str = '') -> Gauge:
        return Gauge(name, text, labels.split(), registry=self.registry)

    def _init_queues(self) -> None:
        depth = self._gauge(self.depth, 'Items waiting', 'queue_name')
        busy = self._gauge('argo_workflows_workers_busy_count', 'Workers busy', 'worker_type')
        self._adds = self._counter('argo_workflows_queue_adds_count', 'Items added', 'queue_name')
        self._waits = Histogram(
            'argo_workflows_queue_latency',
            'Time an item waits',
            ['queue_name'],
            buckets=(1, 5, 20, 60, 180),
            registry=self.registry,
        )
        for queue in self.QUEUES:
            depth.labels(queue)
            busy.labels(queue)
            self._adds.labels(queue)
            self._waits.labels(queue)

    def _on_change(self, change: PhaseChange) -> None:
        run = change.object
        if run.kind != 'run':
            return
        self._operate('workflow_queue')
        self._operations.observe(self._random.uniform(0.02, 0.4))
        self._requests.labels('workflows', '200', 'Update').inc()
        self._logs.labels('info').inc(4)
        if change.phase == 'Running':
            self._requests.labels('pods', '201', 'Create').inc()
        elif change.phase in FINISHED:
            self._durations.labels(change.phase, run.namespace).observe(change.age)
            if change.phase == 'Failed':
                self._logs.labels(self.warning).inc()
            elif change.phase == 'Error':
                self._logs.labels('error').inc()
        elif change.phase == DELETED:
            self._operate('workflow_ttl_queue')

    def _operate(self, queue: str) -> None:
        self._adds.labels(queue).inc()
        self._waits.labels(queue).observe(self._random.uniform(0.001, 1.5))

    def _state(self, held: Counter[str], workflows: tuple[str, str], pods: tuple[str, str]) -> Iterable[Metric]:
        """The gauges of what there is, where `held` workflows are in each phase. A name goes with its label."""
        name, label = workflows
        family = Metric(name, 'Workflows that exist, by phase', 'gauge')
        for phase in PHASES:
            family.add_sample(name, {label: phase}, held[phase])
        yield family
        name, label = pods
        family = Metric(name, 'Pods of workflows, by phase', 'gauge')
        for phase in PHASES[:2]:
            family.add_sample(name, {label: phase}, held[phase])
        yield family
        family = Metric('argo_workflows_workflow_condition', 'Workflows by condition', 'gauge')
        for status, number in (('True', held['Running']), ('False', held.total() - held['Running'])):
            family.add_sample(family.name, {'type': 'PodRunning', 'status': status}, number)
        yield family


class LegacyArgo(_Argo):
    """workflow-controller up to 3.5. It looks every 15 seconds how many workflows there are."""

    depth = 'argo_workflows_queue_depth_count'
    log = 'log_messages'
    warning = 'warning'
    go_release = 'go1.23.1'
    # client_golang 1.16.
    runtime = ('go_lookups',)

    REFRESH = 15.0

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._start = world.now
        self._rounds = 0
        self._phases = {run.name: run.phase for run in world.objects('run')}
        self._seen = Counter(self._phases.values())
        self._processed = self._counter('argo_workflows_workflows_processed_count', 'Workflows looked at')
        self._missing = self._gauge('argo_pod_missing', 'Pods that are gone', 'node_phase recently_started')

    def _on_change(self, change: PhaseChange) -> None:
        run = change.object
        if run.kind != 'run':
            return
        self._look()
        if change.phase == DELETED:
            self._phases.pop(run.name)
        else:
            self._phases[run.name] = change.phase
        super()._on_change(change)
        self._processed.inc()
        if change.phase == 'Error':
            self._missing.labels(**self.MISSING_POD).inc()

    def _look(self) -> None:
        """Take what there is now for what there was at the last round, if that is not done yet."""
        rounds = int((self.world.now - self._start) // self.REFRESH)
        if rounds > self._rounds:
            self._rounds = rounds
            self._seen = Counter(self._phases.values())

    def collect(self) -> Iterable[Metric]:
        self._look()
        yield from self._state(self._seen, ('argo_workflows_count', 'status'), ('argo_workflows_pods_count', 'status'))


class Argo(_Argo):
    """workflow-controller from 3.6 on. The label of `argo_workflows_gauge` is `status`, from 4.0 on `phase`.

    Without the histograms `argo_workflows_k8s_request_duration` and `argo_workflows_queue_duration`, whose bounds are
    not known.
    """

    depth = 'argo_workflows_queue_depth_gauge'
    log = 'argo_workflows_log_messages'
    warning = 'warn'
    go_release = 'go1.24.10'
    # client_golang 1.22.
    runtime = ('process_network',)

    # A pod that waited longer than so many seconds did not find a node.
    UNSCHEDULABLE = 4.0
    VERSION = {
        'platform': 'linux/amd64',
        'go_version': go_release,
        'build_date': '2025-11-03T09:00:00Z',
        'compiler': 'gc',
        'git_commit': '0000000',
        'git_tree_state': 'clean',
    }

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._pending = {run.name for run in world.objects('run') if run.phase == 'Pending'}
        self._entered = self._counter('argo_workflows_total_count', 'Workflows that entered a phase', 'namespace phase')
        self._pods_entered = self._counter(
            'argo_workflows_pods_total_count', 'Pods that entered a phase', 'namespace phase'
        )
        self._waiting = self._counter('argo_workflows_pod_pending_count', 'Pods that had to wait', 'namespace reason')
        self._missing = self._counter('argo_workflows_pod_missing', 'Pods that are gone', 'node_phase recently_started')
        retries = self._counter('argo_workflows_queue_retries', 'Items added again', 'queue_name')
        still = [
            self._gauge('argo_workflows_queue_longest_running', 'Oldest work begun', 'queue_name'),
            self._gauge('argo_workflows_queue_unfinished_work', 'Work begun and not over', 'queue_name'),
        ]
        for queue in self.QUEUES:
            for family in (retries, *still):
                family.labels(queue)
        self._gauge('argo_workflows_is_leader', '1 on the leader').set(1)
        version = self._counter(
            'argo_workflows_version', 'The release of the controller', ' '.join(['version', 'git_tag', *self.VERSION])
        )
        version.labels(version=f'v{release}.0', git_tag=f'v{release}.0', **self.VERSION).inc()
        world.listen(PodUnschedulable, self._on_unschedulable)

    def _on_change(self, change: PhaseChange) -> None:
        super()._on_change(change)
        run = change.object
        if run.kind != 'run':
            return
        # A run that is retried was not pending again.
        waited = run.name in self._pending
        if change.phase == 'Pending':
            self._pending.add(run.name)
        else:
            self._pending.discard(run.name)
        if change.phase == DELETED:
            return
        self._entered.labels(run.namespace, change.phase).inc()
        pod = 'Failed' if change.phase == 'Error' else change.phase
        self._pods_entered.labels(run.namespace, pod).inc()
        if change.phase == 'Running' and waited and change.age > self.UNSCHEDULABLE:
            self._count_waiting(run)
        elif change.phase == 'Error':
            self._missing.labels(**self.MISSING_POD).inc()

    def _count_waiting(self, run: WorldObject) -> None:
        self._waiting.labels(run.namespace, 'Unschedulable').inc()

    def _on_unschedulable(self, pod: PodUnschedulable) -> None:
        self._count_waiting(pod.run)
        # Not once more when it runs at last.
        self._pending.discard(pod.run.name)

    def collect(self) -> Iterable[Metric]:
        held = Counter(run.phase for run in self.world.objects('run'))
        label = 'phase' if self.release_number >= (4, 0) else 'status'
        yield from self._state(held, ('argo_workflows_gauge', label), ('argo_workflows_pods_gauge', 'phase'))
