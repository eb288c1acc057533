# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections.abc import Iterable
from typing import ClassVar

from prometheus_client import CollectorRegistry, Metric

from ..exposition import Dialect, dated, undated, write
from ..world import World


class Component:
    """A program with an endpoint, in one release. Subclasses register their families and listen to the world.

    `id` names the component as the catalogue of the check does, `program` is its title without a release. A new
    component counts from nothing, as a process that starts; gauges that are read from the world show the objects there
    are. Its exposition follows from the world's seed, sizes and time and from its own start, and from nothing else.
    """

    id: ClassVar[str]
    program: ClassVar[str]
    dialect: ClassVar[Dialect]
    path: ClassVar[str] = '/metrics'

    def __init__(self, world: World, release: str):
        self.world = world
        self.release = release
        self.registry = CollectorRegistry()
        self._created = world.epoch + world.now

    @property
    def title(self) -> str:
        return f'{self.program} {self.release}'

    @property
    def release_number(self) -> tuple[int, ...]:
        """The release as a tuple that can be compared."""
        return tuple(map(int, self.release.split('.')))

    def families(self) -> Iterable[Metric]:
        """The families of this moment, in the program's order."""
        families = self.registry.collect()
        return dated(families, self._created) if self.dialect.creation else undated(families)

    def payload(self) -> str:
        """The exposition of this moment."""
        return write(self.families(), self.dialect)

    def close(self) -> None:
        """Stop listening to the world, as a process that ends."""
        self.world.forget(self)
