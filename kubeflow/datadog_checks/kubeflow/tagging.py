# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Tags of families that come scrape after scrape with other values, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from sys import intern
from types import MappingProxyType
from typing import Any

from prometheus_client import Metric

from .children import NOTHING
from .relabel import Family

# A sample as the transformers of the base check get it, its tags and its hostname.
Tagged = tuple[Any, Sequence[str], str]


class Row:
    """A sample, its tags and its hostname, the same from scrape to scrape but for the value."""

    __slots__ = ('name', 'labels', 'value', 'tags', 'hostname')

    def __init__(self, name: str, labels: Mapping[str, str], tags: tuple[str, ...], hostname: str):
        self.name = name
        self.labels = labels
        self.value = 0.0
        self.tags = tags
        self.hostname = hostname


def tagged(family: Family, tag: Callable[[Metric], Iterator[Tagged]]) -> Iterator[Tagged]:
    """What `tag` gives for a family. It is not asked again for one that has but other values than before.

    It must give the same for the same labels, and something for every finite value.
    """
    if not family.refreshed:
        yield from tag(family)
        return
    values = family.values
    rows = family.tagged
    if rows is None or len(rows) != len(values):
        rows = family.tagged = _rows(family, tag)
    for row, value in zip(rows, values, strict=True):
        # The base check leaves others out too.
        if isfinite(value):
            row.value = value
            yield row, row.tags, row.hostname


def _rows(family: Family, tag: Callable[[Metric], Iterator[Tagged]]) -> list[Row]:
    metric = Metric(family.name, '', family.type)
    metric.samples = [sample._replace(value=0) for sample in family.samples]
    return [
        Row(intern(sample.name), _kept(sample.labels), tuple(map(intern, tags)), hostname)
        for sample, tags, hostname in tag(metric)
    ]


def _kept(labels: Mapping[str, str]) -> Mapping[str, str]:
    # No transformer of a type of the catalogue looks at another one.
    return _bound(labels['upper_bound']) if 'upper_bound' in labels else NOTHING


@lru_cache(maxsize=1024)
def _bound(upper_bound: str) -> Mapping[str, str]:
    return MappingProxyType({'upper_bound': upper_bound})
