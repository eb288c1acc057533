# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a Prometheus server makes of an exposition at `/federate`, as 2.42 does (`live/test_prometheus.py` compares)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

# Any: the check does not read it.
TIMESTAMP = 1795252520263

FEDERATE = 'http://prometheus:9090/federate?match[]={job=~".*"}'


@dataclass(frozen=True)
class Scraped:
    """What a target exposes and the labels it has as a target; a label with no value is none."""

    exposition: str
    labels: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False


def federate(*scraped: Scraped, external_labels: Mapping[str, str] | None = None) -> str:
    """The page for all that was scraped, as selectors that ask for everything get it."""
    families: dict[str, list[str]] = {}
    # Of a sample that comes twice in one scrape the first is stored.
    stored = set()
    for each in scraped:
        for name, labels, value in _samples(each.exposition):
            labels = _stored(labels, each.labels, each.honor_labels)
            series = name, frozenset(labels.items())
            if series in stored:
                continue
            stored.add(series)
            added = {**(external_labels or {}), 'instance': (external_labels or {}).get('instance', '')}
            named = sorted(labels.items()) + sorted((label, added[label]) for label in added.keys() - labels.keys())
            text = ','.join(f'{label}="{_escaped(content)}"' for label, content in named)
            families.setdefault(name, []).append(f'{name}{{{text}}} {value!r} {TIMESTAMP}')
    lines = []
    for name in sorted(families):
        lines += [f'# TYPE {name} untyped', *sorted(families[name])]
    return ''.join(f'{line}\n' for line in lines)


def _samples(exposition: str) -> Iterator[tuple[str, dict[str, str], float]]:
    # Without its comments every line is a sample under the name it is written with.
    lines = ''.join(f'{line}\n' for line in exposition.splitlines() if not line.startswith('#'))
    for family in text_string_to_metric_families(lines):
        for sample in family.samples:
            yield sample.name, dict(sample.labels), sample.value


def _stored(labels: Mapping[str, str], target: Mapping[str, str], honor_labels: bool) -> dict[str, str]:
    stored = {label: value for label, value in labels.items() if value}
    for label, value in target.items():
        if not value or honor_labels and label in stored:
            continue
        if label in stored:
            displaced = f'exported_{label}'
            while displaced in stored or displaced in target:
                displaced = f'exported_{displaced}'
            stored[displaced] = stored[label]
        stored[label] = value
    return stored


def _escaped(value: str) -> str:
    return value.replace('\\', r'\\').replace('\n', r'\n').replace('"', r'\"')
