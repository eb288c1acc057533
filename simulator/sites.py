# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What stands at a port: a component or an obstacle, behind a door, with the faults in force."""

from abc import ABC, abstractmethod
from http import HTTPStatus

from .answers import Answer, text
from .clock import Clock, Stopped
from .components.component import Component
from .doors import Door
from .faults import BadFault, Fault, Faults
from .releases import Deployment


class Site(ABC):
    """`door` is set before the port opens; `path` is where the exposition is."""

    door: Door
    path = '/metrics'
    note = ''
    component: Component | None = None

    def __init__(self, name: str):
        self.name = name
        self.faults = Faults()

    @property
    @abstractmethod
    def title(self) -> str:
        """What stands there, to a reader."""

    @abstractmethod
    def exposition(self) -> Answer:
        """The answer to who gets past the door."""

    @abstractmethod
    def restart(self) -> None:
        """Raises `BadFault` where there is no component, `Stopped` where the simulation cannot go on."""

    def apply(self, fault: Fault) -> None:
        """Let that befall the endpoint. Raises as `restart`."""
        if fault.kind == 'restart':
            self.restart()
        else:
            self.faults.apply(fault)

    def control(self, fault: Fault) -> Answer:
        """The answer to who asks for a fault over HTTP. Raises as `apply`."""
        self.apply(fault)
        return text(HTTPStatus.OK, f'{self.name}: {fault}')


class ComponentSite(Site):
    """A deployed component."""

    def __init__(self, deployment: Deployment, clock: Clock):
        super().__init__(deployment.name)
        self.deployment = deployment
        self.path = deployment.component.path
        self.note = deployment.note
        self._clock = clock
        self.component = self._begin()

    def _begin(self) -> Component:
        return self.deployment.component(self._clock.world, self.deployment.release)

    @property
    def title(self) -> str:
        return self.component.title

    def exposition(self) -> Answer:
        try:
            with self._clock.present():
                body = self._payload().encode()
        except Stopped as error:
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        dialect = self.component.dialect
        return Answer(HTTPStatus.OK, dialect.content_type, body, compressible=dialect.compressible)

    def _payload(self) -> str:
        try:
            return self.component.payload()
        except Exception as error:
            raise self._clock.fail(f'{self.title} ({self.name}) died while it answered', error) from error

    def restart(self) -> None:
        with self._clock.present():
            try:
                self.component.close()
                self.component = self._begin()
            except Exception as error:
                raise self._clock.fail(f'{self.title} ({self.name}) did not restart', error) from error


class ObstacleSite(Site):
    """Something that answers in place of a component and lets nobody past."""

    def __init__(self, name: str, title: str, door: Door):
        super().__init__(name)
        self._title = title
        self.door = door

    @property
    def title(self) -> str:
        return self._title

    def exposition(self) -> Answer:
        return self.door.refusal({})

    def restart(self) -> None:
        raise BadFault(f'{self.name} is no component that could restart')
