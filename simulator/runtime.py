# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Families about the process itself, from `runtime.yaml`. They follow from the world's time, not from this machine."""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry, Metric

from .world import World

_GROUPS: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8'))

QUANTILES = (0, 0.25, 0.5, 0.75, 1)
# Seconds between two collections of garbage.
COLLECTION = 50.0


class GoRuntime:
    """The go_* and process_* families of a Go program, as client_golang writes them.

    `extras` are further groups of `runtime.yaml`.
    """

    def __init__(self, world: World, registry: CollectorRegistry, *extras: str, release: str = 'go1.25.3'):
        self._process = _Process(world)
        self._groups = ('go', 'process', *extras)
        self._release = release
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        yield _single('go_info', 'The Go release.', 'gauge', 1, {'version': self._release})
        yield _single('go_memstats_last_gc_time_seconds', 'Go runtime.', 'gauge', self._process.last_collection)
        yield self._process.start_family()
        for group in self._groups:
            yield from self._process.families(group)


class PythonRuntime:
    """The python_* and process_* families of a Python program, in the order of prometheus_client."""

    # CPython runs a generation about ten times as often as the next one.
    GENERATIONS = (0.6, 0.06, 0.005)
    INFO = {'implementation': 'CPython', 'major': '3', 'minor': '11', 'patchlevel': '7', 'version': '3.11.7'}

    def __init__(self, world: World, registry: CollectorRegistry):
        self._process = _Process(world)
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        for name, text, objects in (
            ('python_gc_objects_collected_total', 'Objects that were garbage.', 4),
            ('python_gc_objects_uncollectable_total', 'Objects that could not be collected.', 0),
            ('python_gc_collections_total', 'Collections of garbage.', 1),
        ):
            family = Metric(name, text, 'counter')
            for generation, frequency in enumerate(self.GENERATIONS):
                value = int(self._process.age * frequency) * objects
                family.add_sample(name, {'generation': str(generation)}, value)
            yield family
        yield _single('python_info', 'The Python release.', 'gauge', 1, self.INFO)
        families = {family.name: family for family in self._process.families('python_process')}
        start = self._process.start_family()
        for name in ('virtual_memory_bytes', 'resident_memory_bytes', 'start_time_seconds'):
            yield families.pop(f'process_{name}', start)
        yield families.pop('process_cpu_seconds_total')
        yield from families.values()


class _Process:
    """A process that started when this object was made."""

    def __init__(self, world: World):
        self._world = world
        self._start = world.now

    @property
    def age(self) -> float:
        return self._world.now - self._start

    @property
    def last_collection(self) -> float:
        return self._world.epoch + self._start + self.age // COLLECTION * COLLECTION

    def start_family(self) -> Metric:
        start = self._world.epoch + self._start
        return _single('process_start_time_seconds', 'Start of the process, in Unix seconds.', 'gauge', start)

    def families(self, group: str) -> Iterator[Metric]:
        content = _GROUPS[group]
        text, labels = content['help'], content.get('labels', {})
        swing = 1 + 0.1 * math.sin(self.age / 60)
        for name, value in content.get('swinging', {}).items():
            yield _single(name, text, 'gauge', round(value * swing), labels)
        for name, value in content.get('gauges', {}).items():
            yield _single(name, text, 'gauge', value, labels)
        for name, parts in content.get('parted', {}).items():
            family = Metric(name, text, 'gauge')
            for label, values in parts.items():
                for part, value in values.items():
                    family.add_sample(name, {label: part, **labels}, value)
            yield family
        for name, growth in content.get('counters', {}).items():
            # Whole numbers for what grows by many a second, as counts and bytes do.
            value = growth * self.age
            yield _single(name, text, 'counter', int(value) if growth >= 100 else round(value, 6), labels)
        for setting in content.get('godebug', '').split():
            yield _single(f'go_godebug_non_default_behavior_{setting}_events_total', text, 'counter', 0)
        for name, (bounds, growth) in content.get('histograms', {}).items():
            yield _histogram(name, text, bounds, int(growth * self.age))
        for name, (values, growth) in content.get('summaries', {}).items():
            yield _summary(name, text, values, int(growth * self.age))


def _single(name: str, text: str, kind: str, value: float, labels: Mapping[str, str] | None = None) -> Metric:
    family = Metric(name, text, kind)
    family.add_sample(name, dict(labels or {}), value)
    return family


def _histogram(name: str, text: str, bounds: list[float], observations: int) -> Metric:
    family = Metric(name, text, 'histogram')
    for place, bound in enumerate(bounds, start=1):
        family.add_sample(f'{name}_bucket', {'le': str(bound)}, observations * place // (len(bounds) + 1))
    family.add_sample(f'{name}_bucket', {'le': '+Inf'}, observations)
    family.add_sample(f'{name}_sum', {}, observations * bounds[len(bounds) // 2])
    family.add_sample(f'{name}_count', {}, observations)
    return family


def _summary(name: str, text: str, values: list[float], observations: int) -> Metric:
    family = Metric(name, text, 'summary')
    for quantile, value in zip(QUANTILES, values, strict=True):
        family.add_sample(name, {'quantile': str(quantile)}, value if observations else 0)
    family.add_sample(f'{name}_sum', {}, observations * values[2])
    family.add_sample(f'{name}_count', {}, observations)
    return family
