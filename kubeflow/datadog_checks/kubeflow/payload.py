# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What one scrape brought, gathered so that relabelling can look at it as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import Metric

from .catalogue import Catalogue, Entry, counter_key

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
PART_SUFFIX = re.compile('_(?:bucket|count|sum|total)$')

START_TIME = 'process_start_time_seconds'

# The label that tells the samples of a part from each other.
BOUNDS = {'bucket': 'le', 'quantile': 'quantile'}


@dataclass(slots=True)
class Child:
    """The samples of a family that share all labels but `le` and `quantile`.

    `value` belongs to counters, gauges and untyped samples; `sum`, `count`, `buckets` (cumulative, by the text of
    `le`) and `quantiles` to histograms and summaries. What the exposition lacks is None or empty.
    """

    labels: dict[str, str]
    value: float | None = None
    sum: float | None = None
    count: float | None = None
    buckets: dict[str, float] = field(default_factory=dict)
    quantiles: dict[str, float] = field(default_factory=dict)


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
        return self._slots.get(f'{metric.name}_total' if metric.type == 'counter' else metric.name)


class Payload:
    """The families of one scrape that are seen together.

    `children` maps a raw family to its children; a sample that comes twice counts once, the last one wins.
    `process_start_times` are in seconds since the epoch; there may be several processes behind one port. `federated`
    says that samples carry labels of a target besides their own.
    """

    def __init__(self, catalogue: Catalogue, slots: Slots, federated: bool = False):
        self._catalogue = catalogue
        self._slots = slots
        self.federated = federated
        self.children: dict[str, dict[frozenset, Child]] = {}
        self.names: list[str] = []
        self.controllers: set[str] = set()
        self.process_start_times: set[float] = set()
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
        self._recognise(metric)
        if metric.name == START_TIME:
            self.process_start_times.update(sample.value for sample in metric.samples)
        slot = self._slots.of(metric)
        if slot is not None:
            name, part = slot
            self._keep(self.children.setdefault(name, {}), metric, part)

    def _recognise(self, metric: Metric) -> None:
        name = metric.name
        owner = self._catalogue.owner(name)
        if metric.type == 'unknown':
            name = PART_SUFFIX.sub('', name)
            owner = owner or self._catalogue.owner(name)
        if owner:
            self._components.add(owner)
        for component_id, conditions in self._catalogue.shared_families.get(name, {}).items():
            if any(conditions(sample.labels) for sample in metric.samples):
                self._components.add(component_id)
        if name in CONTROLLER_FAMILIES:
            for sample in metric.samples:
                controller = sample.labels.get('controller') or sample.labels.get('name')
                if controller:
                    self.controllers.add(controller)

    @staticmethod
    def _keep(children: dict[frozenset, Child], metric: Metric, part: str | None) -> None:
        for sample in metric.samples:
            kind = _part(metric.type, sample.name, part)
            if kind is None:
                continue
            labels = dict(sample.labels)
            bound = labels.pop(BOUNDS[kind], None) if kind in BOUNDS else ''
            if bound is None:
                continue
            # An empty label is an absent one.
            if '' in labels.values():
                labels = {name: value for name, value in labels.items() if value}
            key = frozenset(labels.items())
            child = children.get(key)
            if child is None:
                child = children[key] = Child(labels)
            if kind == 'bucket':
                child.buckets[bound] = sample.value
            elif kind == 'quantile':
                child.quantiles[bound] = sample.value
            else:
                setattr(child, kind, sample.value)


def _part(kind: str, sample_name: str, part: str | None) -> str | None:
    """Which part of its child a sample is, in a family of this kind; None for one that is no part."""
    if kind in ('counter', 'histogram', 'summary') and sample_name.endswith('_created'):
        return None
    if part:
        return None if part == 'value' and kind in ('histogram', 'summary') else part
    for suffix in ('bucket', 'sum', 'count'):
        if sample_name.endswith(f'_{suffix}'):
            return suffix
    # An untyped summary's quantiles are a family of their own; what has no such label is left out.
    return 'quantile' if kind in ('summary', 'unknown') else None
