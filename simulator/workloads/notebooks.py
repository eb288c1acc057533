# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Notebook servers."""

from ..controller_runtime import backoff
from ..events import NotebookAttempt
from ..world import DELETED, World, WorldObject
from .common import FAULTY_TURN, NAMES, slack, with_each_profile


class Notebooks:
    """Notebooks: Waiting, Running, Stopped when they were idle (culled), some of them started again, deleted.

    The Kubernetes API refuses some StatefulSets, which the controller tries again. Some images cannot be pulled: that
    notebook stays Waiting until its owner gives up. Every third team has a notebook only now and then.
    """

    RARE = NAMES.index('team-vision')

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('notebooks')
        self._turns: dict[str, int] = {}
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        rare = len(self._turns) % len(NAMES) == self.RARE
        self._turns[namespace] = 0
        self._world.schedule(self._random.uniform(0, 15), lambda: self._submit(namespace, rare))

    def _submit(self, namespace: str, rare: bool) -> None:
        self._attempt(namespace, rare)
        pause = self._random.uniform(200, 400) if rare else self._random.uniform(10, 25)
        self._world.schedule(pause * slack(self._world), lambda: self._submit(namespace, rare))

    def _attempt(self, namespace: str, rare: bool, failures: int = 0) -> None:
        if self._world.suffers('notebook-creation-failing', namespace=namespace):
            self._world.publish(NotebookAttempt(namespace, failed=True))
            self._world.schedule(backoff(failures), lambda: self._attempt(namespace, rare, failures + 1))
            return
        self._turns[namespace] += 1
        failed = self._turns[namespace] % FAULTY_TURN == 0
        self._world.publish(NotebookAttempt(namespace, failed))
        if failed:
            self._world.schedule(5, lambda: self._attempt(namespace, rare))
            return
        notebook = self._world.create('notebook', namespace, 'Waiting')
        if self._turns[namespace] % FAULTY_TURN == 2:
            self._world.schedule(self._random.uniform(30, 60), lambda: self._world.enter(notebook, DELETED))
        else:
            self._world.schedule(self._random.uniform(2, 10), lambda: self._run(notebook, rare))

    def _run(self, notebook: WorldObject, rare: bool) -> None:
        self._world.enter(notebook, 'Running')
        idle = rare or self._random.random() < 0.6
        after = self._random.uniform(30, 90) if rare else self._random.uniform(60, 600)
        self._world.schedule(after, lambda: self._cull(notebook, rare) if idle else self._delete(notebook))

    def _cull(self, notebook: WorldObject, rare: bool) -> None:
        self._world.enter(notebook, 'Stopped')
        if not rare and self._random.random() < 0.4:
            self._world.schedule(self._random.uniform(30, 120), lambda: self._run(notebook, rare))
        else:
            self._world.schedule(self._random.uniform(30, 90), lambda: self._delete(notebook))

    def _delete(self, notebook: WorldObject) -> None:
        self._world.enter(notebook, DELETED)
