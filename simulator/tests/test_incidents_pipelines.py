# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Incidents of Pipelines: failing, pending and late runs."""

from collections import Counter
from itertools import pairwise

from ..components import Argo, LegacyArgo, PipelinesAPIServer, ScheduledWorkflowController
from ..events import PipelinesCall, PodUnschedulable, ScheduleQueued
from ..incidents import incident
from ..workloads import busy_world
from ..workloads.common import NAMES
from ..workloads.pipelines import PersistenceAgent
from ..world import DELETED, PhaseChange, World
from .samples import total, values
from .struck import WHILE, Struck, forms_of

GAP = 'resource_manager_recurring_run_report_gap'


def failed_share(component, growth, namespace):
    """The share of the runs of a namespace that ended otherwise than well."""
    if isinstance(component, PipelinesAPIServer):
        ended = {
            outcome: growth(f'resource_manager_workflow_runs_{outcome}', profile=namespace)
            for outcome in ('success', 'failed')
        }
        return ended['failed'] / sum(ended.values())
    ended = {
        status: growth(
            'argo_workflows_pipeline_run_duration_seconds_count', workflow_namespace=namespace, status=status
        )
        for status in ('Succeeded', 'Failed', 'Error')
    }
    if isinstance(component, Argo):
        assert ended == {
            phase: growth('argo_workflows_total_count', namespace=namespace, phase=phase) for phase in ended
        }
    return 1 - ended['Succeeded'] / sum(ended.values())


def test_most_runs_of_a_namespace_fail():
    case = Struck('pipeline-runs-failing', forms_of(LegacyArgo, Argo, PipelinesAPIServer))
    for component, *growths in case.phases():
        shares = [failed_share(component, growth, case.culprit['namespace']) for growth in growths]
        assert shares[0] < 0.4, component.title
        assert shares[1] > 0.8, component.title
        assert shares[2] < 0.5, component.title
        for namespace in {*NAMES} - {case.culprit['namespace']}:
            assert failed_share(component, growths[1], namespace) < 0.4


def pending(component):
    """The Workflows and the pods that are pending, as the form of the component calls them."""
    infix = 'count' if isinstance(component, LegacyArgo) else 'gauge'
    payload = component.payload()
    return [values(payload, f'argo_workflows_{name}{infix}')['Pending',] for name in ('', 'pods_')]


def test_runs_of_a_namespace_stay_pending():
    world = busy_world()
    components = [component(world, release) for component, release in forms_of(LegacyArgo, Argo)]
    struck = incident('pipeline-runs-pending', world)
    namespace = struck.culprits[0]['namespace']
    waiting, waits = set(), Counter()

    def on_unschedulable(pod):
        waiting.add(pod.run)
        waits[pod.run.namespace] += 1

    def on_change(change):
        if change.object.kind == 'run' and change.object not in waiting and change.phase == 'Running':
            # Once: a run that is retried has waited already.
            waiting.add(change.object)
            waits[change.object.namespace] += change.age > Argo.UNSCHEDULABLE

    world.listen(PodUnschedulable, on_unschedulable)
    world.listen(PhaseChange, on_change)

    def depth():
        """What all of them agree on. Every 15 seconds the early forms look at what there is."""
        held = [sum(run.phase == 'Pending' for run in world.objects('run'))] * 2
        for component in components:
            assert pending(component) == held, component.title
        return held[0]

    world.step(600)
    assert depth() < 4
    world.begin(struck)
    depths = []
    for _ in range(WHILE // 60):
        world.step(60)
        depths.append(depth())
    assert all(before < after for before, after in pairwise(depths))
    assert depths[-1] > 30
    held = world.phases('run')[namespace, 'Pending']
    assert depths[-1] - held < 4
    world.end('pipeline-runs-pending')
    world.step(60)
    assert depth() < 4
    world.step(WHILE)
    assert depth() < 4
    for component in components:
        if isinstance(component, Argo):
            counted = values(component.payload(), 'argo_workflows_pod_pending_count')
            assert counted == {(each, 'Unschedulable'): number for each, number in waits.items()}, component.title


def test_pending_runs_are_there_after_a_restart():
    case = Struck('pipeline-runs-pending', [(Argo, '3.7')])
    case.begin()
    case.world.step(WHILE)
    (argo,) = case.components
    argo.close()
    again = Argo(case.world, '3.7')
    assert pending(again) == pending(argo)
    assert pending(again)[0] > 30


def mean_gap(growth):
    return growth(f'{GAP}_sum') / growth(f'{GAP}_count')


def test_recurring_runs_are_late():
    case = Struck('recurring-runs-late', [(PipelinesAPIServer, '2.16'), (ScheduledWorkflowController, '2.16')])
    _, controller = case.components
    lengths, firsts, told = [], [], {}
    case.world.listen(ScheduleQueued, lambda queued: lengths.append(queued.length))

    def on_call(call):
        if call.method == 'ReportWorkflow':
            told[call.run] = call.run.phase
            if call.first:
                firsts.append(call.run)

    case.world.listen(PipelinesCall, on_call)
    server_growth, controller_growth = case.growth()
    on_time = server_growth(f'{GAP}_count')
    assert mean_gap(server_growth) < 5
    assert controller_growth('scheduled_workflow_throughput_total') > 100
    assert lengths == []
    case.begin()
    gaps = []
    for _ in range(3):
        server_growth, controller_growth = case.growth(WHILE / 3)
        gaps.append(mean_gap(server_growth))
        for operation in ('swfget', 'swflist', 'swflistcompleted', 'swfsubmit', 'swfupdate'):
            calls = {'operation': operation}
            number = controller_growth('scheduled_workflow_duration_operation_seconds_count', **calls)
            assert 2 < controller_growth('scheduled_workflow_duration_operation_seconds_sum', **calls) / number < 2.1
        # An object waits once, and there are three; the worker is at one of them.
        assert total(controller.payload(), 'scheduled_workflow_queue_size') == lengths[-1]
    assert 20 < gaps[0] < gaps[1] < gaps[2]
    assert set(lengths) == {1, 2}
    case.end()
    # The backlog is told within a minute.
    (server_growth, _) = case.growth(60)
    assert mean_gap(server_growth) > 20
    (server_growth, controller_growth) = case.growth()
    assert server_growth(f'{GAP}_count') > on_time * 0.8
    assert mean_gap(server_growth) < 5
    assert controller_growth('scheduled_workflow_throughput_total') > 100
    assert len(firsts) == len(set(firsts)) > 70
    # Nothing is owed any more.
    assert told[firsts[-1]] == firsts[-1].phase
    assert all(told[run] == run.phase for run in case.world.objects('run') if run.phase != 'Pending')


def test_a_throttled_agent_tells_of_one_run_after_the_other_as_it_is_by_then():
    world = World()
    agent, told = PersistenceAgent(world), []
    world.listen(PipelinesCall, lambda call: told.append((world.now, call.run.name, call.run.phase, call.first)))
    first, second, gone = (world.create('run', 'a', 'Running', name=name) for name in ('first', 'second', 'gone'))
    world.begin(incident('recurring-runs-late', world))
    for run in (first, gone, second):
        agent.report(run, first=True)
    world.enter(gone, DELETED)
    world.enter(first, 'Succeeded')
    agent.report(first, first=False)
    assert agent.owes(first)
    world.step(7)
    assert told == [(7, 'first', 'Succeeded', True)]
    assert not agent.owes(first)
    world.step(13)
    # Of a run that is gone there is nothing to tell, but it was looked for.
    assert len(told) == 1
    world.end('recurring-runs-late')
    world.enter(second, 'Failed')
    world.step(10)
    assert told[1:] == [(21, 'second', 'Failed', True)]
    agent.report(second, first=False)
    assert told[2:] == [(30, 'second', 'Failed', False)]
