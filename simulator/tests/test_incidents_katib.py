# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Incidents of Katib and of its controllers."""

import gc
from itertools import pairwise

import pytest

from ..components import Katib
from ..controller_runtime import backoff
from ..events import WorkQueued
from ..workloads.common import NAMES
from ..world import PhaseChange
from .samples import total, values
from .struck import WHILE, Struck, forms_of

KATIB = forms_of(Katib)
RESULTS = ('success', 'error', 'requeue', 'requeue_after')


@pytest.mark.parametrize(
    'name, phase, counter',
    [
        ('katib-trials-failing', 'Failed', 'katib_trial_failed_total'),
        ('katib-trials-without-metrics', 'MetricsUnavailable', 'katib_trial_metrics_unavailable_total'),
    ],
)
def test_trials_of_a_namespace(name, phase, counter):
    case = Struck(name, KATIB)
    others = {'Failed', 'MetricsUnavailable', 'EarlyStopped', 'Succeeded'} - {phase}
    struck = case.culprit
    ended = []

    def on_change(change):
        trial = change.object
        if trial.kind == 'trial' and trial.namespace == struck['namespace'] and trial.phase in {phase, *others}:
            ended.append(trial.phase)

    case.world.listen(PhaseChange, on_change)
    before = case.growth()
    usual = ended.count(phase)
    assert {*ended} == {phase, *others}
    ended.clear()
    case.begin()
    during = case.growth()
    assert {*ended} == {phase}
    assert len(ended) > 2 * usual
    for growth in during:
        assert growth(counter, **struck) == len(ended)
        assert growth('katib_trial_succeeded_total', **struck) == 0
        for namespace in {*NAMES} - {struck['namespace']}:
            assert growth('katib_trial_succeeded_total', namespace=namespace) > 100
        # Two failures are too many for an experiment; one without a metric is none.
        failed = growth('katib_experiment_failed_total', **struck)
        succeeded = growth('katib_experiment_succeeded_total', **struck)
        assert (failed == 0, succeeded < 5) == ((False, True) if phase == 'Failed' else (True, False))
    for component in case.components:
        current = values(component.payload(), 'katib_trials_current')
        assert current[struck['namespace'], phase] == case.world.phases('trial')[struck['namespace'], phase] > 10
    case.end()
    ended.clear()
    for growth, earlier in zip(case.growth(), before, strict=True):
        assert growth(counter, **struck) == ended.count(phase)
        assert growth('katib_trial_succeeded_total', **struck) == ended.count('Succeeded')
        assert ended.count('Succeeded') > 0.8 * earlier('katib_trial_succeeded_total', **struck)


def test_back_off():
    assert [backoff(failures) for failures in (0, 1, 10, 17, 18, 500)] == [0.005, 0.01, 5.12, 655.36, 1000, 1000]


def error_share(growth, controller):
    reconciles = {
        result: growth('controller_runtime_reconcile_total', controller=controller, result=result) for result in RESULTS
    }
    assert growth('controller_runtime_reconcile_errors_total', controller=controller) == reconciles['error']
    assert growth('workqueue_retries_total', name=controller) == reconciles['error']
    assert growth('workqueue_adds_total', name=controller) == sum(reconciles.values())
    return reconciles['error'] / sum(reconciles.values())


def test_reconciles_of_a_controller_fail():
    case = Struck('controller-reconcile-errors', KATIB)
    controllers = {f'{kind}-controller' for kind in Katib.KINDS}
    for component, *growths in case.phases():
        for controller in controllers:
            before, during, after = (error_share(growth, controller) for growth in growths)
            assert before < 0.08 > after, component.title
            if controller == case.culprit['controller']:
                assert 0.65 < during < 0.75
            else:
                assert during < 0.08
        # It succeeds at last, so that the work goes on.
        assert growths[1]('katib_trial_created_total') > 600


def test_a_restarted_controller_forgets_what_it_has_to_try_again():
    case = Struck('controller-reconcile-errors', [])
    case.begin()
    katib = Katib(case.world, '0.19')
    case.world.step(120)
    katib.close()
    payload = katib.payload()
    case.world.step(2000)
    for name in ('controller_runtime_reconcile_total', 'workqueue_adds_total'):
        assert values(katib.payload(), name) == values(payload, name)
    del katib
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Katib) and each.world is case.world]


class Queue:
    """What must be waiting for the trial controller, told by the world alone.

    The first object is taken `since` then. It waits too, for the next time, once something is to do for it again.
    """

    def __init__(self, world):
        self.since = None
        self.waiting = set()
        self._world = world
        world.listen(PhaseChange, self._on_change)
        world.listen(WorkQueued, lambda work: self._add(work.key))

    def _on_change(self, change):
        if change.object.kind == 'trial':
            self._add(change.object.name)

    def _add(self, key):
        if self.since is None:
            self.since = self._world.now
        else:
            self.waiting.add(key)


def queue(component, name):
    """The value of that family for the trial controller. The labels of a queue are others in each form."""
    found = {
        labels: value
        for labels, value in values(component.payload(), name).items()
        if {*labels} - {''} == {'trial-controller'}
    }
    forms = {'0.17': 1, '0.18': 2, '0.19': 3 if name == 'workqueue_depth' else 2}
    (((*labels,), value),) = found.items()
    assert len(labels) == forms[component.release]
    return value


STILL = ('workqueue_unfinished_work_seconds', 'workqueue_longest_running_processor_seconds')


def idle(component):
    active = values(component.payload(), 'controller_runtime_active_workers')['trial-controller',]
    return (active, queue(component, 'workqueue_depth'), *(queue(component, name) for name in STILL)) == (0, 0, 0, 0)


def test_a_worker_hangs():
    case = Struck('controller-workqueue-stuck', KATIB)
    world = case.world
    assert all(idle(component) for component in case.components)
    case.begin()
    must = Queue(world)
    for _ in range(3):
        growths = case.growth(WHILE / 3)
        for component, growth in zip(case.components, growths, strict=True):
            payload = component.payload()
            assert queue(component, 'workqueue_depth') == len(must.waiting)
            for name in STILL:
                assert queue(component, name) == pytest.approx(world.now - must.since, abs=1e-5)
            for name in ('active_workers', 'max_concurrent_reconciles'):
                assert values(payload, f'controller_runtime_{name}')['trial-controller',] == 1
            for name in (
                'controller_runtime_reconcile_total',
                'controller_runtime_reconcile_time_seconds_count',
                'controller_runtime_reconcile_errors_total',
            ):
                assert growth(name, controller='trial-controller') == 0
                assert name.endswith('errors_total') or growth(name, controller='experiment-controller') > 60
            assert growth('workqueue_work_duration_seconds_count', name='trial-controller') == 0
            # Experiments begin, and no trial ends.
            assert growth('katib_experiment_created_total') > 40
            assert growth('katib_trial_succeeded_total') == 0
    assert len(must.waiting) > 250
    case.end()
    hung = world.now - must.since
    depths = []
    for _ in range(8):
        world.step(15)
        depths.append(queue(case.components[0], 'workqueue_depth'))
    assert all(later < earlier for earlier, later in pairwise([len(must.waiting), *depths[:3]]))
    for component, growth in zip(case.components, case.growth(), strict=True):
        assert idle(component), component.title
        labels = {'name': 'trial-controller'}
        assert growth('katib_trial_succeeded_total') > 400
        assert growth('workqueue_adds_total', **labels) == growth('workqueue_work_duration_seconds_count', **labels) + (
            -growth('workqueue_depth', **labels)
        )
        # The call that hung has been counted with its whole time.
        assert total(component.payload(), 'workqueue_work_duration_seconds_sum', **labels) > hung
        payload = component.payload()
        over = total(payload, 'workqueue_work_duration_seconds_bucket', le='+Inf', **labels)
        assert over - total(payload, 'workqueue_work_duration_seconds_bucket', le='10', **labels) == 1
    counts = world.phases('trial')
    assert sum(number for (_, phase), number in counts.items() if phase in ('Created', 'Running')) < 40


def test_a_restart_does_not_help_as_long_as_the_call_hangs():
    case = Struck('controller-workqueue-stuck', [])
    case.begin()
    case.world.step(60)
    trials = len(case.world.objects('trial'))
    katib = Katib(case.world, '0.19')
    began = case.world.now
    assert queue(katib, 'workqueue_depth') == trials - 1
    case.world.step(30)
    assert [queue(katib, name) for name in STILL] == [30, 30]
    assert queue(katib, 'workqueue_depth') >= trials
    case.end()
    case.world.step(WHILE)
    assert idle(katib)
    assert total(katib.payload(), 'workqueue_work_duration_seconds_sum', name='trial-controller') > 30
    assert case.world.now > began
