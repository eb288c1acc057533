# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from ..controller_runtime import ControllerRuntime
from ..exposition import GO, RawCounter
from ..world import PhaseChange, World
from .component import Component

# How the counters name a framework, and the controller that looks after its jobs.
CONTROLLERS = {
    'pytorch': 'pytorchjob-controller',
    'tensorflow': 'tfjob-controller',
    'xgboost': 'xgboostjob-controller',
    'mpi': 'mpijob-controller',
    'paddle': 'paddlejob-controller',
}


class TrainingOperator(Component):
    """training-operator 1.8 and 1.9. A counter has no sample before its first event.

    1.9 looks after JAX jobs and no more after MXNet jobs, which nobody serves then.
    """

    id = 'training-operator'
    program = 'Training operator'
    dialect = GO

    COUNTED = {
        'Created': 'created',
        'Deleted': 'deleted',
        'Succeeded': 'successful',
        'Failed': 'failed',
        'Restarting': 'restarted',
    }
    CONTROLLER_RUNTIME = {'1.8': (0, 17), '1.9': (0, 19)}
    # 1.8 is built with client_golang 1.18, 1.9 with 1.20.
    RUNTIME = {'1.8': ('go_lookups',), '1.9': ('process_network',)}
    LAST = {'1.8': {'mxnet': 'mxjob-controller'}, '1.9': {'jax': 'jaxjob-controller'}}

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._controllers = {**CONTROLLERS, **self.LAST[release]}
        self._counters = {
            phase: RawCounter(
                f'training_operator_jobs_{word}_total',
                f'Training jobs {word}',
                ['job_namespace', 'framework'],
                registry=self.registry,
            )
            for phase, word in self.COUNTED.items()
        }
        controllers = (*self._controllers.values(), 'cert-rotator')
        self._runtime = ControllerRuntime(
            world, self.registry, controllers, self.CONTROLLER_RUNTIME[release], self.id, self.RUNTIME[release]
        )
        # It writes the certificate of the webhooks once.
        self._runtime.reconcile('cert-rotator')
        for job in world.objects('job'):
            self._reconcile(job.flavour)
        world.listen(PhaseChange, self._on_change)

    def _reconcile(self, framework: str) -> None:
        if framework in self._controllers:
            self._runtime.reconcile(self._controllers[framework])

    def _on_change(self, change: PhaseChange) -> None:
        job = change.object
        if job.kind != 'job' or job.flavour not in self._controllers:
            return
        if change.phase in self._counters:
            self._counters[change.phase].labels(job.namespace, job.flavour).inc()
        self._reconcile(job.flavour)
