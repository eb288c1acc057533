# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from ..controller_runtime import ControllerRuntime
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import PhaseChange, World
from .component import Component

# How the counters name a framework, and the controller that looks after its jobs.
CONTROLLERS = {
    'pytorch': 'pytorchjob-controller',
    'tensorflow': 'tfjob-controller',
    'xgboost': 'xgboostjob-controller',
    'mpi': 'mpijob-controller',
    'paddle': 'paddlejob-controller',
    'jax': 'jaxjob-controller',
}


class TrainingOperator(Component):
    """training-operator 1.9.2 (controller-runtime 0.19). A counter has no sample before its first event."""

    id = 'training-operator'
    title = 'Training operator 1.9'
    dialect = GO

    COUNTED = {
        'Created': 'created',
        'Deleted': 'deleted',
        'Succeeded': 'successful',
        'Failed': 'failed',
        'Restarting': 'restarted',
    }

    def __init__(self, world: World):
        super().__init__(world)
        self._counters = {
            phase: RawCounter(
                f'training_operator_jobs_{word}_total',
                f'Training jobs {word}',
                ['job_namespace', 'framework'],
                registry=self.registry,
            )
            for phase, word in self.COUNTED.items()
        }
        controllers = (*CONTROLLERS.values(), 'cert-rotator')
        self._runtime = ControllerRuntime(world, self.registry, controllers, (0, 19), self.id)
        GoRuntime(self.registry)
        world.listen(PhaseChange, self._on_change)

    def _on_change(self, change: PhaseChange) -> None:
        job = change.object
        if job.kind != 'job':
            return
        if change.phase in self._counters:
            self._counters[change.phase].labels(job.namespace, job.flavour).inc()
        self._runtime.reconcile(CONTROLLERS[job.flavour])
