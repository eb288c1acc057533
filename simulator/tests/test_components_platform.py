# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Controllers of the platform, and what controller-runtime adds to each."""

import pytest

from ..components import (
    Katib,
    Kfam,
    NotebookController,
    ProfileController,
    TensorboardController,
    TrainingOperator,
)
from ..events import NotebookAttempt
from ..workloads import busy_world
from ..world import DELETED, World
from .samples import Truth, payload_of, samples, total, types, values

CONTROLLERS = [
    (Katib, '0.19'),
    (NotebookController, '1.10'),
    (ProfileController, '1.10'),
    (TensorboardController, '1.10'),
    (TrainingOperator, '1.9'),
]


@pytest.mark.parametrize('component, release', CONTROLLERS)
def test_reconcile_families_agree(component, release):
    payload = payload_of(component, release)
    finished = total(payload, 'controller_runtime_reconcile_total')
    assert finished == total(payload, 'controller_runtime_reconcile_time_seconds_count') > 0
    assert finished == total(payload, 'workqueue_adds_total')
    failed = total(payload, 'controller_runtime_reconcile_total', result='error')
    assert failed == total(payload, 'controller_runtime_reconcile_errors_total')
    assert failed == total(payload, 'workqueue_retries_total')


def test_a_controller_starts_with_four_results_at_zero():
    payload = payload_of(NotebookController, '1.10', seconds=0)
    assert values(payload, 'controller_runtime_reconcile_total') == {
        (controller, result): 0
        for controller in ('notebook', 'Culler')
        for result in ('success', 'error', 'requeue', 'requeue_after')
    }
    assert 'controller_runtime_reconcile_time_seconds' not in types(payload)


@pytest.mark.parametrize(
    'component, release, labels, bounds',
    [
        (NotebookController, '1.10', {'name'}, 11),
        (TrainingOperator, '1.8', {'name'}, 13),
        (TrainingOperator, '1.9', {'name', 'controller'}, 13),
        (Katib, '0.17', {'name'}, 13),
        (Katib, '0.18', {'name', 'controller'}, 13),
        (Katib, '0.19', {'name', 'controller', 'priority'}, 13),
    ],
)
def test_the_workqueue_follows_the_release(component, release, labels, bounds):
    series = samples(payload_of(component, release))
    depth = {frozenset(dict(labels)) for name, labels in series if name == 'workqueue_depth'}
    assert depth == {frozenset(labels)}
    found = {dict(labels)['le'] for name, labels in series if name == 'workqueue_queue_duration_seconds_bucket'}
    assert len(found) == bounds


def test_notebook_attempts_agree():
    world = busy_world()
    truth = Truth(world)
    attempts = []
    world.listen(NotebookAttempt, attempts.append)
    controller = NotebookController(world, '1.10')
    for _ in range(30):
        world.step(31)
        payload = controller.payload()
        assert total(payload, 'notebook_create_total') == len(attempts)
        failed = total(payload, 'notebook_create_failed_total')
        assert failed == sum(attempt.failed for attempt in attempts)
        made = len(attempts) - failed
        assert made - truth.entered('notebook', DELETED) == len(world.objects('notebook'))
        # Emptied namespaces keep their last value.
        assert total(payload, 'notebook_running') >= len(world.objects('notebook'))
    assert truth.entered('notebook', 'Stopped') > 0


@pytest.mark.parametrize('failed, result', [(True, 'error'), (False, 'success')])
def test_a_refused_creation_is_a_failed_reconcile(failed, result):
    world = World()
    controller = NotebookController(world, '1.10')
    for _ in range(20):
        world.publish(NotebookAttempt('a', failed))
    payload = controller.payload()
    assert values(payload, 'notebook_create_total') == {('a',): 20}
    assert values(payload, 'notebook_create_failed_total') == ({('a',): 20} if failed else {})
    results = values(payload, 'controller_runtime_reconcile_total')
    assert {key: number for key, number in results.items() if number} == {('notebook', result): 20}
    assert total(payload, 'controller_runtime_reconcile_errors_total', controller='notebook') == 20 * failed


def test_a_stopped_notebook_counts_and_an_emptied_namespace_is_stale():
    world = World()
    controller = NotebookController(world, '1.10')
    assert 'notebook_' not in controller.payload()
    first, second = (world.create('notebook', 'a', 'Waiting') for _ in range(2))
    world.step(1)
    world.enter(first, 'Stopped')
    assert values(controller.payload(), 'notebook_running') == {('a',): 2}
    world.step(1)
    world.enter(first, DELETED)
    world.enter(second, DELETED)
    assert values(controller.payload(), 'notebook_running') == {('a',): 1}
    # A restart forgets.
    assert 'notebook_running' not in NotebookController(world, '1.10').payload()


def test_a_restarted_notebook_controller_sees_the_notebooks_there_are():
    world = busy_world()
    world.step(600)
    controller = NotebookController(world, '1.10')
    present = {}
    for notebook in world.objects('notebook'):
        present[notebook.namespace,] = present.get((notebook.namespace,), 0) + 1
    assert values(controller.payload(), 'notebook_running') == present
    assert 'notebook_create_total' not in types(controller.payload())


@pytest.mark.parametrize(
    'component, release, kind, controllers',
    [
        (NotebookController, '1.10', 'notebook', ('notebook', 'Culler')),
        (TensorboardController, '1.10', 'tensorboard', ('tensorboard',)),
        (ProfileController, '1.10', 'profile', ('profile',)),
    ],
)
def test_a_restarted_controller_reconciles_what_there_is(component, release, kind, controllers):
    world = busy_world()
    world.step(600)
    payload = component(world, release).payload()
    for controller in controllers:
        reconciles = total(payload, 'controller_runtime_reconcile_total', controller=controller)
        assert reconciles == len(world.objects(kind)) > 0


def test_a_restarted_training_operator_reconciles_the_jobs_of_its_frameworks():
    world = busy_world()
    world.step(600)
    payload = TrainingOperator(world, '1.9').payload()
    jobs = [job for job in world.objects('job') if job.flavour != 'mxnet']
    # And the certificate of its webhooks, once.
    assert total(payload, 'controller_runtime_reconcile_total') == len(jobs) + 1 > 1


def test_tensorboards_are_reconciled_at_each_change():
    world = World()
    controller = TensorboardController(world, '1.10')
    board = world.create('tensorboard', 'a', 'Created')
    world.create('notebook', 'a', 'Waiting')
    for phase in ('Ready', DELETED):
        world.enter(board, phase)
    assert total(controller.payload(), 'controller_runtime_reconcile_total') == 3


def test_some_namespace_is_emptied_of_notebooks():
    world = busy_world()
    controller = NotebookController(world, '1.10')
    stale = False
    for _ in range(60):
        world.step(60)
        shown = {namespace for (namespace,) in values(controller.payload(), 'notebook_running')}
        stale = stale or shown > {notebook.namespace for notebook in world.objects('notebook')}
    assert stale


@pytest.mark.parametrize('release, own, foreign', [('1.8', 'mxnet', 'jax'), ('1.9', 'jax', 'mxnet')])
def test_frameworks_follow_the_release(release, own, foreign):
    payload = payload_of(TrainingOperator, release)
    frameworks = {framework for framework, _ in values(payload, 'training_operator_jobs_created_total')}
    assert frameworks == {'pytorch', 'tensorflow', 'xgboost', 'mpi', 'paddle', own}
    controllers = {labels[0] for labels in values(payload, 'controller_runtime_reconcile_total')}
    assert len(controllers) == 7
    assert 'cert-rotator' in controllers
    assert total(payload, 'controller_runtime_reconcile_total', controller='cert-rotator') == 1


def test_training_jobs_are_somewhere():
    world = busy_world()
    operator = TrainingOperator(world, '1.9')
    for _ in range(20):
        world.step(29)
        payload = operator.payload()
        made, deleted, successful, failed = (
            total(payload, f'training_operator_jobs_{event}_total')
            for event in ('created', 'deleted', 'successful', 'failed')
        )
        jobs = [job for job in world.objects('job') if job.flavour != 'mxnet']
        assert made - deleted == len(jobs)
        under_way = sum(job.phase not in ('Succeeded', 'Failed') for job in jobs)
        assert made == successful + failed + under_way


def test_the_profile_controller_counts_requests():
    payload = payload_of(ProfileController, '1.10')
    requests = values(payload, 'request_kf')
    assert {labels[0] for labels in requests} == {'profile_controller'}
    assert {kind for _, kind in requests} == {'reconcile', 'reject profile taking over exi'}
    failures = values(payload, 'request_kf_failure')
    assert {severity for _, _, severity in failures} == {'major'}
    assert all(len(kind) <= 30 for _, kind, _ in failures)
    assert sum(failures.values()) == total(payload, 'controller_runtime_reconcile_errors_total') > 0


def test_profiles_come_one_after_another():
    world = busy_world(namespaces=7)
    controller = ProfileController(world, '1.10')
    seen = []
    for _ in range(7):
        world.step(10)
        seen.append((len(world.objects('profile')), total(controller.payload(), 'request_kf', kind='reconcile')))
    assert seen[0][0] < seen[2][0] < seen[-1][0] == 7
    assert seen[-1][1] >= 7


def test_kfam_names_users_and_paths_without_a_query():
    payload = payload_of(Kfam, '1.10')
    users = {user for *_, user in values(payload, 'request_kf')}
    assert users == {f'{name}@example.com' for name in ('ada', 'bob', 'chloe', 'dmitri')}
    for family in ('request_kf', 'request_kf_failure'):
        assert {path for _, _, _, path, *_ in values(payload, family)} == {'/kfam/v1/bindings'}
    assert {action for action, *_ in values(payload, 'request_kf')} == {'read', 'create', 'delete'}
    assert total(payload, 'request_kf', kind='forbidden') > 0
    assert total(payload, 'request_kf_failure', kind='rolebindings already exists') > 0


@pytest.mark.parametrize('component', [Kfam, ProfileController])
def test_a_heart_beats_every_ten_seconds(component):
    assert 'service_heartbeat' not in types(payload_of(component, '1.10', seconds=9))
    assert total(payload_of(component, '1.10', seconds=10), 'service_heartbeat', severity='critical') == 1
    assert total(payload_of(component, '1.10', seconds=605), 'service_heartbeat', severity='critical') == 60
