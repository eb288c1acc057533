# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Katib experiments, their suggestions and their trials."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..controller_runtime import STUCK
from ..events import WorkQueued
from ..world import DELETED, World, WorldObject
from .common import FAULTY_TURN, Held, slack, with_each_profile


class Experiments:
    """Experiments with a handful of trials each, two of which run at a time.

    An experiment fails once two of its trials failed (maxFailedTrialCount), else it succeeds when its trials are over.
    Its suggestion has succeeded when the experiment is over, however that ended. What becomes of a trial waits for the
    trial controller, also that it is deleted, for which there is a finalizer.
    """

    TRIALS = 5
    PARALLEL = 2
    MAX_FAILED = 2
    CONTROLLER = 'trial-controller'
    # What the Kubernetes API grants a controller that has much to do: a call 20 times a second.
    PACE = 0.05
    # How every trial ends in an incident. Where both are in force, a trial that failed has no metric to report.
    STRUCK = (('katib-trials-without-metrics', 'MetricsUnavailable'), ('katib-trials-failing', 'Failed'))

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('experiments')
        self._turns: dict[str, int] = {}
        self._held = Held(world, STUCK, self.PACE, controller=self.CONTROLLER)
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        self._turns[namespace] = 0
        self._world.schedule(self._random.uniform(0, 12), lambda: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        self._turns[namespace] += 1
        faulty = self._turns[namespace] % FAULTY_TURN == 0
        search = _Search(self._world.create('experiment', namespace, 'Created'), faulty)
        self._world.schedule(1, lambda: self._suggest(search))
        self._world.schedule(self._random.uniform(8, 16) * slack(self._world), lambda: self._submit(namespace))

    def _suggest(self, search: '_Search') -> None:
        # The service of a suggestion takes a moment to answer.
        search.suggestion = self._world.create(
            'suggestion', search.experiment.namespace, 'Created', name=search.experiment.name
        )
        self._world.schedule(0.5, lambda: self._start(search))

    def _start(self, search: '_Search') -> None:
        self._world.enter(search.suggestion, 'Running')
        self._world.enter(search.experiment, 'Running')
        for _ in range(self.PARALLEL):
            self._start_trial(search)

    def _start_trial(self, search: '_Search') -> None:
        trial = self._world.create('trial', search.experiment.namespace, 'Created')
        search.trials.append(trial)
        self._world.schedule(0.5, lambda: self._change(trial, lambda: self._world.enter(trial, 'Running')))
        duration = self._random.uniform(4, 20)
        self._world.schedule(duration, lambda: self._change(trial, lambda: self._finish_trial(search, trial)))

    def _change(self, trial: WorldObject, action: Callable[[], None]) -> None:
        """Have the trial controller do that."""
        if not self._held.do(action):
            self._world.publish(WorkQueued(self.CONTROLLER, trial.name))

    def _finish_trial(self, search: '_Search', trial: WorldObject) -> None:
        if search.over:
            self._world.enter(trial, 'Killed')
            return
        if search.faulty:
            phase = 'Failed'
        else:
            outcomes = ('Succeeded', 'EarlyStopped', 'MetricsUnavailable', 'Failed')
            phase = self._random.choices(outcomes, (82, 9, 6, 3))[0]
        for incident, struck in self.STRUCK:
            if self._world.suffers(incident, namespace=trial.namespace):
                phase = struck
        self._world.enter(trial, phase)
        finished = [each.phase for each in search.trials if each.phase not in ('Created', 'Running')]
        if finished.count('Failed') >= self.MAX_FAILED:
            self._finish(search, 'Failed')
        elif len(finished) >= self.TRIALS:
            self._finish(search, 'Succeeded')
        elif len(search.trials) < self.TRIALS:
            self._start_trial(search)

    def _finish(self, search: '_Search', phase: str) -> None:
        search.over = True
        self._world.enter(search.experiment, phase)
        self._world.enter(search.suggestion, 'Succeeded')
        # Longer than any trial runs, so that the killed ones are over before the experiment is deleted.
        self._world.schedule(self._random.uniform(60, 180), lambda: self._delete(search))

    def _delete(self, search: '_Search') -> None:
        for trial in search.trials:
            self._change(trial, lambda trial=trial: self._world.enter(trial, DELETED))
        for each in (search.suggestion, search.experiment):
            self._world.enter(each, DELETED)


@dataclass
class _Search:
    """An experiment under way."""

    experiment: WorldObject
    faulty: bool
    suggestion: WorldObject | None = None
    trials: list[WorldObject] = field(default_factory=list)
    over: bool = False
