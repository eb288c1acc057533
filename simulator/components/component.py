# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from typing import ClassVar

from prometheus_client import CollectorRegistry

from ..exposition import Dialect, write
from ..world import World


class Component:
    """A program with an endpoint. Subclasses register their families on `registry` and listen to the world.

    `id` names the component as the catalogue of the check does, `title` says program and release to a reader.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    dialect: ClassVar[Dialect]

    def __init__(self, world: World):
        self.world = world
        self.registry = CollectorRegistry()

    def payload(self) -> str:
        """The exposition of this moment."""
        return write(self.registry.collect(), self.dialect)
