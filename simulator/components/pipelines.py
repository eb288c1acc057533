# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The API server of Kubeflow Pipelines and the controller of its recurring runs."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Gauge, Histogram, Metric

from ..controller_runtime import DEFAULT_BUCKETS
from ..events import PipelinesCall, ScheduleQueued, ScheduleSync, WorkflowCollected
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import World, WorldObject, to_microsecond
from .argo import FINISHED
from .component import Component

_API: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8'))


class PipelinesAPIServer(Component):
    """The API server of Kubeflow Pipelines 2.3 to 2.16.

    Its counters have no `_total`, save those of gRPC, which it has from 2.16 on. The `_count` gauges are differences
    since the process started and not numbers of objects: scheduled runs never pass CreateRun, but users delete them.
    """

    id = 'pipelines-api-server'
    program = 'Pipelines API server'
    dialect = GO

    GRPC_BUCKETS = (0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 15, 30, 60, 120, 300)
    GRPC_PACKAGE = 'kubeflow.pipelines.backend.api.v2beta1'

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._random = world.random(self.id)
        names = ['_'.join(filter(None, (p, c, 'requests'))) for p, calls in _API['counters'].items() for c in calls]
        self._counters = {name: RawCounter(name, 'Requests served', registry=self.registry) for name in names}
        self._collected = RawCounter('resource_manager_workflow_gc', 'Workflows deleted', registry=self.registry)
        self._differences = {name: Gauge(name, 'Made less deleted', registry=self.registry) for name in _API['gauges']}
        self._finished: dict[str, Counter[tuple[str, str]]] = {'success': Counter(), 'failed': Counter()}
        self.registry.register(self)
        self._has_grpc = self.release_number >= (2, 16)
        if self._has_grpc:
            self._init_2_16()
        GoRuntime(world, self.registry)
        world.listen(PipelinesCall, self._on_call)
        world.listen(WorkflowCollected, self._on_collection)

    def _init_2_16(self) -> None:
        self._gap = Histogram(
            'resource_manager_recurring_run_report_gap',
            'Seconds from the start of a scheduled run to its first report',
            buckets=tuple(0.5 * 2**power for power in range(10)),
            registry=self.registry,
        )
        labels = ['grpc_type', 'grpc_service', 'grpc_method']
        self._started, self._received, self._sent = (
            RawCounter(f'grpc_server_{name}_total', 'Calls', labels, registry=self.registry)
            for name in ('started', 'msg_received', 'msg_sent')
        )
        self._handled = RawCounter(
            'grpc_server_handled_total', 'Calls answered', [*labels, 'grpc_code'], registry=self.registry
        )
        self._handling = Histogram(
            'grpc_server_handling_seconds', 'Time of calls', labels, buckets=self.GRPC_BUCKETS, registry=self.registry
        )

    def _on_call(self, call: PipelinesCall) -> None:
        effect = _API['calls'][call.method]
        until = effect.get('until')
        if 'counter' in effect and (until is None or self.release_number < tuple(map(int, until.split('.')))):
            self._counters[effect['counter']].inc()
        if call.code == 'OK':
            for name, difference in effect.get('gauge', {}).items():
                self._differences[name].inc(difference)
            if call.run is not None:
                self._on_run(call.method, call.run, call.first)
        if self._has_grpc and 'service' in effect:
            self._on_grpc(f'{self.GRPC_PACKAGE}.{effect["service"]}Service', call)

    def _on_run(self, method: str, run: WorldObject, first: bool) -> None:
        outcome = 'success' if run.phase == 'Succeeded' else 'failed'
        if method == 'ReportWorkflow' and run.phase in FINISHED:
            self._finished[outcome][run.namespace, run.name] += 1
        elif method == 'DeleteRun':
            # By its display name, so that this takes nothing away from the series of its workflow.
            self._finished[outcome][run.namespace, run.title] -= 1
        if self._has_grpc and first and run.flavour == 'recurring':
            self._gap.observe(self.world.now - run.born)

    def _on_grpc(self, service: str, call: PipelinesCall) -> None:
        labels = ('unary', service, call.method)
        self._started.labels(*labels).inc()
        self._received.labels(*labels).inc()
        if call.code == 'OK':
            self._sent.labels(*labels).inc()
        self._handled.labels(*labels, call.code).inc()
        self._handling.labels(*labels).observe(to_microsecond(0.01 * self._random.lognormvariate(0, 1)))

    def _on_collection(self, _: WorkflowCollected) -> None:
        self._collected.inc()

    def collect(self) -> Iterable[Metric]:
        """Finished runs: gauges with one sample for each workflow or deleted run, for the life of the process."""
        for outcome, runs in self._finished.items():
            family = Metric(f'resource_manager_workflow_runs_{outcome}', 'Runs finished less runs deleted', 'gauge')
            for (namespace, workflow), number in runs.items():
                family.add_sample(family.name, {'profile': namespace, 'workflow': workflow}, number)
            yield family


class ScheduledWorkflowController(Component):
    """The controller of recurring runs, which has an endpoint from Pipelines 2.16 on.

    The time of an item includes the wait for it. The size of the queue is what it was when an item was last added.
    """

    id = 'scheduledworkflow-controller'
    program = 'Scheduled-workflow controller'
    dialect = GO

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._random = world.random(self.id)
        self._items = Histogram(
            'process_scheduled_workflow_duration_seconds',
            'Time from one item to the next',
            ['status'],
            buckets=DEFAULT_BUCKETS,
            registry=self.registry,
        )
        self._operations = Histogram(
            'scheduled_workflow_duration_operation_seconds',
            'Time of the calls for an item',
            ['operation', 'status'],
            buckets=DEFAULT_BUCKETS,
            registry=self.registry,
        )
        self._size = Gauge('scheduled_workflow_queue_size', 'Items in the queue', registry=self.registry)
        self._handled = RawCounter('scheduled_workflow_throughput_total', 'Items handled', registry=self.registry)
        self._last = world.now
        GoRuntime(world, self.registry)
        world.listen(ScheduleSync, self._on_sync)
        world.listen(ScheduleQueued, self._on_queued)

    def _on_queued(self, queued: ScheduleQueued) -> None:
        self._size.set(queued.length)

    def _on_sync(self, sync: ScheduleSync) -> None:
        if not sync.waited:
            self._size.set(self._random.randint(0, 2))
        self._handled.inc()
        self._items.labels('error' if sync.failed else 'ok').observe(self.world.now - self._last)
        self._last = self.world.now
        for operation in ('swfget', 'swflist', 'swflistcompleted'):
            self._operate(operation, sync.lag)
        if sync.submitted or sync.failed:
            self._operate('swfsubmit', sync.lag, sync.failed)
        if sync.submitted:
            self._operate('swfupdate', sync.lag)

    def _operate(self, operation: str, lag: float, failed: bool = False) -> None:
        seconds = lag + to_microsecond(0.008 * self._random.lognormvariate(0, 1))
        self._operations.labels(operation, 'error' if failed else 'ok').observe(seconds)
