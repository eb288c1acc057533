# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the users of the simulated cluster do, each kind of them alone with one profile."""

from collections import defaultdict

import pytest

from ..events import PipelinesCall, ScheduleSync
from ..workloads.experiments import Experiments
from ..workloads.notebooks import Notebooks
from ..workloads.pipelines import PipelineRuns, RecurringRuns
from ..world import DELETED, PhaseChange, World


def alone(workload, seed=0, namespaces=1):
    """A world with that workload and one profile; the more namespaces it is made for, the slower its users."""
    world = World(seed, namespaces)
    workload(world)
    world.enter(world.create('profile', 'a', 'Created', name='a'), 'Ready')
    return world


def histories(world, kind):
    """The phases of each object of that kind, by its name, told as they come."""
    phases = defaultdict(list)

    def on_change(change):
        if change.object.kind == kind:
            phases[change.object.name].append(change.phase)

    world.listen(PhaseChange, on_change)
    return phases


@pytest.mark.parametrize('seed', range(3))
def test_an_experiment_has_five_trials_two_at_a_time_and_bears_one_failure(seed):
    # So slow that an experiment is over before the next one begins.
    world = alone(Experiments, seed, namespaces=2400)
    experiments, owners = {}, {}
    trials, at_once = defaultdict(dict), defaultdict(int)

    def on_change(change):
        kind, name = change.object.kind, change.object.name
        if change.phase == DELETED:
            return
        if kind == 'experiment':
            experiments[name] = change.phase
        elif kind == 'trial':
            search = list(experiments)[-1] if change.phase == 'Created' else owners[name]
            owners[name] = search
            trials[search][name] = change.phase
            busy = sum(phase in ('Created', 'Running') for phase in trials[search].values())
            at_once[search] = max(at_once[search], busy)

    world.listen(PhaseChange, on_change)
    world.step(60_000)
    over = {name: phase for name, phase in experiments.items() if phase in ('Succeeded', 'Failed')}
    assert set(over.values()) == {'Succeeded', 'Failed'}
    for name, phase in over.items():
        ends = list(trials[name].values())
        assert at_once[name] == 2
        if phase == 'Succeeded':
            assert len(ends) == 5
            assert ends.count('Failed') < 2
        else:
            assert ends.count('Failed') == 2
    # Every fourth one fails at once: its third trial is killed.
    for name in list(over)[3::4]:
        assert sorted(trials[name].values()) == ['Failed', 'Failed', 'Killed']


@pytest.mark.parametrize('seed', range(3))
def test_every_fourth_notebook_waits_for_an_image_that_cannot_be_pulled(seed):
    world = alone(Notebooks, seed)
    notebooks = histories(world, 'notebook')
    world.step(3600)
    over = [phases for phases in notebooks.values() if phases[-1] == DELETED]
    never_ran = [phases for phases in over if 'Running' not in phases]
    assert never_ran
    assert all(phases == ['Waiting', DELETED] for phases in never_ran)
    assert len(over) / 5 < len(never_ran) < len(over) / 2


def test_a_terminated_run_has_failed():
    world = alone(PipelineRuns)
    terminated, ends = set(), []

    def on_call(call):
        if call.method == 'TerminateRun':
            assert call.run.phase == 'Running'
            terminated.add(call.run)
        elif call.method == 'ReportWorkflow' and call.run in terminated:
            terminated.remove(call.run)
            ends.append(call.run.phase)

    world.listen(PipelinesCall, on_call)
    world.step(14_400)
    assert len(ends) > 3
    assert set(ends) == {'Failed'}
    assert not terminated


def test_a_schedule_is_disabled_enabled_again_and_replaced():
    world = alone(RecurringRuns)
    schedules, syncs = histories(world, 'schedule'), []
    world.listen(ScheduleSync, syncs.append)
    # Some seconds until there is one, and 40 rounds.
    world.step(20 + 40 * 15)
    assert list(schedules.values()) == [['Enabled', 'Disabled', 'Enabled', DELETED], ['Enabled']]
    first = syncs[:39]
    # Due each third time and not while it is disabled; each fourth time that it is due, the submission fails.
    assert [turn for turn, sync in enumerate(first, 1) if sync.submitted] == [3, 6, 9, 15, 18, 27, 30, 33, 39]
    assert [turn for turn, sync in enumerate(first, 1) if sync.failed] == [12, 36]
