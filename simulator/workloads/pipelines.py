# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Pipeline runs: one-off runs that people create, and recurring runs that a schedule submits."""

from itertools import count, cycle
from random import Random

from ..events import PipelinesCall, ScheduleSync, WorkflowCollected
from ..world import DELETED, World, WorldObject
from .common import FAULTY_TURN, slack, with_each_profile

PIPELINES = ('fraud-training', 'nightly-report', 'ab-test')
# The characters Kubernetes ends a generated name with.
NAME_CHARACTERS = 'bcdfghjklmnpqrstvwxz2456789'


def name_suffix(number: int) -> str:
    """Five characters that look random and differ for each number below 14 million."""
    base = len(NAME_CHARACTERS)
    # The factor has no divisor in common with the base, so that no two numbers meet.
    scrambled = number * 8_191_007 % base**5
    return ''.join(NAME_CHARACTERS[scrambled // base**place % base] for place in range(5))


class PipelineRuns:
    """People upload pipelines and delete them, create runs, look at them, get some of their calls wrong."""

    # What comes by turns. Who deletes a pipeline that was uploaded takes away what no call has created.
    ERRANDS = (
        ('GetRun', 'NotFound'),
        ('UploadPipeline', 'OK'),
        ('UploadPipelineVersion', 'OK'),
        ('DeletePipeline', 'OK'),
    )

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('runs')
        self._runs = _Runs(world, self._random)
        self._numbers = count(1)
        self._errands = cycle(self.ERRANDS)
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        for method in ('CreateExperiment', 'CreatePipeline', 'CreatePipelineVersion', 'UploadPipeline'):
            self._call(method)
        self._world.schedule(self._random.uniform(0, 10), lambda: self._submit(namespace))
        self._world.schedule(self._random.uniform(30, 60), self._look_around)

    def _call(self, method: str, code: str = 'OK') -> None:
        self._world.publish(PipelinesCall(method, code))

    def _submit(self, namespace: str) -> None:
        if self._random.random() < 0.05:
            self._call('CreateRun', 'InvalidArgument')
        else:
            pipeline = self._random.choice(PIPELINES)
            name = f'{pipeline}-{name_suffix(next(self._numbers))}'
            run = self._runs.create(namespace, name, f'Run of {name}', 'one-off')
            self._world.publish(PipelinesCall('CreateRun', run=run))
        self._world.schedule(self._random.uniform(10, 30) * slack(self._world), lambda: self._submit(namespace))

    def _look_around(self) -> None:
        for method in ('ListPipelines', 'GetPipeline', 'ListExperiments', 'ListRecurringRuns'):
            self._call(method)
        self._call(*next(self._errands))
        self._world.schedule(self._random.uniform(30, 90) * slack(self._world), self._look_around)


class RecurringRuns:
    """Each profile has a schedule, which the controller looks at every 15 seconds and which is due each third time.

    People disable it, enable it again, and in the end replace it by another one.
    """

    ROUND = 15.0
    DUE = 3
    DISABLED = range(19, 25)
    REPLACED = 40

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('schedules')
        self._runs = _Runs(world, self._random)
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        self._world.schedule(self._random.uniform(5, 20), lambda: self._create(namespace))

    def _create(self, namespace: str) -> None:
        schedule = self._world.create('schedule', namespace, 'Enabled')
        self._call('CreateRecurringRun')
        self._await(schedule, 1)

    def _call(self, method: str) -> None:
        self._world.publish(PipelinesCall(method))

    def _await(self, schedule: WorldObject, turn: int) -> None:
        self._world.schedule(self.ROUND * slack(self._world), lambda: self._sync(schedule, turn))

    def _sync(self, schedule: WorldObject, turn: int) -> None:
        if turn == self.REPLACED:
            self._call('DeleteRecurringRun')
            self._world.enter(schedule, DELETED)
            self._create(schedule.namespace)
            return
        if turn == self.DISABLED.start:
            self._call('DisableRecurringRun')
            self._world.enter(schedule, 'Disabled')
        elif turn == self.DISABLED.stop:
            self._call('EnableRecurringRun')
            self._world.enter(schedule, 'Enabled')
        firing, early = divmod(turn, self.DUE)
        due = not early and schedule.phase == 'Enabled'
        failed = due and firing % FAULTY_TURN == 0
        self._world.publish(ScheduleSync(submitted=due and not failed, failed=failed))
        if due and not failed:
            name = f'{schedule.name}-{firing}-{self._random.randrange(10**9, 10**10)}'
            self._runs.create(schedule.namespace, name, f'{schedule.name} {firing}', 'recurring')
        self._await(schedule, turn + 1)


class _Runs:
    """The life of a run, which is that of its Argo Workflow: it ends with a deletion, by a user or by its age.

    The persistence agent reports it from its start on. Some runs are terminated, some that failed are retried once.
    """

    OUTCOMES = ('Succeeded', 'Failed', 'Error', 'terminated', 'deleted')
    WEIGHTS = (76, 14, 5, 4, 1)

    def __init__(self, world: World, random: Random):
        self._world = world
        self._random = random

    def create(self, namespace: str, name: str, title: str, flavour: str) -> WorldObject:
        run = self._world.create('run', namespace, 'Pending', name=name, title=title, flavour=flavour)
        self._world.schedule(self._random.uniform(1, 5), lambda: self._start(run, retried=False))
        return run

    def _start(self, run: WorldObject, retried: bool) -> None:
        self._enter(run, 'Running', first=not retried)
        # Somebody looks at the list as soon as a run is under way.
        for method in ('ListRuns', 'GetRun'):
            self._world.publish(PipelinesCall(method))
        duration = min(40 * self._random.lognormvariate(0, 1), 3600)
        outcome = self._random.choices(self.OUTCOMES, self.WEIGHTS)[0]
        self._world.schedule(duration, lambda: self._finish(run, outcome, retried))

    def _enter(self, run: WorldObject, phase: str, first: bool = False) -> None:
        self._world.enter(run, phase)
        self._world.publish(PipelinesCall('ReportWorkflow', run=run, first=first))

    def _finish(self, run: WorldObject, outcome: str, retried: bool) -> None:
        if outcome == 'deleted':
            self._delete(run)
            return
        if outcome == 'terminated':
            self._world.publish(PipelinesCall('TerminateRun', run=run))
            outcome = 'Failed'
        self._enter(run, outcome)
        self._world.publish(PipelinesCall('ReadArtifact', run=run))
        chance = self._random.random()
        if outcome == 'Failed' and not retried and chance < 0.4:
            self._world.schedule(self._random.uniform(10, 30), lambda: self._retry(run))
        elif chance < 0.25:
            self._world.schedule(self._random.uniform(30, 120), lambda: self._delete(run))
        else:
            self._world.schedule(self._random.uniform(120, 300), lambda: self._collect(run))

    def _retry(self, run: WorldObject) -> None:
        self._world.publish(PipelinesCall('RetryRun', run=run))
        self._start(run, retried=True)

    def _delete(self, run: WorldObject) -> None:
        self._world.publish(PipelinesCall('DeleteRun', run=run))
        self._world.enter(run, DELETED)

    def _collect(self, run: WorldObject) -> None:
        self._world.publish(WorkflowCollected())
        self._world.enter(run, DELETED)
