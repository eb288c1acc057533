# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Tensorboards."""

from ..world import DELETED, World
from .common import slack, with_each_profile


class Tensorboards:
    """Tensorboards that people open beside their training and delete later."""

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('tensorboards')
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        self._world.schedule(self._random.uniform(0, 30), lambda: self._open(namespace))

    def _open(self, namespace: str) -> None:
        board = self._world.create('tensorboard', namespace, 'Created')
        self._world.schedule(5, lambda: self._world.enter(board, 'Ready'))
        self._world.schedule(self._random.uniform(60, 300), lambda: self._world.enter(board, DELETED))
        self._world.schedule(self._random.uniform(20, 60) * slack(self._world), lambda: self._open(namespace))
