# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the users of the simulated cluster do. Each class keeps one kind of work going in a `World`."""

from dataclasses import dataclass
from random import Random

from .world import DELETED, NAMESPACES, Inference, NotebookAttempt, World, WorldObject

# Rare events come by turns and not by chance, so that no window of two simulated minutes is without one.
FAULTY_TURN = 4


class Experiments:
    """Katib experiments, each with a handful of trials, two of which run at a time.

    An experiment fails once two of its trials failed (maxFailedTrialCount), else it succeeds when its trials are over.
    """

    TRIALS = 5
    PARALLEL = 2
    MAX_FAILED = 2

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('experiments')
        self._turns = dict.fromkeys(NAMESPACES, 0)
        for namespace in NAMESPACES:
            world.schedule(self._random.uniform(0, 12), lambda namespace=namespace: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        self._turns[namespace] += 1
        faulty = self._turns[namespace] % FAULTY_TURN == 0
        experiment = self._world.create('experiment', namespace, 'Created')
        self._world.schedule(1, lambda: self._start(_Search(experiment, faulty)))
        self._world.schedule(self._random.uniform(8, 16), lambda: self._submit(namespace))

    def _start(self, search: '_Search') -> None:
        self._world.enter(search.experiment, 'Running')
        for _ in range(self.PARALLEL):
            self._start_trial(search)

    def _start_trial(self, search: '_Search') -> None:
        trial = self._world.create('trial', search.experiment.namespace, 'Created')
        search.trials.append(trial)
        self._world.schedule(0.5, lambda: self._world.enter(trial, 'Running'))
        self._world.schedule(self._random.uniform(4, 20), lambda: self._finish_trial(search, trial))

    def _finish_trial(self, search: '_Search', trial: WorldObject) -> None:
        if search.over:
            self._world.enter(trial, 'Killed')
            return
        if search.faulty:
            phase = 'Failed'
        else:
            phase = self._random.choices(('Succeeded', 'EarlyStopped', 'MetricsUnavailable'), (85, 9, 6))[0]
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
        # Longer than any trial runs, so that the killed ones are over before the experiment is deleted.
        self._world.schedule(self._random.uniform(60, 180), lambda: self._delete(search))

    def _delete(self, search: '_Search') -> None:
        for each in (*search.trials, search.experiment):
            self._world.enter(each, DELETED)


class _Search:
    """An experiment under way."""

    def __init__(self, experiment: WorldObject, faulty: bool):
        self.experiment = experiment
        self.faulty = faulty
        self.trials: list[WorldObject] = []
        self.over = False


class Notebooks:
    """Notebook servers. The Kubernetes API refuses some StatefulSets; the controller tries those again."""

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('notebooks')
        self._turns = dict.fromkeys(NAMESPACES, 0)
        for namespace in NAMESPACES:
            world.schedule(self._random.uniform(0, 15), lambda namespace=namespace: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        self._attempt(namespace)
        self._world.schedule(self._random.uniform(10, 25), lambda: self._submit(namespace))

    def _attempt(self, namespace: str) -> None:
        self._turns[namespace] += 1
        failed = self._turns[namespace] % FAULTY_TURN == 0
        self._world.publish(NotebookAttempt(namespace, failed))
        if failed:
            self._world.schedule(5, lambda: self._attempt(namespace))
            return
        notebook = self._world.create('notebook', namespace, 'Present')
        self._world.schedule(self._random.uniform(60, 900), lambda: self._world.enter(notebook, DELETED))


@dataclass(frozen=True)
class Model:
    """A deployed model: requests per second, and the median of its predict step in seconds."""

    name: str
    namespace: str
    rate: float
    median: float


# One model for each way of serving, so that no request is seen by two of the simulated endpoints.
KSERVE_MODEL = Model('sklearn-iris', 'team-tabular', 2.0, 0.012)
OPENCENSUS_MODEL = Model('xgboost-churn', 'team-tabular', 1.5, 0.03)
OPENTELEMETRY_MODEL = Model('bert-reviews', 'team-nlp', 1.5, 0.18)
MLSERVER_MODEL = Model('lightgbm-income', 'team-tabular', 2.0, 0.008)


class Traffic:
    """Inference requests to every deployed model: slow ones now and then, refused and failing ones among them."""

    MODELS = (KSERVE_MODEL, OPENCENSUS_MODEL, OPENTELEMETRY_MODEL, MLSERVER_MODEL)
    STATUSES = (200, 400, 404, 500)
    WEIGHTS = (91, 2, 2, 5)

    def __init__(self, world: World):
        self._world = world
        for model in self.MODELS:
            random = world.random(f'traffic:{model.name}')
            world.schedule(
                random.expovariate(model.rate), lambda model=model, random=random: self._request(model, random)
            )

    def _request(self, model: Model, random: Random) -> None:
        status = random.choices(self.STATUSES, self.WEIGHTS)[0]
        self._world.publish(
            Inference(
                model=model.name,
                verb=random.choices(('predict', 'explain'), (19, 1))[0],
                protocol=random.choices(('rest', 'grpc'), (4, 1))[0],
                status=status,
                preprocess=random.uniform(0.0002, 0.003),
                predict=model.median * random.lognormvariate(0, 0.7),
                postprocess=random.uniform(0.00005, 0.001),
                request_bytes=int(random.lognormvariate(6, 1)),
                response_bytes=int(random.lognormvariate(5, 0.8)) if status == 200 else random.randint(20, 60),
            )
        )
        self._world.schedule(random.expovariate(model.rate), lambda: self._request(model, random))


class PipelineRuns:
    """Pipeline runs, each an Argo Workflow that is deleted some time after it is over. Half of them are scheduled."""

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('runs')
        for namespace in NAMESPACES:
            world.schedule(self._random.uniform(0, 6), lambda namespace=namespace: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        run = self._world.create('run', namespace, 'Pending', self._random.choice(('one-off', 'recurring')))
        self._world.schedule(self._random.uniform(1, 5), lambda: self._start(run))
        self._world.schedule(self._random.uniform(4, 12), lambda: self._submit(namespace))

    def _start(self, run: WorldObject) -> None:
        self._world.enter(run, 'Running')
        duration = min(40 * self._random.lognormvariate(0, 1), 3600)
        self._world.schedule(duration, lambda: self._finish(run))

    def _finish(self, run: WorldObject) -> None:
        self._world.enter(run, self._random.choices(('Succeeded', 'Failed', 'Error'), (80, 15, 5))[0])
        self._world.schedule(self._random.uniform(120, 300), lambda: self._world.enter(run, DELETED))


class TrainingJobs:
    """Distributed training jobs of several frameworks, some restarted once on the way."""

    FRAMEWORKS = ('pytorch', 'tensorflow', 'xgboost', 'mpi', 'jax')

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('jobs')
        for namespace in NAMESPACES:
            world.schedule(self._random.uniform(0, 8), lambda namespace=namespace: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        job = self._world.create('job', namespace, 'Created', self._random.choice(self.FRAMEWORKS))
        self._world.schedule(self._random.uniform(2, 6), lambda: self._world.enter(job, 'Running'))
        if self._random.random() < 0.2:
            self._world.schedule(self._random.uniform(7, 9), lambda: self._world.enter(job, 'Restarting'))
        self._world.schedule(self._random.uniform(10, 60), lambda: self._finish(job))
        self._world.schedule(self._random.uniform(5, 15), lambda: self._submit(namespace))

    def _finish(self, job: WorldObject) -> None:
        self._world.enter(job, self._random.choices(('Succeeded', 'Failed'), (80, 20))[0])
        self._world.schedule(self._random.uniform(30, 120), lambda: self._world.enter(job, DELETED))


def busy_world(seed: int = 0) -> World:
    """A world in which all of these go on at once."""
    world = World(seed)
    for workload in (Experiments, Notebooks, Traffic, PipelineRuns, TrainingJobs):
        workload(world)
    return world
