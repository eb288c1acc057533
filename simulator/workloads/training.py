# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Distributed training jobs."""

from ..world import DELETED, World, WorldObject
from .common import slack, with_each_profile


class TrainingJobs:
    """Training jobs of every framework that some release of the training operator knows, some of them restarted."""

    FRAMEWORKS = ('pytorch', 'tensorflow', 'xgboost', 'mpi', 'paddle', 'jax', 'mxnet')

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('jobs')
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        self._world.schedule(self._random.uniform(0, 8), lambda: self._submit(namespace))

    def _submit(self, namespace: str) -> None:
        job = self._world.create('job', namespace, 'Created', flavour=self._random.choice(self.FRAMEWORKS))
        self._world.schedule(self._random.uniform(2, 6), lambda: self._world.enter(job, 'Running'))
        if self._random.random() < 0.2:
            self._world.schedule(self._random.uniform(7, 9), lambda: self._world.enter(job, 'Restarting'))
        self._world.schedule(self._random.uniform(10, 60), lambda: self._finish(job))
        self._world.schedule(self._random.uniform(5, 15) * slack(self._world), lambda: self._submit(namespace))

    def _finish(self, job: WorldObject) -> None:
        self._world.enter(job, self._random.choices(('Succeeded', 'Failed'), (80, 20))[0])
        self._world.schedule(self._random.uniform(30, 120), lambda: self._world.enter(job, DELETED))
