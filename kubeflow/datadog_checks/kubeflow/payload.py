# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What one scrape brought, gathered so that relabelling can look at it as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from math import isfinite

from prometheus_client import Metric

from .catalogue import Catalogue, Entry, counter_key
from .children import Child, Place, added, place
from .layout import KnownFamily, Layout

# Families whose label `controller` (`name` before controller-runtime 0.19) names the controllers of a program.
CONTROLLER_FAMILIES = frozenset(
    {
        'controller_runtime_reconcile',
        'controller_runtime_active_workers',
        'controller_runtime_max_concurrent_reconciles',
        'workqueue_depth',
        'workqueue_adds',
    }
)


# Of a library that many programs link (open-policy-agent's cert-controller).
NOBODYS_CONTROLLERS = frozenset({'cert-rotator'})

# What an untyped family has at the end of its name where a typed one has it at the end of its samples' names.
PART_SUFFIXES = ('_bucket', '_count', '_sum', '_total')
PART_SUFFIX = re.compile(f'(?:{"|".join(PART_SUFFIXES)})$')

START_TIME = 'process_start_time_seconds'

# Of these the samples are looked at, whatever they feed.
SIGNS = CONTROLLER_FAMILIES | {START_TIME, 'up'}


class Slots:
    """Where the families that some entries are fed by are kept, by every name they may arrive under.

    A counter may be exposed with `_total` or without, and one without a TYPE line is parsed under its full name;
    an untyped histogram is parsed as three families.
    """

    def __init__(self, entries: Iterable[Entry]):
        self._slots: dict[str, tuple[str, str | None]] = {}
        for entry in entries:
            for source in entry.sources:
                for raw_name in source.families:
                    self._add(raw_name, source.exposed_type(entry.type))
                for raw_name in source.zero:
                    self._add(raw_name, 'gauge')
                if source.beside:
                    self._add(source.beside, 'counter')

    def _add(self, raw_name: str, kind: str) -> None:
        if kind == 'counter':
            slot = counter_key(raw_name)
            self._slots[slot] = self._slots[raw_name] = (slot, 'value')
        elif kind == 'gauge':
            self._slots[raw_name] = (raw_name, 'value')
        else:
            self._slots[raw_name] = (raw_name, None)
            for part in ('bucket', 'sum', 'count'):
                self._slots[f'{raw_name}_{part}'] = (raw_name, part)

    def of(self, metric: Metric) -> tuple[str, str | None] | None:
        """The slot of a parsed family and, where all its samples are one part of it, that part."""
        # The parser strips `_total` off counters, so a gauge of the bare name is another family.
        return self._slot(metric.name, metric.type)

    @property
    def names(self) -> frozenset[str]:
        """Every name that a family with a slot may have."""
        return frozenset(self._slots)

    def named(self, raw_name: str) -> frozenset[str]:
        """The slots of a family by the name of its header or its samples, whatever its type."""
        slots = map(self._slots.get, (raw_name, counter_key(raw_name)))
        return frozenset(slot[0] for slot in slots if slot)

    def places(self, name: str, kind: str) -> Callable[..., Place | None] | None:
        """How the samples of a family are placed (see `place`), None where it has no slot."""
        slot = self._slot(name, kind)
        if slot is None and name == START_TIME:
            # Its value alone is looked at.
            return partial(place, kind, 'value')
        return slot and partial(place, kind, slot[1])

    def _slot(self, name: str, kind: str) -> tuple[str, str | None] | None:
        # What a gaugehistogram's buckets hold goes down too.
        return None if kind == 'gaugehistogram' else self._slots.get(f'{name}_total' if kind == 'counter' else name)


class Payload:
    """The families of one scrape that are seen together.

    `children` maps the slot of a raw family to its children; a sample that comes twice counts once, the last one wins.
    `process_start_times` are in seconds since the epoch; there may be several processes behind one port. `federated`
    says that samples carry labels of a target besides their own. `left_out` are slots whose families were exposed and
    could not be read whole.
    """

    def __init__(self, catalogue: Catalogue, slots: Slots, federated: bool = False):
        self._catalogue = catalogue
        self._slots = slots
        self.federated = federated
        self.children: dict[str, list[Child]] = {}
        self._layouts: dict[str, Layout | None] = {}
        self.names: list[str] = []
        self.controllers: set[str] = set()
        self.process_start_times: set[float] = set()
        self.left_out: frozenset[str] = frozenset()
        self._components: set[str] = set()

    @property
    def components(self) -> tuple[str, ...]:
        """Ids of the recognised components, in the catalogue's order."""
        signs = self.controllers & self._catalogue.controllers.keys()
        if self.controllers - signs - NOBODYS_CONTROLLERS:
            signs -= self._catalogue.common_controllers
        recognised = self._components | {self._catalogue.controllers[controller] for controller in signs}
        return tuple(name for name in self._catalogue.components if name in recognised)

    def add(self, metric: Metric) -> None:
        """Take in one parsed family."""
        self.names.append(metric.name)
        layout = metric.layout if isinstance(metric, KnownFamily) else None
        self._recognise(metric, layout)
        if metric.name == START_TIME:
            values = metric.values if layout else (sample.value for sample in metric.samples)
            self.process_start_times.update(filter(isfinite, values))
        slot = self._slots.of(metric)
        if slot is None:
            return
        name, part = slot
        if layout is None:
            children = _gathered(metric, part)
        else:
            layout.fill(metric.values)
            children = layout.children
        if name in self.children:
            children, layout = added(self.children[name], children), None
        self.children[name] = children
        self._layouts[name] = layout

    def versions(self, slots: Iterable[str]) -> tuple | None:
        """Equal in two payloads if these slots have the same children in both; None where that cannot be told."""
        present = [(slot, self._layouts[slot]) for slot in slots if slot in self.children]
        if any(layout is None for _, layout in present):
            return None
        return tuple((slot, layout, layout.version) for slot, layout in present)

    def _recognise(self, metric: Metric, layout: Layout | None) -> None:
        name = metric.name
        owner = self._catalogue.owner(name)
        if metric.type == 'unknown':
            name = PART_SUFFIX.sub('', name)
            owner = owner or self._catalogue.owner(name)
        if owner:
            self._components.add(owner)
        conditions_of = self._catalogue.shared_families.get(name)
        if conditions_of is None and name not in CONTROLLER_FAMILIES:
            return
        labels_of = [each.labels for each in (layout.children if layout else metric.samples)]
        for component_id, conditions in (conditions_of or {}).items():
            if any(map(conditions, labels_of)):
                self._components.add(component_id)
        if name in CONTROLLER_FAMILIES:
            for labels in labels_of:
                controller = labels.get('controller') or labels.get('name')
                if controller:
                    self.controllers.add(controller)


def _gathered(metric: Metric, part: str | None) -> list[Child]:
    children: dict[frozenset, Child] = {}
    for sample in metric.samples:
        position = place(metric.type, part, sample, children)
        if position is not None:
            position.child.set(position.part, position.bound, sample.value)
    return list(children.values())
