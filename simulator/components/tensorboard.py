# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from ..controller_runtime import ControllerRuntime
from ..exposition import GO
from ..world import PhaseChange, World
from .component import Component


class TensorboardController(Component):
    """tensorboard-controller 1.9 and 1.10 (controller-runtime 0.11): nothing but what the library has."""

    id = 'tensorboard-controller'
    program = 'Tensorboard controller'
    dialect = GO

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._runtime = ControllerRuntime(world, self.registry, ('tensorboard',), (0, 11), self.id)
        for _ in world.objects('tensorboard'):
            self._runtime.reconcile('tensorboard')
        world.listen(PhaseChange, self._on_change)

    def _on_change(self, change: PhaseChange) -> None:
        if change.object.kind == 'tensorboard':
            self._runtime.reconcile('tensorboard')
