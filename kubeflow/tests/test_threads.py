# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Many instances in one process, run by several threads as an Agent runs them: each does what it does alone."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Thread
from types import FunctionType, SimpleNamespace

import pytest

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.endpoint import SECRETS_FILTER
from datadog_checks.kubeflow.scraper import relabelling
from runner.aggregator import Aggregator, CheckSampler

from .common import exposition
from .federation import Scraped, federate
from .fixtures import NOW
from .loopback import Answer, Ports, serving

PACKAGE = 'datadog_checks.kubeflow'
THREADS = 8
RUNS = 4
DOWN = Answer(status=503)
LOGIN = Answer(b'<html><body>log in</body></html>')


def page(fixture: str) -> Answer:
    return Answer(exposition(fixture).encode())


def raised(answer: Answer, by: int) -> Answer:
    """The same exposition a while later: numbers of a digit at the end of a line are higher."""
    return Answer(re.sub(rb'(?m)(?<= )[1-9]$', lambda match: b'%d' % (int(match[0]) + by), answer.body))


def federated() -> Answer:
    targets = [
        Scraped(exposition(fixture), {'job': fixture, 'instance': f'10.0.0.{number}:80'})
        for number, fixture in enumerate(('katib-0.19', 'kserve-server-0.16', 'queue-proxy-1.21'), 1)
    ]
    return Answer(federate(*targets).encode())


# What an endpoint answers, one run after another and again from the beginning, and options of its instance.
INSTANCES: list[tuple[list[Answer], Mapping]] = [
    ([page('katib-0.19'), raised(page('katib-0.19'), 1)], {}),
    ([page('katib-0.19'), DOWN, raised(page('katib-0.19'), 2)], {}),
    ([page('katib-0.19')], {'rename_labels': {'namespace': 'team', 'controller': 'queue'}}),
    ([page('katib-0.19')], {'collect_runtime_metrics': True, 'tags': ['a:b']}),
    ([page('katib-0.19')], {'submit_reconcide_alias': True, 'exclude_labels': ['result']}),
    ([page('katib-0.19'), LOGIN], {'extra_metrics': ['^katib_.+', 'workqueue_depth'], 'telemetry': True}),
    ([page('katib-0.19')], {'exclude_metrics': ['katib_experiments_current'], 'raw_line_filters': ['^workqueue_']}),
    (
        [Answer(exposition('katib-0.19').replace('katib_', 'own_katib_').encode())],
        {'raw_metric_prefix': 'own_', 'exclude_metrics_by_labels': {'status': ['Failed']}},
    ),
    ([page('katib-0.9'), page('katib-0.19')], {'use_process_start_time': True}),
    ([page('kserve-server-0.16'), raised(page('kserve-server-0.16'), 3)], {}),
    ([page('kserve-server-0.16')], {'histogram_buckets_as_distributions': True}),
    ([page('kserve-server-0.16')], {'extra_metrics': ['request_predict_seconds'], 'collect_histogram_buckets': False}),
    ([page('queue-proxy-1.21')], {'target_info': True}),
    (
        [page('queue-proxy-1.21')],
        {'rename_labels': {'server_address': 'asked'}, 'non_cumulative_histogram_buckets': True},
    ),
    ([page('qpext-0.20'), page('queue-proxy-1.21'), page('qpext-0.20')], {}),
    ([page('mlserver-1.7'), raised(page('mlserver-1.7'), 1)], {'hostname_label': 'model'}),
    ([page('argo-3.7'), page('argo-4.0')], {}),
    ([page('training-operator-1.9')], {'share_labels': {'go_info': {'labels': ['version']}}}),
    ([page('documented-openmetrics')], {'use_latest_spec': True}),
    ([page('foreign-controller'), page('go-only')], {'extra_metrics': ['go_goroutines']}),
    ([federated(), DOWN, federated()], {}),
    ([federated()], {'extra_metrics': [{'workqueue_depth': {'name': 'depth', 'type': 'gauge'}}]}),
    ([page('vllm-0.9')], {'include_labels': ['model_name']}),
    ([page('pipelines-2.16')], {'metric_patterns': {'include': ['api']}}),
]


class Everything(CheckSampler):
    """Keeps all that each run submitted, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[list[tuple]] = []

    def start_run(self) -> None:
        super().start_run()
        self.runs.append([])

    def add_metric(self, kind, name, value, tags, hostname, flush_first_value) -> None:
        self.runs[-1].append((kind.__name__, name, repr(value), tuple(tags), hostname, flush_first_value))

    def add_bucket(self, name, value, bounds, monotonic, hostname, tags, flush_first_value) -> None:
        self.runs[-1].append(('bucket', name, value, bounds, tuple(tags), hostname, flush_first_value))

    def add_service_check(self, name, status, tags, hostname, message) -> None:
        self.runs[-1].append(('health', name, int(status), tuple(tags), message))


class Scheduled:
    """One instance, whose endpoint answers otherwise from run to run. `left` is how often it has to run yet."""

    def __init__(self, number: int, ports: Ports, aggregator: Aggregator, left: int):
        self._answers, options = INSTANCES[number]
        self._path = f'/{number}'
        self._ports = ports
        self.sampler = Everything()
        self.check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ports.url(self._path), **options}])
        # The same endpoint may have another instance.
        self.check.check_id = str(id(self))
        aggregator.open(self.check.check_id, self.sampler)
        self.left = left
        self.is_unscheduled = False

    @property
    def runs(self) -> list[list[tuple]]:
        return self.sampler.runs

    def run(self) -> None:
        self._ports.answers[self._path] = self._answers[len(self.runs) % len(self._answers)]
        self.sampler.start_run()
        error = self.check.run()
        warnings = self.check.get_warnings()
        self.runs[-1].append(('told', json.loads(error)[0]['message'] if error else '', *warnings))
        self.left -= 1


def run_one_by_one(instances: list[Scheduled]) -> None:
    for instance in instances:
        while instance.left:
            instance.run()


def run_at_once(instances: list[Scheduled]) -> None:
    """A thread takes the instance that waits longest, runs it once and puts it back, as the Agent's runners do."""
    waiting: SimpleQueue[Scheduled] = SimpleQueue()
    for instance in instances:
        waiting.put(instance)

    def work() -> None:
        while True:
            try:
                instance = waiting.get_nowait()
            except Empty:
                return
            instance.run()
            if instance.left and not instance.is_unscheduled:
                waiting.put(instance)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work) for _ in range(THREADS)]:
            done.result()


@contextmanager
def hasty_switches() -> Iterator[None]:
    """Have threads take turns a thousand times as often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


@pytest.fixture(scope='module')
def schedule():
    """Make all instances, each of which has to run so often: `schedule(runs)`."""
    with pytest.MonkeyPatch.context() as patch, serving() as ports:
        patch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda: NOW))
        patch.setattr('datadog_checks.base.utils.time.epoch_offset', lambda: NOW)
        aggregator = Aggregator()
        patch.setattr('datadog_checks.base.checks.base.aggregator', aggregator)
        yield lambda runs: [Scheduled(number, ports, aggregator, runs) for number in range(len(INSTANCES))]


@pytest.fixture(scope='module')
def alone(schedule):
    """Instances that ran one after another."""
    instances = schedule(RUNS)
    run_one_by_one(instances)
    # Else nothing is compared.
    assert all(any(len(run) > 2 for run in instance.runs) for instance in instances)
    return instances


def test_instances_at_once_submit_what_each_submits_alone_and_change_nothing_they_share(schedule, alone):
    before = shared()
    together = schedule(RUNS)
    with hasty_switches():
        run_at_once(together)
    for one, other in zip(alone, together, strict=True):
        assert one.runs == other.runs
    assert shared() == before


@pytest.mark.slow
def test_many_runs_at_once(schedule):
    alone, together = schedule(60), schedule(60)
    run_one_by_one(alone)
    with hasty_switches():
        run_at_once(together)
    for one, other in zip(alone, together, strict=True):
        assert one.runs == other.runs


def test_the_filter_of_the_log_is_added_once(alone):
    loggers = {instance.check.log.logger for instance in alone}
    assert [logger.filters.count(SECRETS_FILTER) for logger in loggers] == [1]


def test_an_instance_that_is_unscheduled_while_it_runs_does_not_disturb_the_others(schedule, alone):
    together = schedule(RUNS)
    going = together[::2]
    for instance in going:
        # It ends when it is told so.
        instance.left = sys.maxsize

    def unschedule() -> None:
        for instance in going:
            while not instance.runs:
                time.sleep(0.001)
            instance.is_unscheduled = True
            instance.check.cancel()

    unscheduling = Thread(target=unschedule)
    unscheduling.start()
    with hasty_switches():
        run_at_once(together)
    unscheduling.join()
    for one, other in zip(alone, together, strict=True):
        both = min(len(one.runs), len(other.runs))
        assert one.runs[:both] == other.runs[:both]
        assert other in going or both == RUNS


# --- what is shared ---


def shared() -> list:
    """The content of what lives as long as the process: the globals of all modules, and what they keep in caches."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith(PACKAGE)]
    kept = [load_catalogue(), relabelling(False, False, frozenset()), SECRETS_FILTER]
    return [content(each, set()) for each in (*map(vars, modules), *kept)]


def content(value: object, within: set[int]) -> object:
    """What is in an object of the package, and in that, down to values that never change."""
    if id(value) in within:
        return 'itself'
    within = within | {id(value)}
    if isinstance(value, Mapping):
        return [(content(key, within), content(each, within)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return [content(each, within) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, FunctionType):
        return value.__qualname__, [content(cell.cell_contents, within) for cell in value.__closure__ or ()]
    if type(value).__module__.startswith(PACKAGE):
        slots = [name for each in type(value).__mro__ for name in getattr(each, '__slots__', ())]
        attributes = {name: getattr(value, name) for name in slots if hasattr(value, name)}
        return type(value).__name__, content({**attributes, **getattr(value, '__dict__', {})}, within)
    return repr(value)
