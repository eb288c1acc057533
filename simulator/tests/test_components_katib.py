# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import re

import pytest

from ..components import Katib
from ..workloads import busy_world
from ..world import DELETED, World
from .samples import Truth, payload_of, samples, total, values


def test_a_fresh_controller_has_no_family_of_its_own():
    assert 'katib_' not in payload_of(Katib, '0.19', seconds=0)


@pytest.mark.parametrize('seed', range(3))
def test_numbers_agree_at_every_moment(seed):
    world = busy_world(seed)
    truth = Truth(world)
    katib = Katib(world, '0.19')
    for _ in range(60):
        world.step(17)
        payload = katib.payload()
        for kind in ('experiment', 'trial'):
            for phase, event in (
                ('Created', 'created'),
                ('Deleted', 'deleted'),
                ('Succeeded', 'succeeded'),
                ('Failed', 'failed'),
            ):
                assert total(payload, f'katib_{kind}_{event}_total') == truth.entered(kind, phase)
            made = total(payload, f'katib_{kind}_created_total')
            assert made - total(payload, f'katib_{kind}_deleted_total') == total(payload, f'katib_{kind}s_current')
        over = total(payload, 'katib_experiment_succeeded_total') + total(payload, 'katib_experiment_failed_total')
        under_way = sum(total(payload, 'katib_experiments_current', status=status) for status in ('Created', 'Running'))
        assert total(payload, 'katib_experiment_created_total') == over + under_way
        # What no counter knows.
        over = sum(
            total(payload, f'katib_trial_{event}_total') for event in ('succeeded', 'failed', 'metrics_unavailable')
        ) + truth.entered('trial', 'EarlyStopped', 'Killed')
        under_way = sum(total(payload, 'katib_trials_current', status=status) for status in ('Created', 'Running'))
        assert total(payload, 'katib_trial_created_total') == over + under_way


def test_a_status_without_objects_has_no_sample():
    current = {key: value for key, value in samples(payload_of(Katib, '0.19')).items() if 'current' in key[0]}
    assert current
    assert 0 not in current.values()
    assert not [key for key in current if ('status', 'Restarting') in key[1]]


def test_every_end_of_a_trial_occurs():
    statuses = {status for _, status in values(payload_of(Katib, '0.19'), 'katib_trials_current')}
    assert statuses >= {'Running', 'Succeeded', 'Failed', 'Killed', 'EarlyStopped', 'MetricsUnavailable'}


def test_after_a_restart_only_what_exists_is_there():
    world = busy_world()
    world.step(600)
    payload = Katib(world, '0.19').payload()
    families = {name for name, _ in samples(payload) if name.startswith('katib_')}
    assert families == {'katib_experiments_current', 'katib_trials_current'}
    assert total(payload, 'katib_trials_current') == len(world.objects('trial'))
    for kind in ('experiment', 'suggestion', 'trial'):
        reconciles = total(payload, 'controller_runtime_reconcile_total', controller=f'{kind}-controller')
        assert reconciles == len(world.objects(kind)) > 0


def test_suggestions_are_reconciled_and_have_no_series():
    payload = payload_of(Katib, '0.19')
    assert total(payload, 'controller_runtime_reconcile_total', controller='suggestion-controller') > 0
    assert 'katib_suggestion' not in payload


@pytest.mark.parametrize('release', ['0.17', '0.18', '0.19'])
def test_controllers_of_a_kubeflow_installation(release):
    controllers = {labels[0] for labels in values(payload_of(Katib, release), 'controller_runtime_reconcile_total')}
    assert controllers == {'experiment-controller', 'suggestion-controller', 'trial-controller'}


def test_webhooks_are_asked_for_what_is_created():
    world = World()
    katib = Katib(world, '0.19')

    def asked():
        requests = values(katib.payload(), 'controller_runtime_webhook_requests_total')
        answers = values(katib.payload(), 'controller_runtime_webhook_latency_seconds_count')
        assert {path: number for (code, path), number in requests.items() if code == '200' and number} == {
            path: number for (path,), number in answers.items()
        }
        assert not [number for (code, _), number in requests.items() if code == '500' and number]
        return {path: number for (path,), number in answers.items()}

    assert asked() == {}
    experiment = world.create('experiment', 'a', 'Created')
    assert asked() == {'/mutate-experiment': 1, '/validate-experiment': 1}
    # A suggestion has no webhook; the pod of a trial has one.
    world.create('suggestion', 'a', 'Created')
    assert asked() == {'/mutate-experiment': 1, '/validate-experiment': 1}
    for _ in range(2):
        trial = world.create('trial', 'a', 'Created')
    created = {'/mutate-experiment': 1, '/validate-experiment': 1, '/mutate-pod': 2}
    assert asked() == created
    for phase in ('Running', 'Succeeded', DELETED):
        world.enter(trial, phase)
        world.enter(experiment, phase)
    assert asked() == created


@pytest.mark.parametrize('release, bounds', [('0.17', 12), ('0.18', 12), ('0.19', 1)])
def test_bounds_of_the_webhook_latency(release, bounds):
    payload = payload_of(Katib, release)
    line = r'^controller_runtime_webhook_latency_seconds_bucket\{webhook="/mutate-pod",le="([^"]+)"\}'
    found = re.findall(line, payload, re.MULTILINE)
    assert len(found) == bounds
    assert found[-1] == '+Inf'
    answered = total(payload, 'controller_runtime_webhook_requests_total', webhook='/mutate-pod')
    assert answered == total(payload, 'controller_runtime_webhook_latency_seconds_count', webhook='/mutate-pod') > 0
