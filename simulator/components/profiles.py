# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The controller of profiles, and kfam, which manages access to them."""

from collections.abc import Iterable

from prometheus_client import Metric

from ..controller_runtime import ControllerRuntime
from ..events import AccessRequest, ProfileRequest
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..world import PhaseChange, World
from .component import Component

HEARTBEAT = 10.0


class _Monitored(Component):
    """What both count: requests, failures, and a heartbeat every ten seconds. No name ends in `_total`."""

    dialect = GO

    # How the labels call the component, and the labels its requests have.
    component: str
    request_labels: list[str]

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._start = world.now
        labels = ['component', *self.request_labels]
        self._requests = RawCounter('request_kf', 'Requests handled', labels, registry=self.registry)
        self._failures = RawCounter(
            'request_kf_failure', 'Requests that failed', [*labels, 'severity'], registry=self.registry
        )
        self.registry.register(self)

    def collect(self) -> Iterable[Metric]:
        family = Metric('service_heartbeat', 'Beats of the component', 'counter')
        if beats := (self.world.now - self._start) // HEARTBEAT:
            family.add_sample(family.name, {'component': self.component, 'severity': 'critical'}, beats)
        yield family


class ProfileController(_Monitored):
    """profile-controller 1.9 and 1.10 (controller-runtime 0.12). `kind` is cut after 30 characters."""

    id = 'profile-controller'
    program = 'Profile controller'
    component = 'profile_controller'
    request_labels = ['kind']

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._runtime = ControllerRuntime(world, self.registry, ('profile',), (0, 12), self.id)
        for _ in world.objects('profile'):
            self._count(ProfileRequest('reconcile'))
        world.listen(ProfileRequest, self._count)
        world.listen(PhaseChange, self._on_change)

    def _count(self, request: ProfileRequest) -> None:
        self._requests.labels(self.component, request.kind).inc()
        if request.error:
            self._failures.labels(self.component, request.error, 'major').inc()
        self._runtime.reconcile('profile', failed=bool(request.error))

    def _on_change(self, change: PhaseChange) -> None:
        if change.object.kind == 'profile' and change.phase == 'Ready':
            self._runtime.reconcile('profile', failed=False)


class Kfam(_Monitored):
    """kfam 1.9 and 1.10. `user` holds mail addresses, and `path` the path of the URL without its query."""

    id = 'kfam'
    program = 'kfam'
    component = 'kfam'
    request_labels = ['kind', 'user', 'action', 'path']

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        GoRuntime(world, self.registry)
        world.listen(AccessRequest, self._on_request)

    def _on_request(self, request: AccessRequest) -> None:
        asked = (request.user, request.action, request.path)
        if request.error:
            self._failures.labels(self.component, request.error, *asked, 'major').inc()
        else:
            self._requests.labels(self.component, request.kind, *asked).inc()
