# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The samples of a family, gathered into what its labels tell apart."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import isnan
from types import MappingProxyType
from typing import NamedTuple

from prometheus_client.samples import Sample

NOTHING: Mapping[str, float] = MappingProxyType({})

# A whole number may be above it, and then no float holds it.
LARGEST = sys.float_info.max

# The label that tells the samples of a part from each other.
BOUNDS = {'bucket': 'le', 'quantile': 'quantile'}


class Child:
    """The samples of a family that share all labels but `le` and `quantile`, an empty label being an absent one.

    `value` belongs to counters, gauges and untyped samples; `sum`, `count`, `buckets` (cumulative, by the text of
    `le`) and `quantiles` to histograms and summaries. What the exposition lacks is None or empty. `labels` are shared
    and never changed.
    """

    __slots__ = ('labels', 'value', 'sum', 'count', 'buckets', 'quantiles')

    def __init__(
        self,
        labels: Mapping[str, str],
        value: float | None = None,
        sum: float | None = None,
        count: float | None = None,
        buckets: Mapping[str, float] = NOTHING,
        quantiles: Mapping[str, float] = NOTHING,
    ):
        self.labels = labels
        self.value = value
        self.sum = sum
        self.count = count
        self.buckets = buckets
        self.quantiles = quantiles

    @property
    def key(self) -> frozenset[tuple[str, str]]:
        """Equal where the labels are."""
        return frozenset(self.labels.items())

    def set(self, part: str, bound: str, value: float) -> None:
        """Set one part, a field; that of a bucket or quantile by its `bound`."""
        if part == 'bucket':
            if self.buckets is NOTHING:
                self.buckets = {}
            self.buckets[bound] = value
        elif part == 'quantile':
            if self.quantiles is NOTHING:
                self.quantiles = {}
            self.quantiles[bound] = value
        else:
            setattr(self, part, value)

    def clear(self) -> None:
        """Forget all parts."""
        self.value = self.sum = self.count = None
        self.buckets = self.quantiles = NOTHING


class Place(NamedTuple):
    """What a sample is of a child: the arguments of `Child.set` but for the value."""

    child: Child
    part: str
    bound: str


def place(kind: str, slot_part: str | None, sample: Sample, children: dict[frozenset, Child]) -> Place | None:
    """The place of a sample in a family of the type `kind`, None for one that is no part.

    `slot_part` is the part that all its samples are, where they are. `children` are those of the family so far, by
    their keys; a new one is added.
    """
    part = _part(kind, sample.name, slot_part)
    if part is None:
        return None
    labels = dict(sample.labels)
    bound = ''
    if part in BOUNDS:
        bound = spelled(labels.pop(BOUNDS[part], ''))
        if not bound:
            return None
    if '' in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    key = frozenset(labels.items())
    child = children.get(key)
    if child is None:
        child = children[key] = Child(labels)
    return Place(child, part, bound)


def added(children: Iterable[Child], others: Iterable[Child]) -> list[Child]:
    """Children of two parts of one family. What is in both counts once, as it is in `others`."""
    merged: dict[frozenset, Child] = {}
    for child in (*children, *others):
        known = merged.setdefault(child.key, Child(child.labels))
        for part in ('value', 'sum', 'count'):
            value = getattr(child, part)
            if value is not None:
                setattr(known, part, value)
        known.buckets = {**known.buckets, **child.buckets}
        known.quantiles = {**known.quantiles, **child.quantiles}
    return list(merged.values())


def _part(kind: str, sample_name: str, part: str | None) -> str | None:
    if kind in ('counter', 'histogram', 'summary') and sample_name.endswith('_created'):
        return None
    if part:
        return None if part == 'value' and kind in ('histogram', 'summary') else part
    for suffix in ('bucket', 'sum', 'count'):
        if sample_name.endswith(f'_{suffix}'):
            return suffix
    # An untyped summary's quantiles are a family of their own; what has no such label is left out.
    return 'quantile' if kind in ('summary', 'unknown') else None


@lru_cache(maxsize=1024)
def spelled(bound: str) -> str:
    """A bound or quantile in one spelling, for it may be exposed in two; empty for what is no number."""
    try:
        number = float(bound)
    except ValueError:
        return ''
    return '' if isnan(number) else str(number)
