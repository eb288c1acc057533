# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Pipelines and Argo, which tell of the same runs."""

import pytest

from ..components import Argo, LegacyArgo, PipelinesAPIServer, ScheduledWorkflowController
from ..components.argo import FINISHED, PHASES
from ..events import PipelinesCall, ScheduleSync, WorkflowCollected
from ..workloads import busy_world
from ..world import DELETED, World
from .samples import Truth, payload_of, samples, total, types, values

SCOPE = 'kubeflow.pipelines.backend.api.v2beta1'


class Calls:
    """The calls of the API, told by the world."""

    def __init__(self, world):
        self._all = []
        world.listen(PipelinesCall, self._all.append)

    def count(self, method, code=None):
        return sum(call.method == method and code in (None, call.code) for call in self._all)


@pytest.mark.parametrize('release, label', [('3.7', 'status'), ('4.0', 'phase')])
def test_argo_has_all_phases_at_once(release, label):
    payload = payload_of(Argo, release, seconds=0)
    assert values(payload, 'argo_workflows_gauge') == {(phase,): 0 for phase in PHASES}
    assert {dict(labels).popitem()[0] for name, labels in samples(payload) if name == 'argo_workflows_gauge'} == {label}
    assert values(payload, 'argo_workflows_pods_gauge') == {('Pending',): 0, ('Running',): 0}


def test_legacy_argo_has_all_phases_at_once():
    payload = payload_of(LegacyArgo, '3.5', seconds=0)
    assert values(payload, 'argo_workflows_count') == {(phase,): 0 for phase in PHASES}


@pytest.mark.parametrize('seed', range(3))
def test_runs_agree_at_every_moment(seed):
    world = busy_world(seed)
    truth, calls = Truth(world), Calls(world)
    argo, api_server = Argo(world, '3.7'), PipelinesAPIServer(world, '2.16')
    for _ in range(60):
        world.step(19)
        payload, of_server = argo.payload(), api_server.payload()
        entered = {phase: total(payload, 'argo_workflows_total_count', phase=phase) for phase in PHASES}
        held = {phase: total(payload, 'argo_workflows_gauge', status=phase) for phase in PHASES}
        assert entered == {phase: truth.entered('run', phase) for phase in PHASES}
        retried = calls.count('RetryRun')
        deleted = truth.entered('run', DELETED)
        assert entered['Pending'] - deleted == sum(held.values())
        finished = sum(entered[phase] for phase in FINISHED)
        assert finished == total(payload, 'argo_workflows_pipeline_run_duration_seconds_count')
        assert entered['Pending'] + retried - held['Pending'] == entered['Running']
        # A run that is deleted while it runs has not finished.
        assert entered['Running'] == finished + held['Running'] + truth.cut_short('run', 'Running')
        conditions = values(payload, 'argo_workflows_workflow_condition')
        assert conditions['True', 'PodRunning'] == held['Running']
        assert sum(conditions.values()) == sum(held.values())
        # What the server has seen finish, less what users deleted.
        outcomes = {end: total(of_server, f'resource_manager_workflow_runs_{end}') for end in ('success', 'failed')}
        assert sum(outcomes.values()) == finished - calls.count('DeleteRun')
        assert total(of_server, 'resource_manager_workflow_gc') == deleted - calls.count('DeleteRun')
        assert total(of_server, 'run_server_run_count') == calls.count('CreateRun', 'OK') - calls.count('DeleteRun')
        assert total(of_server, 'run_server_create_requests') == calls.count('CreateRun')
    assert retried > 0
    assert calls.count('TerminateRun') > 0


@pytest.mark.parametrize('argo, release', [(LegacyArgo, '3.5'), (Argo, '3.7')])
def test_argo_tells_how_long_runs_took_from_their_creation(argo, release):
    world = World()
    made = argo(world, release)
    first, second = world.create('run', 'a', 'Pending'), world.create('run', 'b', 'Pending')
    world.step(3)
    world.enter(first, 'Running')
    world.enter(second, 'Running')
    world.step(37.5)
    world.enter(first, 'Succeeded')
    world.step(20)
    world.enter(second, 'Error')
    name = 'argo_workflows_pipeline_run_duration_seconds'
    assert values(made.payload(), f'{name}_sum') == {('Succeeded', 'a'): 40.5, ('Error', 'b'): 60.5}
    assert values(made.payload(), f'{name}_count') == {('Succeeded', 'a'): 1, ('Error', 'b'): 1}
    assert total(made.payload(), f'{name}_bucket', status='Succeeded', le='30') == 0
    assert total(made.payload(), f'{name}_bucket', status='Succeeded', le='60') == 1


@pytest.mark.parametrize(
    'argo, release, name, warning',
    [
        (LegacyArgo, '3.5', 'log_messages', 'warning'),
        (Argo, '3.7', 'argo_workflows_log_messages', 'warn'),
        (Argo, '4.0', 'argo_workflows_log_messages', 'warn'),
    ],
)
def test_argo_logs_at_three_levels(argo, release, name, warning):
    world = World()
    made = argo(world, release)
    for phase in ('Succeeded', 'Failed', 'Failed', 'Error'):
        world.create('run', 'a', phase)
    assert values(made.payload(), name) == {('info',): 16, (warning,): 2, ('error',): 1}


def test_the_pod_of_a_run_in_error_has_failed():
    world = World()
    argo = Argo(world, '3.7')
    for phases in (('Pending', 'Running', 'Succeeded'), ('Pending', 'Running', 'Error'), ('Pending', 'Running')):
        run = world.create('run', 'a', phases[0])
        for phase in phases[1:]:
            world.enter(run, phase)
    payload = argo.payload()
    of_pods = {('a', 'Pending'): 3, ('a', 'Running'): 3, ('a', 'Succeeded'): 1, ('a', 'Failed'): 1}
    assert values(payload, 'argo_workflows_pods_total_count') == of_pods
    of_workflows = {('a', 'Pending'): 3, ('a', 'Running'): 3, ('a', 'Succeeded'): 1, ('a', 'Error'): 1}
    assert values(payload, 'argo_workflows_total_count') == of_workflows
    assert values(payload, 'argo_workflows_pod_missing') == {('Running', 'false'): 1}


@pytest.mark.parametrize('seconds, found', [(3.9, {}), (4, {}), (4.1, {('a', 'Unschedulable'): 1})])
def test_a_pod_that_waited_long_did_not_find_a_node(seconds, found):
    world = World()
    argo = Argo(world, '3.7')
    run = world.create('run', 'a', 'Pending')
    world.step(seconds)
    world.enter(run, 'Running')
    assert values(argo.payload(), 'argo_workflows_pod_pending_count') == found
    # It is not pending again when it is retried.
    world.step(60)
    world.enter(run, 'Failed')
    world.enter(run, 'Running')
    assert values(argo.payload(), 'argo_workflows_pod_pending_count') == found


def test_a_restarted_argo_sees_which_pods_wait():
    world = World()
    run = world.create('run', 'a', 'Pending')
    retried = world.create('run', 'a', 'Failed')
    world.step(5)
    argo = Argo(world, '3.7')
    world.enter(run, 'Running')
    world.enter(retried, 'Running')
    assert values(argo.payload(), 'argo_workflows_pod_pending_count') == {('a', 'Unschedulable'): 1}


@pytest.mark.parametrize('release', ['3.7', '4.0'])
def test_argo_is_built_with_one_go(release):
    payload = payload_of(Argo, release, seconds=0)
    own, version = (
        {dict(labels)[key] for name, labels in samples(payload) if name == family}
        for family, key in (('go_info', 'version'), ('argo_workflows_version', 'go_version'))
    )
    assert own == version
    assert len(own) == 1


def test_legacy_argo_looks_every_fifteen_seconds():
    world = World()
    argo = LegacyArgo(world, '3.5')
    world.step(1)
    run = world.create('run', 'a', 'Pending')
    assert total(argo.payload(), 'argo_workflows_count') == 0
    world.step(13)
    assert total(argo.payload(), 'argo_workflows_count') == 0
    world.step(1)
    assert values(argo.payload(), 'argo_workflows_count')['Pending',] == 1
    world.step(1)
    world.enter(run, 'Running')
    world.step(20)
    world.enter(run, DELETED)
    # Two rounds ago it was Pending, at the last one Running.
    phases = values(argo.payload(), 'argo_workflows_count')
    assert phases == {('Pending',): 0, ('Running',): 1, ('Succeeded',): 0, ('Failed',): 0, ('Error',): 0}
    assert total(argo.payload(), 'argo_workflows_pods_count') == 1


def test_a_restarted_argo_sees_the_workflows_there_are():
    world = busy_world()
    world.step(600)
    for component, release, name in (
        (Argo, '4.0', 'argo_workflows_gauge'),
        (LegacyArgo, '3.5', 'argo_workflows_count'),
    ):
        payload = component(world, release).payload()
        assert total(payload, name) == len(world.objects('run')) > 0
        assert 'argo_workflows_total_count' not in types(payload)


@pytest.mark.parametrize('release', ['2.3', '2.5', '2.15'])
def test_grpc_and_the_gap_come_with_2_16(release):
    before = types(payload_of(PipelinesAPIServer, release))
    assert not [name for name in before if name.startswith('grpc_') or name.endswith('_gap')]


@pytest.mark.parametrize('release, counts', [('2.3', True), ('2.5', True), ('2.15', False), ('2.16', False)])
def test_read_artifact_is_not_counted_from_2_15_on(release, counts):
    payload = payload_of(PipelinesAPIServer, release)
    assert (total(payload, 'run_server_read_artifact_requests') > 0) is counts
    assert 'run_server_read_artifact_requests' in types(payload)


def test_a_deleted_run_has_a_series_of_its_own():
    world = World()
    server = PipelinesAPIServer(world, '2.16')
    for phase in ('Succeeded', 'Failed'):
        run = world.create('run', 'a', phase, name=f'train-{phase.lower()}', title=f'Run {phase}')
        world.publish(PipelinesCall('ReportWorkflow', run=run))
        world.publish(PipelinesCall('DeleteRun', run=run))
    payload = server.payload()
    assert values(payload, 'resource_manager_workflow_runs_success') == {
        ('a', 'train-succeeded'): 1,
        ('a', 'Run Succeeded'): -1,
    }
    assert values(payload, 'resource_manager_workflow_runs_failed') == {
        ('a', 'train-failed'): 1,
        ('a', 'Run Failed'): -1,
    }
    assert 'resource_manager_workflow_runs_success{profile="a",workflow="Run Succeeded"} -1\n' in payload


def test_a_run_that_ran_when_it_was_deleted_counts_as_less_failed():
    world = World()
    server = PipelinesAPIServer(world, '2.16')
    run = world.create('run', 'a', 'Running', name='train', title='Run')
    world.publish(PipelinesCall('DeleteRun', run=run))
    payload = server.payload()
    assert values(payload, 'resource_manager_workflow_runs_failed') == {('a', 'Run'): -1}
    assert total(payload, 'run_server_run_count') == -1


def test_differences_are_no_numbers_of_objects():
    world = busy_world()
    calls = Calls(world)
    server = PipelinesAPIServer(world, '2.16')
    world.step(1800)
    # Uploaded pipelines are deleted and were never created.
    made = calls.count('CreatePipeline') - calls.count('DeletePipeline')
    assert total(server.payload(), 'pipeline_server_pipeline_count') == made < 0
    assert total(server.payload(), 'pipeline_upload_requests') == calls.count('UploadPipeline') > 0


def test_after_a_restart_older_schedules_are_deleted_below_zero():
    world = busy_world()
    world.step(500)
    before = len(world.objects('schedule'))
    server = PipelinesAPIServer(world, '2.16')
    for number in range(before):
        world.publish(PipelinesCall('DeleteRecurringRun'))
        assert total(server.payload(), 'job_server_job_count') == -1 - number


def test_a_failed_call_is_counted_and_changes_nothing():
    world = World()
    server = PipelinesAPIServer(world, '2.16')
    world.publish(PipelinesCall('CreateRun', 'InvalidArgument'))
    payload = server.payload()
    assert total(payload, 'run_server_create_requests') == 1
    assert total(payload, 'run_server_run_count') == 0
    labels = (f'{SCOPE}.RunService', 'unary')
    assert values(payload, 'grpc_server_handled_total') == {('InvalidArgument', 'CreateRun', *labels): 1}
    assert total(payload, 'grpc_server_msg_received_total') == 1
    assert 'grpc_server_msg_sent_total' not in types(payload)


def test_an_upload_is_no_grpc_call():
    world = World()
    server = PipelinesAPIServer(world, '2.16')
    world.publish(PipelinesCall('UploadPipeline'))
    assert total(server.payload(), 'pipeline_upload_requests') == 1
    assert 'grpc_' not in server.payload()


def test_scheduled_runs_report_their_gap_and_are_never_created_by_call():
    world = busy_world()
    calls, truth, syncs = Calls(world), Truth(world), []
    world.listen(ScheduleSync, syncs.append)
    server = PipelinesAPIServer(world, '2.16')
    world.step(600)
    payload = server.payload()
    submitted = sum(sync.submitted for sync in syncs)
    started = submitted - sum(run.flavour == 'recurring' and run.phase == 'Pending' for run in world.objects('run'))
    assert total(payload, 'resource_manager_recurring_run_report_gap_count') == started > 0
    # Many more runs than were created by a call.
    assert truth.entered('run', 'Pending') == calls.count('CreateRun', 'OK') + submitted
    assert total(payload, 'run_server_create_requests') == calls.count('CreateRun')
    assert total(payload, 'job_server_job_count') == len(world.objects('schedule'))


def test_grpc_families_agree():
    payload = payload_of(PipelinesAPIServer, '2.16')
    started = total(payload, 'grpc_server_started_total')
    assert (
        started == total(payload, 'grpc_server_handled_total') == total(payload, 'grpc_server_handling_seconds_count')
    )
    assert started == total(payload, 'grpc_server_msg_received_total')
    assert total(payload, 'grpc_server_msg_sent_total') == total(payload, 'grpc_server_handled_total', grpc_code='OK')
    assert {code for code, *_ in values(payload, 'grpc_server_handled_total')} == {'OK', 'NotFound', 'InvalidArgument'}


def test_a_collected_workflow_is_no_deleted_run():
    world = World()
    server = PipelinesAPIServer(world, '2.16')
    world.publish(WorkflowCollected())
    payload = server.payload()
    assert total(payload, 'resource_manager_workflow_gc') == 1
    assert total(payload, 'run_server_delete_requests') == 0


def test_the_controller_of_schedules_handles_items():
    world = busy_world()
    syncs = []
    world.listen(ScheduleSync, syncs.append)
    controller = ScheduledWorkflowController(world, '2.16')
    world.step(1200)
    payload = controller.payload()
    failed = sum(sync.failed for sync in syncs)
    assert total(payload, 'scheduled_workflow_throughput_total') == len(syncs)
    items = values(payload, 'process_scheduled_workflow_duration_seconds_count')
    assert items == {('error',): failed, ('ok',): len(syncs) - failed}
    operations = values(payload, 'scheduled_workflow_duration_operation_seconds_count')
    submitted = sum(sync.submitted for sync in syncs)
    assert operations['swfget', 'ok'] == operations['swflist', 'ok'] == len(syncs)
    assert operations['swfsubmit', 'ok'] == operations['swfupdate', 'ok'] == submitted > 0
    assert operations['swfsubmit', 'error'] == failed > 0
    # Disabled schedules are looked at and submit nothing.
    assert {schedule.phase for schedule in world.objects('schedule')} <= {'Enabled', 'Disabled'}
    # The wait for an item is in its time.
    assert total(payload, 'process_scheduled_workflow_duration_seconds_sum') == pytest.approx(1200, abs=20)
