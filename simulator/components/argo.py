# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections import Counter
from collections.abc import Iterable

from prometheus_client import Gauge, Histogram, Metric

from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import DELETED, PhaseChange, World
from .component import Component


class Argo(Component):
    """Argo workflow-controller 3.7 with the run duration histogram that an operator adds by `workflowDefaults`.

    The gauge counts Workflow objects of all namespaces and has all five phases, zeros included.
    """

    id = 'argo-workflow-controller'
    title = 'Argo workflow-controller 3.7'
    dialect = GO

    PHASES = ('Pending', 'Running', 'Succeeded', 'Failed', 'Error')
    FINISHED = PHASES[2:]
    QUEUES = ('cron_wf_queue', 'pod_cleanup_queue', 'workflow_queue', 'workflow_ttl_queue', 'workflow_archive_queue')
    # The bounds which the workflowDefaults snippet suggests, in seconds.
    DURATION_BUCKETS = (30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400)

    def __init__(self, world: World):
        super().__init__(world)
        self._random = world.random(self.id)
        self.registry.register(self)
        self._entered = self._counter('total_count', 'Workflows that entered a phase', ['namespace', 'phase'])
        self._pods_entered = self._counter('pods_total_count', 'Pods that entered a phase', ['namespace', 'phase'])
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
        self._adds = self._counter('queue_adds_count', 'Items added to a queue', ['queue_name'])
        self._requests = self._counter(
            'k8s_request_total', 'Calls to the Kubernetes API', ['kind', 'status_code', 'verb']
        )
        self._init_constant()
        GoRuntime(self.registry)
        world.listen(PhaseChange, self._on_change)

    def _counter(self, name: str, text: str, labels: list[str]) -> RawCounter:
        return RawCounter(f'argo_workflows_{name}', text, labels, registry=self.registry)

    def _init_constant(self) -> None:
        depth = Gauge('argo_workflows_queue_depth_gauge', 'Items waiting', ['queue_name'], registry=self.registry)
        busy = Gauge('argo_workflows_workers_busy_count', 'Workers busy', ['worker_type'], registry=self.registry)
        for queue in self.QUEUES:
            depth.labels(queue)
            busy.labels(queue)
            self._adds.labels(queue)
        errors = self._counter('error_count', 'Errors of the controller', ['cause'])
        for cause in ('OperationPanic', 'CronWorkflowSubmissionError', 'CronWorkflowSpecError'):
            errors.labels(cause)
        Gauge('argo_workflows_is_leader', '1 on the leader', registry=self.registry).set(1)

    def _on_change(self, change: PhaseChange) -> None:
        run = change.object
        if run.kind != 'run':
            return
        self._adds.labels('workflow_queue').inc()
        self._operations.observe(self._random.uniform(0.02, 0.4))
        self._requests.labels('workflows', '200', 'Update').inc()
        if change.phase == DELETED:
            self._adds.labels('workflow_ttl_queue').inc()
            return
        self._entered.labels(run.namespace, change.phase).inc()
        if change.phase == 'Running':
            for phase in self.PHASES[:2]:
                self._pods_entered.labels(run.namespace, phase).inc()
            self._requests.labels('pods', '201', 'Create').inc()
        elif change.phase in self.FINISHED:
            self._pods_entered.labels(run.namespace, 'Succeeded' if change.phase == 'Succeeded' else 'Failed').inc()
            self._durations.labels(change.phase, run.namespace).observe(change.age)

    def collect(self) -> Iterable[Metric]:
        held = Counter(run.phase for run in self.world.objects('run'))
        workflows = Metric('argo_workflows_gauge', 'Workflows that exist, by phase', 'gauge')
        for phase in self.PHASES:
            workflows.add_sample(workflows.name, {'status': phase}, held[phase])
        yield workflows
        pods = Metric('argo_workflows_pods_gauge', 'Pods of workflows, by phase', 'gauge')
        for phase in self.PHASES[:2]:
            pods.add_sample(pods.name, {'phase': phase}, held[phase])
        yield pods
