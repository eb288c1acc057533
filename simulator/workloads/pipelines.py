# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Pipeline runs: one-off runs that people create, and recurring runs that a schedule submits."""

from collections import deque
from itertools import count, cycle
from random import Random

from ..events import PipelinesCall, PodUnschedulable, ScheduleQueued, ScheduleSync, WorkflowCollected
from ..world import DELETED, World, WorldObject
from .common import FAULTY_TURN, Held, slack, with_each_profile

LATE = 'recurring-runs-late'

PIPELINES = ('fraud-training', 'nightly-report', 'ab-test')
# The characters Kubernetes ends a generated name with.
NAME_CHARACTERS = 'bcdfghjklmnpqrstvwxz2456789'


def name_suffix(number: int) -> str:
    """Five characters that look random and differ for each number below 14 million."""
    base = len(NAME_CHARACTERS)
    # The factor has no divisor in common with the base, so that no two numbers meet.
    scrambled = number * 8_191_007 % base**5
    return ''.join(NAME_CHARACTERS[scrambled // base**place % base] for place in range(5))


class PersistenceAgent:
    """Tells the API server of each Workflow that changed, at once.

    Where the Kubernetes API throttles it, it comes to one Workflow after the other, which it tells as it is by then.
    """

    # How many seconds it needs for a Workflow then, and when that is over.
    THROTTLED = 7.0
    FREE = 0.1

    def __init__(self, world: World):
        self._world = world
        # Whether it is the first that is told of a run, in the order of their turns.
        self._waiting: dict[WorldObject, bool] = {}

    def report(self, run: WorldObject, first: bool) -> None:
        """That run changed; `first` says that nothing was told of it yet."""
        if not self._waiting and not self._world.suffers(LATE):
            self._tell(run, first)
        elif run not in self._waiting:
            self._waiting[run] = first
            if len(self._waiting) == 1:
                self._work()

    def owes(self, run: WorldObject) -> bool:
        """Whether the API server does not know yet what became of that run."""
        return run in self._waiting

    def _work(self) -> None:
        self._world.schedule(self.THROTTLED if self._world.suffers(LATE) else self.FREE, self._finish)

    def _finish(self) -> None:
        run = next(iter(self._waiting))
        first = self._waiting.pop(run)
        if run.phase != DELETED:
            self._tell(run, first)
        if self._waiting:
            self._work()

    def _tell(self, run: WorldObject, first: bool) -> None:
        self._world.publish(PipelinesCall('ReportWorkflow', run=run, first=first))


class PipelineRuns:
    """People upload pipelines and delete them, create runs, look at them, get some of their calls wrong."""

    # What comes by turns. Who deletes a pipeline that was uploaded takes away what no call has created.
    ERRANDS = (
        ('GetRun', 'NotFound'),
        ('UploadPipeline', 'OK'),
        ('UploadPipelineVersion', 'OK'),
        ('DeletePipeline', 'OK'),
    )

    def __init__(self, world: World, agent: PersistenceAgent | None = None):
        self._world = world
        self._random = world.random('runs')
        self._runs = _Runs(world, self._random, agent)
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

    People disable it, enable it again, and in the end replace it by another one. The controller has one worker, which
    a throttled Kubernetes API keeps busy for so long that schedules have to wait for each other.
    """

    ROUND = 15.0
    DUE = 3
    DISABLED = range(19, 25)
    REPLACED = 40
    # Seconds that each call of the controller takes longer where it is throttled, and what it takes else.
    LAG = 2.0
    CALL = 0.01

    def __init__(self, world: World, agent: PersistenceAgent | None = None):
        self._world = world
        self._random = world.random('schedules')
        self._runs = _Runs(world, self._random, agent)
        self._queue: deque[tuple[WorldObject, int]] = deque()
        self._busy = False
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
        if self._busy or self._world.suffers(LATE):
            self._queue.append((schedule, turn))
            self._world.publish(ScheduleQueued(len(self._queue)))
            if not self._busy:
                self._work()
        else:
            self._look(schedule, turn)

    def _work(self) -> None:
        """Take the next schedule and hold the worker for as long as its calls take."""
        self._busy = bool(self._queue)
        if self._busy:
            schedule, turn = self._queue.popleft()
            lag = self.LAG if self._world.suffers(LATE) else 0.0
            due, failed = self._due(schedule, turn)
            # Three to look, one to submit, one to note that this succeeded.
            calls = 3 + due + (due and not failed)
            self._world.schedule(calls * (lag + self.CALL), lambda: self._end_work(schedule, turn, lag))

    def _end_work(self, schedule: WorldObject, turn: int, lag: float) -> None:
        self._look(schedule, turn, lag, waited=True)
        self._work()

    def _due(self, schedule: WorldObject, turn: int) -> tuple[bool, bool]:
        """Whether a run is due at that turn, and whether its submission fails."""
        firing, early = divmod(turn, self.DUE)
        due = not early and schedule.phase == 'Enabled'
        return due, due and firing % FAULTY_TURN == 0

    def _look(self, schedule: WorldObject, turn: int, lag: float = 0.0, waited: bool = False) -> None:
        due, failed = self._due(schedule, turn)
        self._world.publish(ScheduleSync(submitted=due and not failed, failed=failed, lag=lag, waited=waited))
        if due and not failed:
            firing = turn // self.DUE
            name = f'{schedule.name}-{firing}-{self._random.randrange(10**9, 10**10)}'
            self._runs.create(schedule.namespace, name, f'{schedule.name} {firing}', 'recurring')
        self._await(schedule, turn + 1)


class _Runs:
    """The life of a run, which is that of its Argo Workflow: it ends with a deletion, by a user or by its age.

    The persistence agent reports it from its start on. Some runs are terminated, some that failed are retried once.
    """

    OUTCOMES = ('Succeeded', 'Failed', 'Error', 'terminated', 'deleted')
    WEIGHTS = (76, 14, 5, 4, 1)
    # How they end in an incident.
    STRUCK_WEIGHTS = (10, 75, 15, 0, 0)
    # The nodes that come back take one pod after the other, in seconds.
    PACE = 0.5
    # When the API server looks again whether it may delete a Workflow, in seconds.
    GRACE = 30.0

    def __init__(self, world: World, random: Random, agent: PersistenceAgent | None):
        self._world = world
        self._random = random
        self._trouble = world.random('runs:trouble')
        self._agent = agent or PersistenceAgent(world)
        self._held: dict[str, Held] = {}

    def create(self, namespace: str, name: str, title: str, flavour: str) -> WorldObject:
        run = self._world.create('run', namespace, 'Pending', name=name, title=title, flavour=flavour)
        self._world.schedule(self._random.uniform(1, 5), lambda: self._place(run))
        return run

    def _place(self, run: WorldObject) -> None:
        """Have the run start on a node, once there is one with room."""
        namespace = run.namespace
        if namespace not in self._held:
            self._held[namespace] = Held(self._world, 'pipeline-runs-pending', self.PACE, namespace=namespace)
        if not self._held[namespace].do(lambda: self._start(run, retried=False)):
            self._world.publish(PodUnschedulable(run))

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
        self._agent.report(run, first)

    def _finish(self, run: WorldObject, outcome: str, retried: bool) -> None:
        if outcome == 'deleted':
            self._delete(run)
            return
        if self._world.suffers('pipeline-runs-failing', namespace=run.namespace):
            outcome = self._trouble.choices(self.OUTCOMES, self.STRUCK_WEIGHTS)[0]
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
        if self._agent.owes(run):
            # The API server keeps a Workflow until it knows how that ended.
            self._world.schedule(self.GRACE, lambda: self._collect(run))
            return
        self._world.publish(WorkflowCollected())
        self._world.enter(run, DELETED)
