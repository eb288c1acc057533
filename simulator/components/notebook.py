# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections import Counter
from collections.abc import Iterable

from prometheus_client import Metric

from ..controller_runtime import ControllerRuntime
from ..events import NotebookAttempt
from ..exposition import GO, RawCounter
from ..world import DELETED, PhaseChange, World
from .component import Component


class NotebookController(Component):
    """notebook-controller 1.9 and 1.10 (controller-runtime 0.11) with ENABLE_CULLING=true, which adds `Culler`.

    Culling has no series of its own in any release.
    """

    id = 'notebook-controller'
    program = 'Notebook controller'
    dialect = GO

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._attempts = RawCounter(
            'notebook_create_total', 'Attempts to create a notebook', ['namespace'], registry=self.registry
        )
        self._failures = RawCounter(
            'notebook_create_failed_total', 'Attempts that failed', ['namespace'], registry=self.registry
        )
        self._present = Counter(each.namespace for each in world.objects('notebook'))
        # What the gauge says: the last number of notebooks of a namespace that was not 0.
        self._shown = dict(self._present)
        self.registry.register(self)
        self._runtime = ControllerRuntime(world, self.registry, ('notebook', 'Culler'), (0, 11), self.id)
        for _ in world.objects('notebook'):
            self._runtime.reconcile('notebook')
            self._runtime.reconcile('Culler')
        world.listen(NotebookAttempt, self._on_attempt)
        world.listen(PhaseChange, self._on_change)

    def _on_attempt(self, attempt: NotebookAttempt) -> None:
        self._attempts.labels(attempt.namespace).inc()
        if attempt.failed:
            self._failures.labels(attempt.namespace).inc()
        self._runtime.reconcile('notebook', failed=attempt.failed)

    def _on_change(self, change: PhaseChange) -> None:
        notebook = change.object
        if notebook.kind != 'notebook':
            return
        self._runtime.reconcile('notebook')
        self._runtime.reconcile('Culler')
        if change.phase == DELETED:
            self._present[notebook.namespace] -= 1
        elif change.age == 0:
            self._present[notebook.namespace] += 1
        if self._present[notebook.namespace]:
            self._shown[notebook.namespace] = self._present[notebook.namespace]

    def collect(self) -> Iterable[Metric]:
        """`notebook_running`: notebooks present, stopped ones too. Never reset, so an emptied namespace is stale."""
        family = Metric('notebook_running', 'Notebooks of the cluster', 'gauge')
        for namespace, number in self._shown.items():
            family.add_sample(family.name, {'namespace': namespace}, number)
        yield family
