# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Relabelling: from the families that components expose to the families the catalogue names.

A pure function of one payload: no network, no check, no memory of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import translate
from itertools import accumulate
from math import fsum, nan
from operator import attrgetter
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .catalogue import DOCUMENTED, Catalogue, Component, Entry, Source, counter_key, transformer_key
from .children import LARGEST, NOTHING, Child
from .payload import Payload
from .targets import target_label

COMPONENT_LABEL = 'kubeflow_component'

# A child taken from a payload, and the labels it gets besides its own.
Taken = tuple[Child, Mapping[str, str]]

# A child of a family of the catalogue, and those of a payload that it is made of; none for a zero.
Group = tuple[Child, list[Child]]

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
        known = {child.key for child in but}
        children = [
            Child(
                child.labels,
                value=None if child.value is None else 0,
                sum=None if child.sum is None else 0,
                count=None if child.count is None else 0,
                buckets=dict.fromkeys(child.buckets, 0),
            )
            for child in self.children
            if not known or child.key not in known
        ]
        return Family(name, self.entry, children) if children else None


@dataclass
class Relabelled:
    """The relabelled families of one payload.

    `counts` has what the families that count are made of, by their names; `sources` has for each fed entry, by name,
    the raw families that fed it; `ranks` the position of the source that fed each family, by its name; `overruled` the
    sources that were there too and fed nothing. `left_out` are the families that were not fed because one of their
    sources could not be read whole.
    """

    families: list[Family] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    overruled: set[Ranked] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Fed:
    """What became of one entry: the `position` of the entry, and of the source that feeds it if there is one."""

    position: int
    rank: int = 0
    families: tuple[Family, ...] = ()
    groups: list[Group] = field(default_factory=list)
    sources: tuple[str, ...] = ()
    overruled: set[Ranked] = field(default_factory=set)
    left_out: bool = False


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
        self._clusters = _clusters([frozenset().union(*(feed.slots for feed in feeds)) for _, _, feeds in self._feeds])
        self._cluster_of = {slot: cluster for cluster in self._clusters for slot in cluster.slots}

    def __call__(
        self, payload: Payload, overruled: Collection[Ranked] = (), remembered: Remembered | None = None
    ) -> Relabelled:
        """Relabel one payload.

        For each entry the first source that is present feeds it and the others do not. A source is present where its
        families have samples, be it others than its conditions ask for: errors come from the server that counts
        errors before it has counted one. A child that fed a documented metric feeds no other one, unless that is
        documented too.

        `overruled` are sources that stood back in an earlier payload of the same endpoint. They feed no count even
        where they stand alone: a sidecar outlives the model server's restarts, and its count holds the inferences
        that the model server's had.

        What `remembered` has of an earlier payload of the endpoint is used again where but values differ; the families
        given for that one are changed then.
        """
        components = payload.components
        context = (components, frozenset(overruled), payload.left_out)
        if remembered is None:
            remembered = Remembered()
        slots = tuple(payload.children)
        whole = payload.versions(slots), context
        if whole[0] is not None and whole == remembered.whole:
            for each in remembered.fed:
                self._refresh(each)
            return remembered.relabelled
        fed: list[_Fed] = []
        clusters: dict[Cluster, tuple[tuple, list[_Fed]]] = {}
        for cluster in dict.fromkeys(self._cluster_of[slot] for slot in (*slots, *payload.left_out)):
            versions = payload.versions(cluster.slots), context
            known_versions, known = remembered.clusters.get(cluster, (None, []))
            if versions[0] is not None and versions == known_versions:
                for each in known:
                    self._refresh(each)
            else:
                known = list(self._feed(cluster, payload, overruled, components))
            if versions[0] is not None:
                clusters[cluster] = versions, known
            fed += known
        fed.sort(key=attrgetter('position'))
        relabelled = self._relabelled(fed)
        remembered.clusters = clusters
        if whole[0] is not None:
            remembered.whole, remembered.fed, remembered.relabelled = whole, fed, relabelled
        else:
            remembered.whole, remembered.fed, remembered.relabelled = None, [], Relabelled()
        return relabelled

    def _feed(
        self, cluster: Cluster, payload: Payload, overruled: Collection[Ranked], components: Sequence[str]
    ) -> Iterator[_Fed]:
        component_of = self._component_of(components)
        claimed: set[int] = set()
        for position in cluster.positions:
            entry, keys, feeds = self._feeds[position]
            present = [
                (rank, feed)
                for rank, feed in enumerate(feeds)
                if feed.is_in(payload)
                and (components or not feed.shared)
                and (entry.type == 'gauge' or (entry.name, rank) not in overruled)
            ]
            if payload.left_out and self._is_left_out(payload.left_out, feeds, present):
                yield _Fed(position, left_out=True)
                if entry.documented:
                    # Nor may it be counted under another name.
                    claimed.update(id(child) for _, feed in present for child, _ in feed.take(payload))
                continue
            if not present:
                continue
            (rank, feed), *others = present
            stood_back = {
                (entry.name, other) for other, each in others if each.source.component != feed.source.component
            }
            taken = [
                (child, added) for child, added in feed.take(payload) if entry.documented or id(child) not in claimed
            ]
            groups = feed.merge(taken, payload, component_of if feed.shared else None)
            if entry.documented and groups:
                claimed.update(id(child) for child, _ in taken)
            children = [child for child, _ in groups]
            families = tuple(Family(key, entry, children) for key in keys) if groups else ()
            yield _Fed(position, rank, families, groups, feed.raw_names_in(payload), stood_back)

    def _refresh(self, fed: _Fed) -> None:
        if fed.groups:
            self._feeds[fed.position][2][fed.rank].fill(fed.groups)
            for family in fed.families:
                family.refresh()

    def _relabelled(self, fed: Iterable[_Fed]) -> Relabelled:
        result = Relabelled()
        for each in fed:
            entry, keys, feeds = self._feeds[each.position]
            result.overruled |= each.overruled
            if each.left_out:
                result.left_out.update(keys)
            if not each.families:
                continue
            result.families += each.families
            if entry.type != 'gauge' and not feeds[each.rank].untimed:
                result.counts.update((family.name, Counts(entry, family.children)) for family in each.families)
            result.sources[entry.name] = each.sources
            result.ranks.update((family.name, each.rank) for family in each.families)
        return result

    @staticmethod
    def _is_left_out(slots: frozenset[str], feeds: Sequence[_Feed], present: Sequence[tuple[int, _Feed]]) -> bool:
        first = present[0][0] if present else len(feeds)
        return any(not slots.isdisjoint(feed.slots) for feed in feeds[: first + 1])

    def _component(self, source: Source) -> Component | None:
        return None if source.component == DOCUMENTED else self._catalogue.components[source.component]

    def _component_of(self, components: Sequence[str]) -> Callable[[Mapping[str, str]], str | None]:
        sole = components[0] if len(components) == 1 else None

        def component_of(labels: Mapping[str, str]) -> str | None:
            return self._catalogue.controllers.get(labels.get('controller') or labels.get('name', ''), sole)

        return component_of


@dataclass(frozen=True, eq=False)
class Cluster:
    """Entries that may take children from each other, by their positions, and all slots that their sources look at."""

    positions: tuple[int, ...]
    slots: tuple[str, ...]


@dataclass
class Remembered:
    """What was made of the last payload of one endpoint: of each cluster, and of the `whole`.

    With both is what they depended on besides values; None in it where that cannot be told.
    """

    clusters: dict[Cluster, tuple[tuple, list[_Fed]]] = field(default_factory=dict)
    whole: tuple | None = None
    fed: list[_Fed] = field(default_factory=list)
    relabelled: Relabelled = field(default_factory=Relabelled)


def _clusters(slots_of: Sequence[frozenset[str]]) -> list[Cluster]:
    """The positions of entries that no slot connects with others; `slots_of` has the slots of each."""
    clusters: list[tuple[list[int], set[str]]] = []
    for position, slots in enumerate(slots_of):
        joined = ([position], set(slots))
        apart = []
        for cluster in clusters:
            if cluster[1].isdisjoint(slots):
                apart.append(cluster)
            else:
                joined[0].extend(cluster[0])
                joined[1].update(cluster[1])
        clusters = [*apart, joined]
    return [Cluster(tuple(sorted(positions)), tuple(sorted(slots))) for positions, slots in clusters]


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
        # Those of which samples are looked at; `beside` may be one of another component.
        self._sampled = (*(slot for slot, _, _ in self._slots), *source.zero)
        self._beside = counter_key(source.beside) if source.beside else None
        self.slots = frozenset(self._sampled) | ({self._beside} if self._beside else set())

    def is_in(self, payload: Payload) -> bool:
        """Whether a payload has what this source is made of, whatever its conditions leave of it."""
        children = payload.children
        if self._beside and self._beside not in children:
            return False
        return any(
            not self.source.part or any(map(self._has_part, children[slot]))
            for slot in self._sampled
            if children.get(slot)
        )

    def take(self, payload: Payload) -> list[Taken]:
        """The children of a payload that this source is made of, and the labels they get."""
        meets = self.source.where
        taken = [
            (child, added)
            for slot, _, added in self._slots
            if slot in payload.children
            for child in payload.children[slot]
        ]
        if meets or self.source.part:
            taken = [each for each in taken if self._has_part(each[0]) and meets(each[0].labels)]
        return taken

    def raw_names_in(self, payload: Payload) -> tuple[str, ...]:
        """The raw families of this source that a payload has, or those that stand in for it with zeros."""
        own = tuple(raw_name for slot, raw_name, _ in self._slots if slot in payload.children)
        return own or tuple(raw_name for raw_name in self.source.zero if raw_name in payload.children)

    def merge(
        self,
        taken: Iterable[Taken],
        payload: Payload,
        component_of: Callable[[Mapping[str, str]], str | None] | None,
    ) -> list[Group]:
        """New children with this source's labels and unit, and those they are made of, several where labels meet."""
        groups: dict[frozenset, Group] = {}
        for child, added in taken:
            labels = self._labels(child.labels, payload.federated)
            labels.update(added)
            if component_of is not None and (component := component_of(child.labels)):
                labels[COMPONENT_LABEL] = component
            # Most are what they were, and so are kept once.
            new = Child(child.labels if labels == child.labels else labels)
            groups.setdefault(new.key, (new, []))[1].append(child)
        self.fill(groups.values())
        for slot in self.source.zero:
            for child in payload.children.get(slot, ()):
                new = Child(self._labels(child.labels, payload.federated), value=0)
                groups.setdefault(new.key, (new, []))
        return list(groups.values())

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

    def fill(self, groups: Iterable[Group]) -> None:
        """Give children of this source's the values of those they are made of."""
        if self._kind not in ('counter', 'gauge'):
            for child, parts in groups:
                if parts:
                    self._fill_distribution(child, parts)
            return
        part = self.source.part or 'value'
        add, least = (_add_counts, 0) if self._kind == 'counter' else (_add_gauges, -LARGEST)
        for child, parts in groups:
            if len(parts) == 1:
                value = getattr(parts[0], part)
                # As they are added.
                child.value = self._convert(value if least <= value <= LARGEST else nan)
            elif parts:
                child.value = self._convert(add([getattr(each, part) for each in parts]))

    def _fill_distribution(self, child: Child, parts: list[Child]) -> None:
        buckets = _add_buckets(parts)
        if self.source.divisor != 1:
            buckets = [(self._bound(bound), value) for bound, value in buckets]
        child.buckets = dict(buckets)
        child.sum = self._convert(_add_counts([each.sum for each in parts]))
        child.count = _add_counts([each.count for each in parts])
        # Quantiles of several children cannot be added.
        quantiles = parts[0].quantiles if len(parts) == 1 else NOTHING
        child.quantiles = {quantile: self._convert(value) for quantile, value in quantiles.items()}

    def _convert(self, value: float | None) -> float | None:
        return value if value is None or self.source.divisor == 1 else value / self.source.divisor

    def _bound(self, bound: str) -> str:
        # A decimal number as the component wrote it, and it stays one: not 0.00010497599999999999 for 104.976.
        return bound if self.source.divisor == 1 else str(float(Decimal(bound) / self.source.divisor))


def _add_gauges(values: Iterable[float | None]) -> float | None:
    """Add values in any order to the same result. None where there is none; NaN and infinities are not added."""
    present = [value for value in values if value is not None]
    return _sum([value for value in present if -LARGEST <= value <= LARGEST]) if present else None


def _add_counts(values: Iterable[float | None]) -> float | None:
    """Add values in any order to the same result. None where there is none.

    NaN, which is not submitted, where one is no count: the sum of the others would look like one that began anew.
    """
    present = [value for value in values if value is not None]
    if not present:
        return None
    return _sum(present) if _are_counts(present) else nan


def _are_counts(values: Collection[float]) -> bool:
    # With NaN among them the sum is NaN, and not below anything.
    return not values or min(values) >= 0 and sum(values) <= LARGEST


def _sum(values: list[float]) -> float:
    if len(values) < 2:
        return values[0] if values else nan
    try:
        return fsum(values)
    # Too much, or infinities of both signs.
    except (OverflowError, ValueError):
        return nan


def _add_buckets(children: list[Child]) -> list[tuple[str, float]]:
    """Add cumulative buckets bound by bound, in the order of the bounds.

    Only bounds that all children have are kept: at another bound the sum would lack the children without it. All are
    NaN where one of them is no count, for a bucket without the one below would be another bucket to
    `non_cumulative_histogram_buckets`. A bucket that holds less than the one below is given what that holds.

    The bounds and their order depend on those of the children alone, not on values.
    """
    added = _add_bounds(children) if len(children) > 1 else list(children[0].buckets.items())
    if not all(_are_counts(child.buckets.values()) for child in children):
        return [(bound, nan) for bound, _ in added]
    values = [value for _, value in added]
    if values != sorted(values):
        ordered = sorted(added, key=lambda item: float(item[0]))
        most = accumulate((value for _, value in ordered), max)
        raised = {bound: value for (bound, _), value in zip(ordered, most, strict=True)}
        added = [(bound, raised[bound]) for bound, _ in added]
    return added


def _add_bounds(children: list[Child]) -> list[tuple[str, float]]:
    counts: dict[float, tuple[str, list[float]]] = {}
    for child in children:
        for bound, value in child.buckets.items():
            counts.setdefault(float(bound), (bound, []))[1].append(value)
    return [
        (bound, _sum(values))
        for _, (bound, values) in sorted(counts.items(), key=lambda item: item[0])
        if len(values) == len(children)
    ]


class Family(Metric):
    """A family of the catalogue: `entry` under the name `name`, made of `children`.

    `refreshed` says that the same children have come again with other values.
    """

    def __init__(self, name: str, entry: Entry, children: list[Child]):
        super().__init__(name, entry.description, entry.type)
        self.entry = entry
        self.children = children
        self.refreshed = False
        # What tagging remembers.
        self.tagged: list | None = None
        self._samples: list[Sample] | None = None

    def refresh(self) -> None:
        """Take note that the children have other values."""
        self.refreshed = True
        self._samples = None

    @property
    def samples(self) -> list[Sample]:
        """Samples in the order of `values`. Each owns its labels: the base check changes them."""
        if self._samples is None:
            self._samples = [sample for child in self.children for sample in self._samples_of(child)]
        return self._samples

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        self._samples = samples

    @property
    def values(self) -> list[float]:
        """The values of the samples, and no more."""
        if self.type in ('counter', 'gauge'):
            return [child.value for child in self.children]
        values: list[float] = []
        for child in self.children:
            if 'bucket' in self.entry.parts:
                values += child.buckets.values()
            if 'quantile' in self.entry.parts:
                values += child.quantiles.values()
            values += [value for value in (child.sum, child.count) if value is not None]
        return values

    def _samples_of(self, child: Child) -> list[Sample]:
        name, labels = self.name, child.labels
        if self.type == 'counter':
            return [Sample(f'{name}_total', dict(labels), child.value)]
        if self.type == 'gauge':
            return [Sample(name, dict(labels), child.value)]
        samples = []
        if 'bucket' in self.entry.parts:
            samples += [Sample(f'{name}_bucket', {**labels, 'le': le}, value) for le, value in child.buckets.items()]
        if 'quantile' in self.entry.parts:
            samples += [Sample(name, {**labels, 'quantile': key}, value) for key, value in child.quantiles.items()]
        for part in ('sum', 'count'):
            value = getattr(child, part)
            if value is not None:
                samples.append(Sample(f'{name}_{part}', dict(labels), value))
        return samples
