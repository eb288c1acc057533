# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections import Counter
from collections.abc import Iterable

from prometheus_client import Metric

from ..controller_runtime import ControllerRuntime
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import NotebookAttempt, PhaseChange, World
from .component import Component


class NotebookController(Component):
    """notebook-controller 1.10 (controller-runtime 0.11), culling off."""

    id = 'notebook-controller'
    title = 'Notebook controller 1.10'
    dialect = GO

    def __init__(self, world: World):
        super().__init__(world)
        self._attempts = RawCounter(
            'notebook_create_total', 'Attempts to create a notebook', ['namespace'], registry=self.registry
        )
        self._failures = RawCounter(
            'notebook_create_failed_total', 'Attempts that failed', ['namespace'], registry=self.registry
        )
        self._present: dict[str, int] = {}
        self.registry.register(self)
        self._runtime = ControllerRuntime(world, self.registry, ('notebook',), (0, 11), self.id)
        GoRuntime(self.registry)
        world.listen(NotebookAttempt, self._on_attempt)
        world.listen(PhaseChange, self._on_change)

    def _on_attempt(self, attempt: NotebookAttempt) -> None:
        self._attempts.labels(attempt.namespace).inc()
        if attempt.failed:
            self._failures.labels(attempt.namespace).inc()
        self._runtime.reconcile('notebook')

    def _on_change(self, change: PhaseChange) -> None:
        if change.object.kind == 'notebook':
            self._runtime.reconcile('notebook')

    def collect(self) -> Iterable[Metric]:
        """`notebook_running`: notebooks present. The controller never resets it, so an emptied namespace is stale."""
        self._present.update(Counter(each.namespace for each in self.world.objects('notebook')))
        family = Metric('notebook_running', 'Notebooks of the cluster', 'gauge')
        for namespace, number in sorted(self._present.items()):
            family.add_sample(family.name, {'namespace': namespace}, number)
        yield family
