# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which series Prometheus stores with the monitors of `deploy/prometheus`: names from the catalogue, labels as seen."""

from __future__ import annotations

from functools import cache

from prometheus_client.parser import text_string_to_metric_families

from datadog_checks.kubeflow.catalogue import load_catalogue
from kubeflow.tests.common import FIXTURES, exposition

from .monitored import scrapes
from .promql import BUCKET, COUNTER, GAUGE, Series

# What Prometheus and the monitors add to every series of a target.
TARGET = frozenset({'job', 'instance', 'namespace', 'pod', 'container'})


@cache
def raw_series() -> dict[str, Series]:
    """The series of the catalogue's raw families, with all labels that a fixture has them with, and `up`."""
    labels: dict[str, set[str]] = {}
    for fixture in FIXTURES:
        # Without its comments every line is a sample under the name it is written with.
        lines = ''.join(f'{line}\n' for line in exposition(fixture).splitlines() if not line.startswith('#'))
        for family in text_string_to_metric_families(lines):
            for sample in family.samples:
                labels.setdefault(sample.name, set()).update(sample.labels)
    known = {'up': Series(GAUGE, TARGET | {'inferenceservice'})}
    for name, kind in _families().items():
        by_service = any(each.by_service and each.kept.fullmatch(name) for each in scrapes())
        if name in labels and any(each.kept.fullmatch(name) for each in scrapes()):
            added = TARGET | {'inferenceservice'} if by_service else TARGET
            known[name] = Series(kind, frozenset(labels[name]) | added)
    return known


def _families() -> dict[str, str]:
    kinds = {}
    for entry in load_catalogue().metrics:
        for source in entry.component_sources:
            kind = source.exposed_type(entry.type)
            for family in source.families:
                if kind in ('histogram', 'summary'):
                    kinds |= {f'{family}_count': COUNTER, f'{family}_sum': COUNTER, f'{family}_bucket': BUCKET}
                else:
                    kinds[family] = kind
    return kinds
