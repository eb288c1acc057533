# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Relabelling: from the families that components expose to the families the catalogue names.

A pure function of one payload: no network, no check, no memory of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import translate
from math import fsum, isfinite
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .catalogue import DOCUMENTED, Catalogue, Component, Entry, Source, counter_key, transformer_key
from .payload import Child, Payload
from .targets import target_label

COMPONENT_LABEL = 'kubeflow_component'

# A child taken from a payload, and the labels it gets besides its own.
Taken = tuple[Child, Mapping[str, str]]


# The name of an entry and the position of one of its sources.
Ranked = tuple[str, int]


class Counts(NamedTuple):
    """What a family that counts is made of."""

    entry: Entry
    children: list[Child]

    def zeros(self, name: str, but: Collection[Child] = ()) -> Metric | None:
        """The same series of the family `name` with nothing counted yet, those of the children `but` left out.

        None where no series is left.
        """
        known = {frozenset(child.labels.items()) for child in but}
        children = [
            Child(
                child.labels,
                value=None if child.value is None else 0,
                sum=None if child.sum is None else 0,
                count=None if child.count is None else 0,
                buckets=dict.fromkeys(child.buckets, 0),
            )
            for child in self.children
            if not known or frozenset(child.labels.items()) not in known
        ]
        return _family(name, self.entry, children) if children else None


@dataclass
class Relabelled:
    """The relabelled families of one payload.

    `counts` has what the families that count are made of, by their names; `sources` has for each fed entry, by name,
    the raw families that fed it; `ranks` the position of the source that fed each family, by its name; `overruled` the
    sources that were there too and fed nothing.
    """

    families: list[Metric] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    overruled: set[Ranked] = field(default_factory=set)


class Relabeller:
    """Feeds entries of a catalogue from payloads.

    `kept_labels` are raw labels the user names in an option: they keep their raw name and are not dropped, so
    that the option finds them. `aliases` submits an entry that has an alias under it too.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        entries: Iterable[Entry],
        kept_labels: frozenset[str] = frozenset(),
        aliases: bool = False,
    ):
        self._catalogue = catalogue
        self._feeds = [
            (
                entry,
                [transformer_key(name) for name in (entry.name, entry.alias if aliases else None) if name],
                [_Feed(source, entry.type, kept_labels, self._component(source)) for source in entry.sources],
            )
            for entry in entries
        ]

    def __call__(self, payload: Payload, overruled: Collection[Ranked] = ()) -> Relabelled:
        """Relabel one payload.

        For each entry the first source that is present feeds it and the others do not. A source is present where its
        families have samples, be it others than its conditions ask for: errors come from the server that counts
        errors before it has counted one. A child that fed a documented metric feeds no other one, unless that is
        documented too.

        `overruled` are sources that stood back in an earlier payload of the same endpoint. They feed no count even
        where they stand alone: a sidecar outlives the model server's restarts, and its count holds the inferences
        that the model server's had.
        """
        result = Relabelled()
        claimed: set[int] = set()
        components = payload.components
        component_of = self._component_of(components)
        for entry, keys, feeds in self._feeds:
            present = [
                (rank, feed)
                for rank, feed in enumerate(feeds)
                if feed.is_in(payload)
                and (components or not feed.shared)
                and (entry.type == 'gauge' or (entry.name, rank) not in overruled)
            ]
            if not present:
                continue
            (rank, feed), *others = present
            result.overruled.update(
                (entry.name, other) for other, each in others if each.source.component != feed.source.component
            )
            taken = [
                (child, added) for child, added in feed.take(payload) if entry.documented or id(child) not in claimed
            ]
            merged = feed.merge(taken, payload, component_of if feed.shared else None)
            if not merged:
                continue
            if entry.documented:
                claimed.update(id(child) for child, _ in taken)
            result.families.extend(_family(key, entry, merged) for key in keys)
            if entry.type != 'gauge' and not feed.untimed:
                result.counts.update((key, Counts(entry, merged)) for key in keys)
            result.sources[entry.name] = feed.raw_names_in(payload)
            result.ranks.update((key, rank) for key in keys)
        return result

    def _component(self, source: Source) -> Component | None:
        return None if source.component == DOCUMENTED else self._catalogue.components[source.component]

    def _component_of(self, components: Sequence[str]) -> Callable[[Mapping[str, str]], str | None]:
        sole = components[0] if len(components) == 1 else None

        def component_of(labels: Mapping[str, str]) -> str | None:
            return self._catalogue.controllers.get(labels.get('controller') or labels.get('name', ''), sole)

        return component_of


class _Feed:
    """One source of an entry of type `kind`, made ready to be applied to payloads.

    `component` is the one that exposes it, None for a documented raw name. `shared` says that its families are those
    of a library, which count only beside a component that is known.
    """

    def __init__(self, source: Source, kind: str, kept_labels: frozenset[str], component: Component | None):
        self.source = source
        self.shared = component is not None and component.shared
        self.untimed = component is not None and component.untimed
        self._kind = kind
        # Where absence is filled with zeros, the labels of the condition cannot tell the zeros apart.
        self._conditional = frozenset(source.where.labels) if source.zero else frozenset()
        self._kept = kept_labels
        self._drop = re.compile('|'.join(translate(label) for label in source.drop)) if source.drop else None
        self._rename = {old: new for old, new in source.rename.items() if old not in kept_labels}
        is_counter = source.exposed_type(kind) == 'counter'
        self._slots = [
            (counter_key(raw_name) if is_counter else raw_name, raw_name, added)
            for raw_name, added in source.families.items()
        ]

    def is_in(self, payload: Payload) -> bool:
        """Whether a payload has what this source is made of, whatever its conditions leave of it."""
        if self.source.beside and counter_key(self.source.beside) not in payload.children:
            return False
        slots = (*(slot for slot, _, _ in self._slots), *self.source.zero)
        return any(self._has_part(child) for slot in slots for child in payload.children.get(slot, {}).values())

    def take(self, payload: Payload) -> list[Taken]:
        """The children of a payload that this source is made of, and the labels they get."""
        return [
            (child, added)
            for slot, _, added in self._slots
            for child in payload.children.get(slot, {}).values()
            if self._has_part(child) and self.source.where(child.labels)
        ]

    def raw_names_in(self, payload: Payload) -> tuple[str, ...]:
        """The raw families of this source that a payload has, or those that stand in for it with zeros."""
        own = tuple(raw_name for slot, raw_name, _ in self._slots if slot in payload.children)
        return own or tuple(raw_name for raw_name in self.source.zero if raw_name in payload.children)

    def merge(
        self,
        taken: Iterable[Taken],
        payload: Payload,
        component_of: Callable[[Mapping[str, str]], str | None] | None,
    ) -> list[Child]:
        """New children with this source's labels and unit; those whose labels coincide are added."""
        groups: dict[frozenset, tuple[dict[str, str], list[Child]]] = {}
        for child, added in taken:
            labels = self._labels(child.labels, payload.federated)
            labels.update(added)
            if component_of is not None and (component := component_of(child.labels)):
                labels[COMPONENT_LABEL] = component
            groups.setdefault(frozenset(labels.items()), (labels, []))[1].append(child)
        merged = {key: self._add(labels, children) for key, (labels, children) in groups.items()}
        for family in self.source.zero:
            for child in payload.children.get(family, {}).values():
                labels = self._labels(child.labels, payload.federated)
                merged.setdefault(frozenset(labels.items()), Child(labels, value=0))
        return list(merged.values())

    def _has_part(self, child: Child) -> bool:
        return not self.source.part or getattr(child, self.source.part) is not None

    def _labels(self, labels: Mapping[str, str], federated: bool) -> dict[str, str]:
        rename = self._rename_beside(labels) if federated else self._rename
        relabelled = {}
        for label, value in labels.items():
            if label in self._conditional:
                continue
            if self._drop is not None and label not in self._kept and self._drop.match(label):
                continue
            new = rename.get(label, label)
            if new == label or new not in labels or new in rename:
                relabelled[new] = value
        return relabelled

    def _rename_beside(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """What to rename in a federated sample.

        Where it has both names and they differ, the new one is its target's: what a component exposes under both is
        the same (`name` and `controller` of its work queues).
        """
        beside = {
            old: new
            for old, new in self._rename.items()
            if old in labels and labels.get(new, labels[old]) != labels[old]
        }
        if not beside:
            return self._rename
        rename = {old: new for old, new in self._rename.items() if old not in beside or new not in self._kept}
        return rename | {new: target_label(new) for new in beside.values() if new not in self._kept}

    def _add(self, labels: dict[str, str], children: list[Child]) -> Child:
        if self._kind in ('counter', 'gauge'):
            part = self.source.part or 'value'
            return Child(labels, value=self._convert(_sum(getattr(child, part) for child in children)))
        return Child(
            labels,
            sum=self._convert(_sum(child.sum for child in children)),
            count=_sum(child.count for child in children),
            buckets={self._bound(bound): value for bound, value in _add_buckets(children)},
            # Quantiles of several children cannot be added.
            quantiles={
                quantile: self._convert(value)
                for quantile, value in (children[0].quantiles.items() if len(children) == 1 else ())
            },
        )

    def _convert(self, value: float | None) -> float | None:
        return value if value is None or self.source.divisor == 1 else value / self.source.divisor

    def _bound(self, bound: str) -> str:
        # A decimal number as the component wrote it, and it stays one: not 0.00010497599999999999 for 104.976.
        return bound if self.source.divisor == 1 else str(float(Decimal(bound) / self.source.divisor))


def _sum(values: Iterable[float | None]) -> float | None:
    """Add values in any order to the same result. None where there is none; NaN and infinities are not added."""
    present = [value for value in values if value is not None]
    if len(present) < 2:
        return present[0] if present else None
    finite = [value for value in present if isfinite(value)]
    return fsum(finite) if finite else present[0]


def _add_buckets(children: list[Child]) -> list[tuple[str, float]]:
    """Add cumulative buckets bound by bound, in the order of the bounds.

    Only bounds that all children have are kept: at another bound the sum would lack the children without it.
    """
    if len(children) == 1:
        return list(children[0].buckets.items())
    counts: dict[float, tuple[str, list[float]]] = {}
    for child in children:
        for bound, value in child.buckets.items():
            counts.setdefault(float(bound), (bound, []))[1].append(value)
    return [
        (bound, _sum(values))
        for _, (bound, values) in sorted(counts.items(), key=lambda item: item[0])
        if len(values) == len(children)
    ]


def _family(name: str, entry: Entry, children: Iterable[Child]) -> Metric:
    metric = Metric(name, entry.description, entry.type)
    samples = metric.samples
    for child in children:
        # Every sample owns its labels: the base check changes them.
        if entry.type == 'counter':
            samples.append(Sample(f'{name}_total', dict(child.labels), child.value))
            continue
        if entry.type == 'gauge':
            samples.append(Sample(name, dict(child.labels), child.value))
            continue
        if 'bucket' in entry.parts:
            samples.extend(
                Sample(f'{name}_bucket', {**child.labels, 'le': bound}, value) for bound, value in child.buckets.items()
            )
        if 'quantile' in entry.parts:
            samples.extend(
                Sample(name, {**child.labels, 'quantile': quantile}, value)
                for quantile, value in child.quantiles.items()
            )
        for part in ('sum', 'count'):
            value = getattr(child, part)
            if value is not None:
                samples.append(Sample(f'{name}_{part}', dict(child.labels), value))
    return metric
