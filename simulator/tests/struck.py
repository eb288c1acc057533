# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Components in a world that an incident strikes, and what their samples add up to."""

from collections.abc import Callable

from ..components.component import Component
from ..incidents import incident
from ..workloads import busy_world
from .samples import FORMS, total

# How long a test looks at each of the times before an incident, in it and after it, in seconds of the world.
WHILE = 600

# By how much the sum over the samples of that name, and with these labels, grew.
Growth = Callable[..., float]


def forms_of(*components: type[Component]) -> list[tuple[type[Component], str]]:
    """Every release of these components that some Kubeflow has."""
    return [form for form in FORMS if form[0] in components]


class Struck:
    """Ten minutes of a world have passed. `culprit` is the first one of the incident, which is not in force yet."""

    def __init__(self, name: str, forms: list[tuple[type[Component], str]], **sizes: int):
        self.world = busy_world(**sizes)
        self.components = [component(self.world, release) for component, release in forms]
        self.incident = incident(name, self.world)
        self.culprit = self.incident.culprits[0]
        self.world.step(600)

    def begin(self) -> None:
        self.world.begin(self.incident)

    def end(self) -> None:
        self.world.end(self.incident.name)

    def growth(self, seconds: float = WHILE) -> list[Growth]:
        """What the samples of each component grow by while so much time passes."""
        before = [component.payload() for component in self.components]
        self.world.step(seconds)
        after = [component.payload() for component in self.components]
        return [
            lambda name, /, old=old, new=new, **labels: total(new, name, **labels) - total(old, name, **labels)
            for old, new in zip(before, after, strict=True)
        ]

    def phases(self) -> list[tuple[Component, Growth, Growth, Growth]]:
        """Each component with its growth before the incident, while it is in force, and after it."""
        before = self.growth()
        self.begin()
        during = self.growth()
        self.end()
        return list(zip(self.components, before, during, self.growth(), strict=True))
