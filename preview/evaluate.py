# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Values of expressions on a recording.

As Datadog: first each series is rolled up in time, one value an interval; then the series of a group are aggregated,
interval by interval; then comes the arithmetic, which joins groups by their tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from .filters import Chosen
from .query import (
    DefaultZero,
    Expression,
    MetricQuery,
    Number,
    Operation,
    QueryError,
    Reference,
)
from .recording import Recording, Series

# The tags of a group, `key:value`, by key; without grouping there is one group, which has none.
Group = tuple[str, ...]
# Values by the second at which their interval begins, since the beginning of the recording.
Points = dict[int, float]

UNGROUPED: Group = ()
# As Datadog calls the group of the series that have no tag of that key.
WITHOUT = 'N/A'

AGGREGATIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    'avg': fmean,
    'sum': sum,
    'min': min,
    'max': max,
    'last': lambda values: values[-1],
}

# Datadog's default interval by the length of what is shown, both in seconds.
ROLLUPS = {3600: 20, 4 * 3600: 60, 24 * 3600: 300}


@dataclass(frozen=True)
class Frame:
    """Values by group, and the keys that groups have tags of, sorted."""

    keys: tuple[str, ...]
    groups: dict[Group, Points]


@dataclass(frozen=True)
class Span:
    """The recording until second `end`, in intervals of `seconds`."""

    end: int
    seconds: int

    @property
    def instants(self) -> Sequence[int]:
        """Where the intervals begin."""
        return range(0, self.end, self.seconds)

    def instant(self, time: int) -> int:
        """The beginning of the interval that has this second."""
        return time - time % self.seconds


def shown(recording: Recording) -> Span:
    """The recording as a widget shows it.

    The interval is Datadog's default, made longer until it is a multiple of the recording's: so each has as many runs.
    """
    least = next((interval for length, interval in ROLLUPS.items() if recording.seconds <= length), 3600)
    return Span(recording.seconds, -(-least // recording.interval) * recording.interval)


def interval_of(queries: Iterable[MetricQuery], default: int) -> int:
    """The interval of queries that are seen together, in seconds. Raises `QueryError` where they differ."""
    intervals = {query.seconds or default for query in queries}
    if len(intervals) > 1:
        raise QueryError(f'the queries are rolled up by {" and by ".join(map(str, sorted(intervals)))} seconds')
    return intervals.pop() if intervals else default


def rolled_up(query: MetricQuery, recording: Recording, span: Span, chosen: Chosen) -> Frame:
    """The values of a query of a metric. Raises `QueryError` where its type does not go with the query.

    A count is the sum of an interval, as a rate divided by its seconds; a gauge is the average of an interval.
    """
    members: dict[Group, list[Points]] = {}
    for series in recording.series.get(query.metric, ()):
        method = _method(query, series)
        if query.filter.matches(series.tags, chosen):
            points = _roll_up(series, method, span)
            if query.modifier == 'as_rate':
                points = {instant: value / span.seconds for instant, value in points.items()}
            for group in grouped(series.tags, query.groups):
                if points:
                    members.setdefault(group, []).append(points)
    aggregate = AGGREGATIONS[query.aggregator]
    groups = {group: _together(each, aggregate) for group, each in sorted(members.items())}
    return Frame(tuple(sorted(query.groups)), groups)


def calculated(
    expression: Expression, leaf: Callable[[Reference | MetricQuery], Frame], instants: Iterable[int]
) -> Frame:
    """The values of an expression at `instants`, where `leaf` gives those of what it is made of.

    A group that only one side of an operation has is not in the result, nor is an instant. One side may have no groups
    at all: it is the same for each of the other's. A division by zero gives no value. `default_zero` fills what groups
    lack in time; it knows of no group that was never there. Raises `QueryError` where groups are of different tags.
    """
    match expression:
        case Number(value):
            return Frame((), {UNGROUPED: dict.fromkeys(instants, value)})
        case DefaultZero(inner):
            frame = calculated(inner, leaf, instants)
            groups = frame.groups or ({} if frame.keys else {UNGROUPED: {}})
            filled = {group: {each: points.get(each, 0.0) for each in instants} for group, points in groups.items()}
            return Frame(frame.keys, filled)
        case Operation(symbol, left, right):
            return _joined(symbol, calculated(left, leaf, instants), calculated(right, leaf, instants))
        case _:
            return leaf(expression)


def reduced(frame: Frame, aggregator: str, instant: int = 0) -> Frame:
    """One value of each group's, at `instant`."""
    aggregate = AGGREGATIONS[aggregator]
    groups = {group: {instant: aggregate([*points.values()])} for group, points in frame.groups.items() if points}
    return Frame(frame.keys, groups)


def _method(query: MetricQuery, series: Series) -> str:
    if (series.kind == 'count') != bool(query.modifier):
        wanted = 'needs' if series.kind == 'count' else 'cannot have'
        raise QueryError(f'{query.metric} is a {series.kind}, which {wanted} .as_count() or .as_rate()')
    if query.modifier and query.rollup not in ('', 'sum'):
        raise QueryError(f'{query.metric} is a count, which is rolled up by sum and not by {query.rollup}')
    return 'sum' if query.modifier else query.rollup or 'avg'


def _roll_up(series: Series, method: str, span: Span) -> Points:
    gathered: dict[int, list[float]] = {}
    for time, value in series.points:
        gathered.setdefault(span.instant(time), []).append(value)
    return {instant: AGGREGATIONS[method](values) for instant, values in gathered.items()}


def grouped(tags: frozenset[str], keys: Sequence[str]) -> Iterator[Group]:
    """The groups that a series with these tags is in: several where it has several tags of a key."""
    values = [sorted(tag for tag in tags if tag.startswith(f'{key}:')) or [f'{key}:{WITHOUT}'] for key in sorted(keys)]
    yield from product(*values)


def _together(members: Sequence[Points], aggregate: Callable[[Sequence[float]], float]) -> Points:
    instants = sorted({instant for points in members for instant in points})
    return {instant: aggregate([points[instant] for points in members if instant in points]) for instant in instants}


def _joined(symbol: str, left: Frame, right: Frame) -> Frame:
    if left.keys and right.keys and left.keys != right.keys:
        sides = ' and '.join(', '.join(each.keys) for each in (left, right))
        raise QueryError(f'the sides of {symbol} have groups of different tags: {sides}')
    joined: dict[Group, Points] = {}
    for group in sorted(left.groups if left.keys else right.groups):
        ours = left.groups.get(group if left.keys else UNGROUPED, {})
        theirs = right.groups.get(group if right.keys else UNGROUPED, {})
        values = {each: _operated(symbol, ours[each], theirs[each]) for each in ours if each in theirs}
        if points := {instant: value for instant, value in values.items() if value is not None}:
            joined[group] = points
    return Frame(left.keys or right.keys, joined)


def _operated(symbol: str, left: float, right: float) -> float | None:
    match symbol:
        case '+':
            return left + right
        case '-':
            return left - right
        case '*':
            return left * right
        case _:
            return left / right if right else None
