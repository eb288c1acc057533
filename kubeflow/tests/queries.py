# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is wrong with a query of a dashboard or a monitor, given what the check submits for the fixtures."""

from collections.abc import Iterator, Mapping
from csv import DictReader
from functools import cache

from preview.filters import AllOf, AnyOf, Filter, Not, Tag, variables
from preview.query import DefaultZero, Expression, MetricQuery, Operation, Reference, leaves
from preview.recording import as_kept

from .common import FIXTURES, FIXTURES_DIRECTORY, METADATA

# Those that come from the Agent.
AGENT_TAGS = frozenset({'kube_cluster_name', 'kube_namespace', 'pod_name'})

# An exporter of somebody's own exposes these, with the documented raw names: no component does.
OF_NO_COMPONENT = frozenset({'documented', 'documented-openmetrics'})

# Values of tags that a source has and no fixture, each with the reason.
UNSEEN = {
    ('kubeflow.pipeline.run.phase.count', 'status:error'): 'Argo counts all phases; in the fixtures no run ends so',
}

# Sources without the bound that the others have.
OTHER_BOUNDS = {'tensorflow-serving-2.6': 'its bounds grow by a factor of 1.8'}


@cache
def kinds() -> dict[str, str]:
    """The type of each metric: count or gauge."""
    with METADATA.open(encoding='utf-8') as file:
        return {row['metric_name']: row['metric_type'] for row in DictReader(file)}


@cache
def submitted() -> dict[str, list[tuple[str, frozenset[str]]]]:
    """By metric: the fixture and the tags, as Datadog keeps them, of each series that comes from a component."""
    series: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for fixture in FIXTURES:
        if fixture not in OF_NO_COMPONENT:
            for line in (FIXTURES_DIRECTORY / fixture / 'expected.txt').read_text(encoding='utf-8').splitlines():
                name, *rest = line.split(' ', 3)
                if name in kinds():
                    tags = rest[2].split(',') if len(rest) == 3 else []
                    series.setdefault(name, []).append((fixture, frozenset(map(as_kept, tags))))
    return series


def faults(query: MetricQuery, prefixes: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with one query. `prefixes` has the key that each template variable chooses a value of."""
    name = query.metric
    if name not in kinds():
        yield f'{name} is not in metadata.csv'
        return
    if name not in submitted():
        yield f'{name} comes from no component'
        return
    if kinds()[name] == 'gauge' and query.modifier:
        yield f'{name} is a gauge and has no .{query.modifier}()'
    if kinds()[name] == 'count' and not query.modifier:
        yield f'{name} is a count and needs .as_count() or .as_rate()'
    patterns = list(tags_of(query.filter))
    keys = {prefixes[variable] for variable in variables(query.filter)} | set(query.groups)
    keys |= {pattern.partition(':')[0] for pattern in patterns}
    keys -= AGENT_TAGS
    having = [keys & {tag.partition(':')[0] for tag in tags} for _, tags in submitted()[name]]
    lacking = keys.difference(*having)
    if lacking:
        yield f'{name} has no tag {", ".join(sorted(lacking))}'
    elif keys not in having:
        yield f'no series of {name} has all of the tags {", ".join(sorted(keys))}'
    for pattern in [each for each in patterns if each.partition(':')[0] not in lacking]:
        if not any(Tag(pattern).matches(tags, {}) for _, tags in submitted()[name]) and (name, pattern) not in UNSEEN:
            yield f'{name} has no tag {pattern}'
    yield from _faults_of_bounds(query)


def _faults_of_bounds(query: MetricQuery) -> Iterator[str]:
    if not query.metric.endswith('.bucket'):
        return
    bounds = [pattern for pattern in tags_of(query.filter) if pattern.startswith('upper_bound:')]
    if len(bounds) != 1:
        yield f'{query.metric} needs one upper_bound'
        return
    fixtures = {fixture for fixture, _ in submitted()[query.metric]}
    having = {fixture for fixture, tags in submitted()[query.metric] if bounds[0] in tags}
    if lacking := sorted(fixtures - having - OTHER_BOUNDS.keys()):
        yield f'{query.metric} has no {bounds[0]} from {", ".join(lacking)}'


def faults_of_shares(expression: Expression, queries: Mapping[str, MetricQuery]) -> Iterator[str]:
    """The buckets in a formula over `queries` that are not divided by the observations of the same series."""
    buckets = {query for query in resolved(expression, queries) if query.metric.endswith('.bucket')}
    for left, right in divisions(expression):
        divisors = list(resolved(right, queries))
        for bucket in buckets & set(resolved(left, queries)):
            wanted = bucket.metric.removesuffix('.bucket') + '.count'
            if [(each.metric, each.groups) for each in divisors] == [(wanted, bucket.groups)]:
                buckets -= {bucket}
    yield from (f'{bucket.metric} is no share of its .count' for bucket in buckets)


def resolved(expression: Expression, queries: Mapping[str, MetricQuery]) -> Iterator[MetricQuery]:
    """The queries of an expression, those that it names among `queries`."""
    for leaf in leaves(expression):
        if isinstance(leaf, Reference):
            yield queries[leaf.name]
        elif isinstance(leaf, MetricQuery):
            yield leaf


def divisions(expression: Expression) -> Iterator[tuple[Expression, Expression]]:
    """What is divided by what in an expression."""
    match expression:
        case DefaultZero(inner):
            yield from divisions(inner)
        case Operation(symbol, left, right):
            if symbol == '/':
                yield left, right
            yield from divisions(left)
            yield from divisions(right)


def tags_of(condition: Filter) -> Iterator[str]:
    """The tags that a filter names."""
    match condition:
        case Tag(pattern):
            yield pattern
        case Not(part):
            yield from tags_of(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from tags_of(part)
