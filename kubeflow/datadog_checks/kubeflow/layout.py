# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Families as an endpoint has exposed them before: everything but the values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .children import Child, Place


@dataclass(slots=True, eq=False)
class Layout:
    """A family under one header.

    `places` are those of its lines by what they say before the value, None for what is no part. `order` is that in
    which they came last, `children` are theirs, and `version` grows whenever there are others. One that is `irregular`
    cannot be remembered.
    """

    name: str = ''
    type: str = ''
    places: dict[str, Place | None] = field(default_factory=dict)
    order: list[Place | None] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    version: int = 0
    irregular: bool = False

    def arrange(self, order: list[Place | None]) -> None:
        """Take the places of the lines as they have come."""
        if order != self.order:
            self.order = order
            self.version += 1
            self.children = list(dict.fromkeys(place.child for place in order if place is not None))
            for child in self.children:
                child.clear()

    def fill(self, values: list[float]) -> None:
        """Give the children the values of the lines."""
        for place, value in zip(self.order, values, strict=True):
            if place is not None:
                child, part, bound = place
                if part == 'value':
                    child.value = value
                else:
                    child.set(part, bound, value)


class KnownFamily(Metric):
    """A family all of whose lines have been parsed before, with the values they have now.

    Its samples are parsed if somebody asks for them. Where they are replaced there is no layout any more.
    """

    def __init__(self, layout: Layout, values: list[float], parse: Callable[[], Metric]):
        # Not as the base class does, for the parser has checked the name.
        self.name = layout.name
        self.type = layout.type
        self.documentation = self.unit = ''
        self.layout: Layout | None = layout
        self.values = values
        self._parse = parse
        self._samples: list[Sample] | None = None

    @property
    def samples(self) -> list[Sample]:
        if self._samples is None:
            self._samples = self._parse().samples
        return self._samples

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        self._samples = samples
        self.layout = None
