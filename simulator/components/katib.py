# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections.abc import Iterable

from prometheus_client import Metric

from ..controller_runtime import ControllerRuntime, Webhooks
from ..events import WorkQueued
from ..exposition import GO, RawCounter
from ..world import IncidentEnded, PhaseChange, World
from .component import Component


class Katib(Component):
    """katib-controller 0.17 to 0.19 as Kubeflow installs it: certificates by cert-manager, hence no cert-rotator.

    A counter has no sample for a namespace before its first event there, and no counter knows the trials that were
    stopped early or killed. Nothing but reconciles tells of suggestions.
    """

    id = 'katib-controller'
    program = 'Katib controller'
    dialect = GO

    CONTROLLER_RUNTIME = {'0.17': (0, 17), '0.18': (0, 19), '0.19': (0, 22)}
    COUNTED = (
        ('experiment', 'Created', 'katib_experiment_created_total'),
        ('experiment', 'Deleted', 'katib_experiment_deleted_total'),
        ('experiment', 'Succeeded', 'katib_experiment_succeeded_total'),
        ('experiment', 'Failed', 'katib_experiment_failed_total'),
        ('trial', 'Created', 'katib_trial_created_total'),
        ('trial', 'Deleted', 'katib_trial_deleted_total'),
        ('trial', 'Succeeded', 'katib_trial_succeeded_total'),
        ('trial', 'Failed', 'katib_trial_failed_total'),
        ('trial', 'MetricsUnavailable', 'katib_trial_metrics_unavailable_total'),
    )
    KINDS = ('experiment', 'suggestion', 'trial')
    WEBHOOKS = ('/validate-experiment', '/mutate-experiment', '/mutate-pod')

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._counters = {
            (kind, phase): RawCounter(name, f'{kind} objects: {phase}', ['namespace'], registry=self.registry)
            for kind, phase, name in self.COUNTED
        }
        self.registry.register(self)
        library = self.CONTROLLER_RUNTIME[release]
        self._runtime = ControllerRuntime(
            world,
            self.registry,
            tuple(f'{kind}-controller' for kind in self.KINDS),
            library,
            self.id,
            runtime=('process_network',) if self.release_number >= (0, 18) else (),
        )
        self._webhooks = Webhooks(world, self.registry, self.WEBHOOKS, library, self.id)
        for kind in self.KINDS:
            for each in world.objects(kind):
                self._runtime.reconcile(f'{kind}-controller', key=each.name)
        world.listen(PhaseChange, self._on_change)
        world.listen(WorkQueued, self._on_queued)
        world.listen(IncidentEnded, self._on_end)

    def close(self) -> None:
        self._runtime.close()
        super().close()

    def _on_queued(self, work: WorkQueued) -> None:
        self._runtime.queue(work.controller, work.key)

    def _on_end(self, ended: IncidentEnded) -> None:
        self._runtime.on_end(ended)

    def _on_change(self, change: PhaseChange) -> None:
        kind = change.object.kind
        if kind not in self.KINDS:
            return
        counter = self._counters.get((kind, change.phase))
        if counter is not None:
            counter.labels(change.object.namespace).inc()
        self._runtime.reconcile(f'{kind}-controller', key=change.object.name)
        if change.phase == 'Created':
            if kind == 'trial':
                self._webhooks.call('/mutate-pod')
            elif kind == 'experiment':
                self._webhooks.call('/mutate-experiment')
                self._webhooks.call('/validate-experiment')

    def collect(self) -> Iterable[Metric]:
        """The `_current` gauges: objects by their last condition. A status that holds none has no sample."""
        for kind in ('experiment', 'trial'):
            family = Metric(f'katib_{kind}s_current', f'{kind} objects that exist, by status', 'gauge')
            for (namespace, phase), number in self.world.phases(kind).items():
                family.add_sample(family.name, {'namespace': namespace, 'status': phase}, number)
            yield family
