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


class PipelinesAPIServer(Component):
    """The API server of Kubeflow Pipelines 2.16.

    Its counters have no `_total`, save those of gRPC. The `_count` gauges are differences since the process started
    and not numbers of objects; scheduled runs never pass CreateRun.
    """

    id = 'pipelines-api-server'
    title = 'Pipelines API server 2.16'
    dialect = GO

    REQUESTS = {
        'run_server': 'create get list delete archive unarchive report_metrics read_artifact terminate retry',
        'job_server': 'create get list delete disable enable',
        'pipeline_server': (
            'create get list delete create_version get_version list_version delete_version update_default_version'
        ),
        'experiment_server': 'create get list delete archive unarchive',
    }
    DIFFERENCES = (
        'run_server_run_count',
        'job_server_job_count',
        'pipeline_server_pipeline_count',
        'pipeline_server_pipeline_version_count',
        'experiment_server_run_count',
    )
    GRPC_BUCKETS = (0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 15, 30, 60, 120, 300)
    RUN_SERVICE = 'kubeflow.pipelines.backend.api.v2beta1.RunService'

    def __init__(self, world: World):
        super().__init__(world)
        self._random = world.random(self.id)
        names = [f'{server}_{call}_requests' for server, calls in self.REQUESTS.items() for call in calls.split()]
        names += ['pipeline_upload_requests', 'pipeline_version_upload_requests', 'resource_manager_workflow_gc']
        self._counters = {name: RawCounter(name, 'Requests served', registry=self.registry) for name in names}
        self._differences = {
            name: Gauge(name, 'Made less deleted', registry=self.registry) for name in self.DIFFERENCES
        }
        self._finished: dict[str, Counter[tuple[str, str]]] = {'success': Counter(), 'failed': Counter()}
        self.registry.register(self)
        self._gap = Histogram(
            'resource_manager_recurring_run_report_gap',
            'Seconds from the start of a scheduled run to its first report',
            buckets=tuple(0.5 * 2**power for power in range(10)),
            registry=self.registry,
        )
        self._init_grpc()
        GoRuntime(self.registry)
        world.listen(PhaseChange, self._on_change)

    def _init_grpc(self) -> None:
        labels = ['grpc_type', 'grpc_service', 'grpc_method']
        self._calls = [
            RawCounter(f'grpc_server_{name}_total', 'Calls', labels, registry=self.registry)
            for name in ('started', 'msg_received', 'msg_sent')
        ]
        self._handled = RawCounter(
            'grpc_server_handled_total', 'Calls answered', [*labels, 'grpc_code'], registry=self.registry
        )
        self._handling = Histogram(
            'grpc_server_handling_seconds', 'Time of calls', labels, buckets=self.GRPC_BUCKETS, registry=self.registry
        )

    def _call(self, method: str) -> None:
        labels = ('unary', self.RUN_SERVICE, method)
        for counter in self._calls:
            counter.labels(*labels).inc()
        self._handled.labels(*labels, 'OK').inc()
        self._handling.labels(*labels).observe(0.01 * self._random.lognormvariate(0, 1))

    def _on_change(self, change: PhaseChange) -> None:
        run = change.object
        if run.kind != 'run':
            return
        if change.phase == 'Pending' and run.flavour == 'one-off':
            self._counters['run_server_create_requests'].inc()
            self._differences['run_server_run_count'].inc()
            self._call('CreateRun')
        elif change.phase == 'Running':
            # Somebody looks at the list as soon as a run is under way.
            for call, method in (('list', 'ListRuns'), ('get', 'GetRun')):
                self._counters[f'run_server_{call}_requests'].inc()
                self._call(method)
            if run.flavour == 'recurring':
                self._gap.observe(change.age)
        elif change.phase in ('Succeeded', 'Failed', 'Error'):
            outcome = 'success' if change.phase == 'Succeeded' else 'failed'
            self._finished[outcome][run.namespace, run.name] += 1
        elif change.phase == DELETED:
            self._counters['resource_manager_workflow_gc'].inc()

    def collect(self) -> Iterable[Metric]:
        """Finished runs: gauges with one sample of value 1 for each workflow, for the life of the process."""
        for outcome, runs in self._finished.items():
            family = Metric(f'resource_manager_workflow_runs_{outcome}', 'Runs finished', 'gauge')
            for (namespace, workflow), number in runs.items():
                family.add_sample(family.name, {'profile': namespace, 'workflow': workflow}, number)
            yield family
