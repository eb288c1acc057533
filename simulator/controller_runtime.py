# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What controller-runtime adds to the endpoint of every controller built on it."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric

from .exposition import RawCounter
from .runtime import GoRuntime
from .world import IncidentEnded, World, to_microsecond

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
# The default of client_golang.
DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

API_SERVER = '10.96.0.1:443'

# The share of the reconciles of a controller that fails in an incident.
FAILING = 0.7
STUCK = 'controller-workqueue-stuck'


def backoff(failures: int) -> float:
    """Seconds after which client-go tries again what failed, `failures` times before, and now once more."""
    return min(0.005 * 2**failures, 1000.0)


class ControllerRuntime:
    """The families of one controller manager, those of its Go process among them.

    `release` is the controller-runtime release as (major, minor), from 0.11 to 0.22: it decides which families exist
    and which labels the workqueue carries (`controller` from 0.19, `priority` on the depth from 0.21). `runtime` are
    the groups of `runtime.yaml` that its client_golang adds.

    A controller has one worker, which is free again at once unless an incident has it hang. What comes meanwhile waits,
    each object once; and it is worked off when the incident is over.
    """

    def __init__(
        self,
        world: World,
        registry: CollectorRegistry,
        controllers: tuple[str, ...],
        release: tuple[int, int],
        component: str,
        runtime: tuple[str, ...] = (),
    ):
        self._world = world
        self._random = world.random(f'reconcile:{component}')
        self._trouble = world.random(f'reconcile trouble:{component}')
        self._closed = False
        # By controller: since when each object waits, in their order; since when it is busy; with what it hangs.
        self._waiting: dict[str, dict[str, float]] = {controller: {} for controller in controllers}
        self._busy: dict[str, float] = {}
        self._hung: dict[str, str] = {}
        self._release = release
        self._init_reconciles(registry, controllers)
        self._init_workqueue(registry)
        self._requests = RawCounter(
            'rest_client_requests_total', 'Calls to the Kubernetes API', ['code', 'method', 'host'], registry=registry
        )
        constant = ['certwatcher_read_certificate_total', 'certwatcher_read_certificate_errors_total']
        for name in (constant if release >= (0, 12) else []) + (
            ['controller_runtime_webhook_panics_total'] if release >= (0, 19) else []
        ):
            RawCounter(name, 'Stays at 0 here', registry=registry)
        for controller in controllers:
            self._fill_queue(controller)
        extras = ['go_all'] if release >= (0, 21) else []
        GoRuntime(world, registry, *extras, *runtime)

    def _init_reconciles(self, registry: CollectorRegistry, controllers: tuple[str, ...]) -> None:
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
        self._active = Gauge('controller_runtime_active_workers', 'Workers busy now', label, registry=registry)
        limit = Gauge('controller_runtime_max_concurrent_reconciles', 'Workers at most', label, registry=registry)
        quiet = []
        if self._release >= (0, 19):
            # The first is in 0.15 already, without a series before the first of these errors.
            for name in ('terminal_reconcile_errors', 'reconcile_panics'):
                quiet.append(
                    RawCounter(f'controller_runtime_{name}_total', 'Reconciles that ended so', label, registry=registry)
                )
        for controller in controllers:
            for result in RESULTS:
                self._reconciles.labels(controller, result)
            for family in (self._errors, self._active, *quiet):
                family.labels(controller)
            limit.labels(controller).set(1)

    def _init_workqueue(self, registry: CollectorRegistry) -> None:
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
        self._depth_of(controller)
        for family in (self._adds, self._retries, self._waits, self._works):
            family.labels(*labels)
        for family in self._still:
            family.labels(*labels).set_function(lambda: self._busy_for(controller))

    def _depth_of(self, controller: str) -> Gauge:
        # Without the priority queue, which is off by default up to 0.22, the label is empty.
        return self._depth.labels(*self._queue_labels(controller), *(('',) if self._release >= (0, 21) else ()))

    def _busy_for(self, controller: str) -> float:
        """For how many seconds its worker is at what it does."""
        now = self._world.now
        return to_microsecond(now - self._busy.get(controller, now))

    def close(self) -> None:
        """End the workers, as the process does."""
        self._closed = True

    def reconcile(self, controller: str, failed: bool | None = None, key: str = '', failures: int = 0) -> None:
        """One reconcile of that controller: as said, or mostly successful, at times a conflict, at times put off.

        `key` is the object, `failures` how often it failed before.
        """
        if controller in self._busy or self._is_stuck(controller):
            self.queue(controller, key)
            return
        result = self._result(controller) if failed is None else 'error' if failed else 'success'
        seconds = self._duration()
        labels = self._queue_labels(controller)
        self._adds.labels(*labels).inc()
        self._waits.labels(*labels).observe(self._random.uniform(5e-06, 5e-04))
        self._end(controller, key, failures, result, seconds)

    def _result(self, controller: str) -> str:
        result = self._random.choices(RESULTS, (86, 4, 4, 6))[0]
        return 'error' if self._errs(controller) and self._trouble.random() < FAILING else result

    def _duration(self) -> float:
        return to_microsecond(0.02 * self._random.lognormvariate(0, 1.2))

    def _errs(self, controller: str) -> bool:
        return self._world.suffers('controller-reconcile-errors', controller=controller)

    def _is_stuck(self, controller: str) -> bool:
        return self._world.suffers(STUCK, controller=controller)

    def _end(self, controller: str, key: str, failures: int, result: str, seconds: float) -> None:
        """A reconcile is over; in an incident, what failed comes again later and later."""
        labels = self._queue_labels(controller)
        self._reconciles.labels(controller, result).inc()
        self._seconds.labels(controller).observe(seconds)
        self._works.labels(*labels).observe(seconds)
        self._requests.labels('200', self._random.choice(('GET', 'PATCH', 'PUT')), API_SERVER).inc()
        if result == 'error':
            self._errors.labels(controller).inc()
            self._retries.labels(*labels).inc()
            self._requests.labels('409', 'PUT', API_SERVER).inc()
            if self._errs(controller):
                self._world.schedule(backoff(failures), lambda: self._retry(controller, key, failures + 1))

    def _retry(self, controller: str, key: str, failures: int) -> None:
        if not self._closed:
            self.reconcile(controller, key=key, failures=failures)

    def queue(self, controller: str, key: str) -> None:
        """Have the object wait for the worker of that controller, unless it does already."""
        waiting = self._waiting[controller]
        if key in waiting:
            return
        waiting[key] = self._world.now
        self._adds.labels(*self._queue_labels(controller)).inc()
        self._depth_of(controller).set(len(waiting))
        if controller not in self._busy:
            self._work(controller)

    def _work(self, controller: str) -> None:
        """Have the worker take the next object, if one waits."""
        waiting = self._waiting[controller]
        self._active.labels(controller).set(1 if waiting else 0)
        if not waiting:
            self._busy.pop(controller, None)
            return
        key = next(iter(waiting))
        self._waits.labels(*self._queue_labels(controller)).observe(to_microsecond(self._world.now - waiting.pop(key)))
        self._depth_of(controller).set(len(waiting))
        self._busy[controller] = self._world.now
        if self._is_stuck(controller):
            self._hung[controller] = key
        else:
            self._world.schedule(self._duration(), lambda: self._finish(controller, key))

    def _finish(self, controller: str, key: str) -> None:
        if not self._closed:
            self._end(controller, key, 0, self._result(controller), self._busy_for(controller))
            self._work(controller)

    def on_end(self, ended: IncidentEnded) -> None:
        """The call in which workers hung returns at last."""
        if ended.incident.name == STUCK:
            hung, self._hung = self._hung, {}
            for controller, key in hung.items():
                self._finish(controller, key)


class Webhooks:
    """Admission webhooks of a manager.

    On controller-runtime 0.21 and 0.22 the latency histogram has native buckets alone, so that its text form is one
    `+Inf` bucket; before it has the default bounds. A path has no latency before its first request.
    """

    def __init__(
        self,
        world: World,
        registry: CollectorRegistry,
        paths: tuple[str, ...],
        release: tuple[int, int],
        component: str,
    ):
        self._random = world.random(f'webhooks:{component}')
        self._native_only = release >= (0, 21)
        self._requests = RawCounter(
            'controller_runtime_webhook_requests_total', 'Admission requests', ['webhook', 'code'], registry=registry
        )
        in_flight = Gauge(
            'controller_runtime_webhook_requests_in_flight', 'Admission requests now', ['webhook'], registry=registry
        )
        self._latencies = Histogram(
            'controller_runtime_webhook_latency_seconds',
            'Time of admission requests',
            ['webhook'],
            buckets=DEFAULT_BUCKETS,
            registry=None,
        )
        for path in paths:
            in_flight.labels(path)
            for code in ('200', '500'):
                self._requests.labels(path, code)
        registry.register(self)

    def call(self, path: str) -> None:
        """One admission request, answered."""
        self._latencies.labels(path).observe(self._random.uniform(0.001, 0.01))
        self._requests.labels(path, '200').inc()

    def collect(self) -> Iterable[Metric]:
        for family in self._latencies.collect():
            if self._native_only:
                family.samples = [each for each in family.samples if each.labels.get('le', '+Inf') == '+Inf']
            yield family
