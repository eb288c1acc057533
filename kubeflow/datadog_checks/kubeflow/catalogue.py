# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The catalogue: which metrics the check submits and which raw families feed them.

It is read from `metrics/*.yaml` and `components.yaml`, once per process; everything else (the mapping, the
relabelling, `metadata.csv`, the tables of the README, the expected sets of the tests) derives from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = 'kubeflow'

PARTS = {
    'counter': ('value',),
    'gauge': ('value',),
    'histogram': ('bucket', 'count', 'sum'),
    'summary': ('count', 'quantile', 'sum'),
}

# What a raw unit is divided by to give the metric's unit. Division, because 1/1000 has no exact float.
DIVISORS = {None: 1, 'millisecond': 1000, 'microsecond': 1_000_000}

DOCUMENTED = 'documented'


class CatalogueError(Exception):
    """An entry of the catalogue that cannot be meant; the message names the file, the entry and the field."""


@dataclass(frozen=True)
class Component:
    """A program whose exposition the check knows, and the signs it knows it by (see `components.yaml`)."""

    id: str
    title: str
    prefixes: tuple[str, ...] = ()
    families: frozenset[str] = frozenset()
    labels: Mapping[str, Conditions] = field(default_factory=dict)
    controllers: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    shared: bool = False
    untimed: bool = False


class Conditions:
    """Conditions on the labels of a sample, all of which must hold.

    Each label is compared with a value (`status: Running`), with several (`controller: [a, b]`), with an anchored
    pattern (`code: {matches: 5..}`) or must be there and not empty (`kn_route_tag: {present: true}`). An absent
    label is an empty one, as in Prometheus.
    """

    def __init__(self, where: Mapping[str, Any]):
        """Raises `ValueError` for a condition of no known form."""
        self.labels = tuple(where)
        self._tests = tuple((label, _condition(label, value)) for label, value in where.items())

    def __call__(self, labels: Mapping[str, str]) -> bool:
        return all(test(labels.get(label, '')) for label, test in self._tests)

    def __bool__(self) -> bool:
        return bool(self._tests)


def _condition(label: str, value: Any) -> Callable[[str], bool]:
    if isinstance(value, str):
        return value.__eq__
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return frozenset(value).__contains__
    if value == {'present': True}:
        return bool
    if isinstance(value, dict) and set(value) == {'matches'}:
        pattern = re.compile(value['matches'])
        return lambda text: pattern.fullmatch(text) is not None
    raise ValueError(f'no known condition on label `{label}`: {value!r}')


@dataclass(frozen=True)
class Source:
    """Raw families that feed one metric, and what becomes of their samples on the way.

    `families` maps each raw name, as the component exposes it, to labels its samples get. Several families are
    added into one. `parts` are those of the metric the component exposes, where it lacks some.
    """

    component: str
    families: Mapping[str, Mapping[str, str]]
    part: str | None = None
    where: Conditions = Conditions({})
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    zero: tuple[str, ...] = ()
    beside: str | None = None
    opt_in: str | None = None
    releases: str = ''
    parts: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The raw names, for people."""
        return ' + '.join(self.families)

    @property
    def divisor(self) -> int:
        return DIVISORS[self.unit]

    def exposed_type(self, entry_type: str) -> str:
        """The type of the raw families: the entry's, unless the entry counts what a histogram's part counts."""
        return 'histogram' if self.part else entry_type


@dataclass(frozen=True)
class Entry:
    """One Datadog metric family: a name without namespace and suffixes, and its sources in order of precedence.

    `documented` is the raw name it is documented with, `alias` a second name to submit it under on demand, `option`
    the instance option it waits for, `transformer` the base check's transformer where it is not the type's own.
    """

    name: str
    type: str
    description: str
    sources: tuple[Source, ...]
    unit: str = ''
    orientation: int = 0
    documented: str | None = None
    alias: str | None = None
    option: str | None = None
    transformer: str | None = None
    parts: tuple[str, ...] = ()
    group: str = ''

    @property
    def component_sources(self) -> tuple[Source, ...]:
        """The sources that a component really exposes, in order of precedence."""
        return tuple(source for source in self.sources if source.component != DOCUMENTED)

    def submitted(self, name: str | None = None) -> dict[str, str]:
        """Map each full Datadog name to its type in `metadata.csv` (`count` or `gauge`).

        Monotonic counts arrive as counts; a summary's quantiles and gauges as gauges.
        """
        name = f'{NAMESPACE}.{name or self.name}'
        if self.type == 'counter':
            return {f'{name}.count': 'count'}
        if self.type == 'gauge':
            return {name: 'gauge'}
        return {f'{name}.{part}': 'gauge' if part == 'quantile' else 'count' for part in self.parts}

    def submitted_names(self) -> tuple[str, ...]:
        return tuple(self.submitted())


@dataclass(frozen=True)
class Catalogue:
    """All entries and components."""

    metrics: tuple[Entry, ...]
    components: Mapping[str, Component]

    def selected(self, options: Mapping[str, bool]) -> tuple[Entry, ...]:
        """The entries to submit where `options` are the instance's; documented ones come first."""
        chosen = [entry for entry in self.metrics if entry.sources and (not entry.option or options.get(entry.option))]
        return tuple(sorted(chosen, key=lambda entry: entry.documented is None))

    @cached_property
    def controllers(self) -> Mapping[str, str]:
        """Map each value of the label `controller` to the id of the component that runs the controller."""
        return {name: component.id for component in self.components.values() for name in component.controllers}

    def owner(self, name: str) -> str | None:
        """The id of the component that alone exposes a family of this parsed name, or None."""
        if owner := self._owners_by_name.get(name):
            return owner
        match = self._prefixes.match(name)
        return match and self._owners_by_prefix[match.lastindex - 1]

    @cached_property
    def owned_beginnings(self) -> frozenset[str]:
        """What the names begin with of which `owner` tells a component, whole names among them."""
        prefixes = (prefix for component in self.components.values() for prefix in component.prefixes)
        return frozenset((*self._owners_by_name, *prefixes))

    @cached_property
    def shared_families(self) -> Mapping[str, Mapping[str, Conditions]]:
        """Map each family that several components expose to the conditions that tell them apart, by component id."""
        families: dict[str, dict[str, Conditions]] = {}
        for component in self.components.values():
            for family, conditions in component.labels.items():
                families.setdefault(family, {})[component.id] = conditions
        return families

    @cached_property
    def common_controllers(self) -> frozenset[str]:
        """Values of the label `controller` that programs outside Kubeflow use too."""
        return frozenset(name for component in self.components.values() for name in component.common)

    @cached_property
    def _owners_by_name(self) -> Mapping[str, str]:
        owners = {
            raw_name.removesuffix('_total')
            if source.exposed_type(entry.type) == 'counter'
            else raw_name: source.component
            for entry in self.metrics
            for source in entry.component_sources
            if not source.where and not source.beside and not self.components[source.component].shared
            for raw_name in source.families
        }
        return owners | {
            family: component.id for component in self.components.values() for family in component.families
        }

    @cached_property
    def _owners_by_prefix(self) -> tuple[str, ...]:
        return tuple(component.id for component in self.components.values() for _ in component.prefixes)

    @cached_property
    def _prefixes(self) -> re.Pattern[str]:
        prefixes = (prefix for component in self.components.values() for prefix in component.prefixes)
        return re.compile('|'.join(f'({re.escape(prefix)})' for prefix in prefixes))


def transformer_key(name: str) -> str:
    """The family name under which relabelled samples of the metric `name` reach the transformers.

    No component exposes a name that starts so; the raw families keep their own names for `extra_metrics`. Dots
    would make it a pattern for the base check.
    """
    return f'{NAMESPACE}:{name.replace(".", "_")}'


def counter_key(raw_name: str) -> str:
    """The one name of a counter family, whether it is exposed with `_total` or without."""
    return raw_name if raw_name.endswith('_total') else f'{raw_name}_total'


@lru_cache(maxsize=None)
def load_catalogue() -> Catalogue:
    """Read the catalogue of the package. Raises `CatalogueError` where it is wrong."""
    return read_catalogue(Path(__file__).parent)


def read_catalogue(directory: Path) -> Catalogue:
    """Read `components.yaml` and `metrics/*.yaml` under `directory`. Raises `CatalogueError` where they are wrong."""
    components = {
        component_id: _component(component_id, data)
        for component_id, data in _yaml(directory / 'components.yaml').items()
    }
    metrics: list[Entry] = []
    for path in sorted((directory / 'metrics').glob('*.yaml')):
        metrics.extend(_entry(path, data, components) for data in _yaml(path))
    names = [name for entry in metrics for name in (entry.name, entry.alias) if name]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogueError(f'metrics: more than one entry is named {", ".join(repeated)}')
    return Catalogue(tuple(metrics), components)


def _yaml(path: Path) -> Any:
    with path.open(encoding='utf-8') as file:
        return yaml.safe_load(file)


def _component(component_id: str, data: Mapping[str, Any]) -> Component:
    return Component(
        **{
            **data,
            'id': component_id,
            'prefixes': tuple(data.get('prefixes', ())),
            'families': frozenset(data.get('families', ())),
            'labels': {family: Conditions(where) for family, where in data.get('labels', {}).items()},
            'controllers': frozenset(data.get('controllers', ())),
            'common': frozenset(data.get('common', ())),
        }
    )


def _entry(path: Path, data: Mapping[str, Any], components: Mapping[str, Component]) -> Entry:
    where = f'metrics/{path.name}: {data.get("name")}'
    try:
        kind = data['type']
        sources = [_source(source) for source in data.get('sources', ())]
        if documented := data.get('documented'):
            sources.insert(0, Source(DOCUMENTED, {documented: {}}))
        entry = Entry(
            **{
                'parts': PARTS[kind],
                **data,
                'sources': tuple(sources),
                'group': path.stem,
            }
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise CatalogueError(f'{where}: {type(error).__name__}: {error}') from None
    if not set(entry.parts) <= set(PARTS[kind]):
        raise CatalogueError(f'{where}: parts {entry.parts} are not parts of a {kind}')
    for source in entry.component_sources:
        if source.component not in components:
            raise CatalogueError(f'{where}: component `{source.component}` is not in components.yaml')
        if source.unit not in DIVISORS:
            raise CatalogueError(f'{where}: unit `{source.unit}` of a source is none of {list(DIVISORS)[1:]}')
    if not entry.sources and not entry.option:
        raise CatalogueError(f'{where}: neither a documented raw name, nor a source, nor an option of the base check')
    return entry


def _source(data: Mapping[str, Any]) -> Source:
    return Source(
        **{
            **{key: value for key, value in data.items() if key != 'family'},
            'families': _families(data['family']),
            'where': Conditions(data.get('where', {})),
            'drop': tuple(data.get('drop', ())),
            'zero': tuple(data.get('zero', ())),
            'parts': tuple(data.get('parts', ())),
        }
    )


def _families(value: str | Iterable[str] | Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    if isinstance(value, Mapping):
        return value
    names = (value,) if isinstance(value, str) else value
    return {name: {} for name in names}
