# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What controller-runtime adds to the endpoint of every controller built on it."""

from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric

from .exposition import RawCounter
from .world import World

RESULTS = ('success', 'error', 'requeue', 'requeue_after')

# The 40 bounds of controller-runtime 0.7 and later, in seconds.
RECONCILE_BUCKETS = tuple(
    float(bound)
    for bound in (
        '0.005 0.01 0.025 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.45 0.5 0.6 0.7 0.8 0.9 1 1.25 1.5 1.75 2 2.5 3 3.5 4 '
        '4.5 5 6 7 8 9 10 15 20 25 30 40 50 60'
    ).split()
)
WORKQUEUE_BUCKETS = (1e-08, 1e-07, 1e-06, 9.999999999999999e-06, 9.999999999999999e-05, 0.001, 0.01, 0.1, 1, 10)
# Two bounds more from controller-runtime 0.17 on.
WORKQUEUE_BUCKETS_0_17 = (*WORKQUEUE_BUCKETS, 100, 1000)

API_SERVER = '10.96.0.1:443'


class ControllerRuntime:
    """The families of one controller manager.

    `release` is the controller-runtime release as (major, minor): it decides which families exist and which labels
    the workqueue carries (`controller` from 0.19, `priority` on the depth from 0.21).
    """

    def __init__(
        self,
        world: World,
        registry: CollectorRegistry,
        controllers: tuple[str, ...],
        release: tuple[int, int],
        component: str,
    ):
        self._random = world.random(f'reconcile:{component}')
        self._release = release
        label = ['controller']
        self._reconciles = RawCounter(
            'controller_runtime_reconcile_total',
            'Reconciles per controller and result',
            [*label, 'result'],
            registry=registry,
        )
        self._errors = RawCounter(
            'controller_runtime_reconcile_errors_total', 'Reconciles that ended in an error', label, registry=registry
        )
        self._seconds = Histogram(
            'controller_runtime_reconcile_time_seconds',
            'Time one reconcile took',
            label,
            buckets=RECONCILE_BUCKETS,
            registry=registry,
        )
        active = Gauge('controller_runtime_active_workers', 'Workers busy now', label, registry=registry)
        limit = Gauge('controller_runtime_max_concurrent_reconciles', 'Workers at most', label, registry=registry)
        constant = []
        if release >= (0, 15):
            constant.append(('controller_runtime_terminal_reconcile_errors_total', 'Errors that are not retried'))
        if release >= (0, 19):
            constant.append(('controller_runtime_reconcile_panics_total', 'Reconciles that panicked'))
        quiet = [RawCounter(name, text, label, registry=registry) for name, text in constant]
        self._requests = RawCounter(
            'rest_client_requests_total', 'Calls to the Kubernetes API', ['code', 'method', 'host'], registry=registry
        )
        if release >= (0, 12):
            RawCounter('certwatcher_read_certificate_total', 'Certificate files read', registry=registry)
            RawCounter('certwatcher_read_certificate_errors_total', 'Certificate files not read', registry=registry)
        self._workqueue(registry)
        for controller in controllers:
            for result in RESULTS:
                self._reconciles.labels(controller, result)
            for family in (self._errors, active, *quiet):
                family.labels(controller)
            limit.labels(controller).set(1)
            self._fill_queue(controller)

    def _workqueue(self, registry: CollectorRegistry) -> None:
        labels = ['name', 'controller'] if self._release >= (0, 19) else ['name']
        buckets = WORKQUEUE_BUCKETS_0_17 if self._release >= (0, 17) else WORKQUEUE_BUCKETS
        depth_labels = [*labels, 'priority'] if self._release >= (0, 21) else labels
        self._depth = Gauge('workqueue_depth', 'Items waiting', depth_labels, registry=registry)
        self._adds = RawCounter('workqueue_adds_total', 'Items added', labels, registry=registry)
        self._retries = RawCounter('workqueue_retries_total', 'Items added again', labels, registry=registry)
        self._waits = Histogram(
            'workqueue_queue_duration_seconds', 'Time an item waits', labels, buckets=buckets, registry=registry
        )
        self._works = Histogram(
            'workqueue_work_duration_seconds', 'Time an item takes', labels, buckets=buckets, registry=registry
        )
        self._still = [
            Gauge('workqueue_unfinished_work_seconds', 'Work begun and not over', labels, registry=registry),
            Gauge('workqueue_longest_running_processor_seconds', 'Oldest work begun', labels, registry=registry),
        ]

    def _queue_labels(self, controller: str) -> tuple[str, ...]:
        return (controller, controller) if self._release >= (0, 19) else (controller,)

    def _fill_queue(self, controller: str) -> None:
        labels = self._queue_labels(controller)
        # Without the priority queue, which is off by default up to 0.22, the label is empty.
        self._depth.labels(*labels, *(('',) if self._release >= (0, 21) else ()))
        for family in (self._adds, self._retries, self._waits, self._works, *self._still):
            family.labels(*labels)

    def reconcile(self, controller: str) -> None:
        """One reconcile of that controller: mostly successful, at times a conflict, at times put off."""
        result = self._random.choices(RESULTS, (86, 4, 4, 6))[0]
        seconds = 0.02 * self._random.lognormvariate(0, 1.2)
        labels = self._queue_labels(controller)
        self._reconciles.labels(controller, result).inc()
        self._seconds.labels(controller).observe(seconds)
        self._adds.labels(*labels).inc()
        self._waits.labels(*labels).observe(self._random.uniform(5e-06, 5e-04))
        self._works.labels(*labels).observe(seconds)
        self._requests.labels('200', self._random.choice(('GET', 'PATCH', 'PUT')), API_SERVER).inc()
        if result == 'error':
            self._errors.labels(controller).inc()
            self._retries.labels(*labels).inc()
            self._requests.labels('409', 'PUT', API_SERVER).inc()


class Webhooks:
    """Admission webhooks of a manager on controller-runtime 0.21 or 0.22.

    There the latency histogram has native buckets alone, so its text form is one `+Inf` bucket.
    """

    def __init__(self, world: World, registry: CollectorRegistry, paths: tuple[str, ...], component: str):
        self._random = world.random(f'webhooks:{component}')
        self._latencies: dict[str, tuple[int, float]] = {}
        self._requests = RawCounter(
            'controller_runtime_webhook_requests_total', 'Admission requests', ['webhook', 'code'], registry=registry
        )
        in_flight = Gauge(
            'controller_runtime_webhook_requests_in_flight', 'Admission requests now', ['webhook'], registry=registry
        )
        RawCounter('controller_runtime_webhook_panics_total', 'Admission requests that panicked', registry=registry)
        for path in paths:
            in_flight.labels(path)
            for code in ('200', '500'):
                self._requests.labels(path, code)
        registry.register(self)

    def call(self, path: str) -> None:
        """One admission request, answered."""
        calls, seconds = self._latencies.get(path, (0, 0.0))
        self._latencies[path] = (calls + 1, seconds + self._random.uniform(0.001, 0.01))
        self._requests.labels(path, '200').inc()

    def collect(self):
        family = Metric('controller_runtime_webhook_latency_seconds', 'Time of admission requests', 'histogram')
        for path, (calls, seconds) in self._latencies.items():
            labels = {'webhook': path}
            family.add_sample(f'{family.name}_bucket', {**labels, 'le': '+Inf'}, calls)
            family.add_sample(f'{family.name}_sum', labels, seconds)
            family.add_sample(f'{family.name}_count', labels, calls)
        yield family
