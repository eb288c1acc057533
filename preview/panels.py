# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the widgets of a dashboard show of a recording."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .assets import known, placed
from .dashboard import CHECK_STATUS, GROUP, NOTE, Dashboard, Widget
from .evaluate import (
    AGGREGATIONS,
    Frame,
    Group,
    Points,
    Span,
    calculated,
    grouped,
    interval_of,
    reduced,
    rolled_up,
    shown,
)
from .filters import Chosen
from .query import (
    Expression,
    MetricQuery,
    QueryError,
    metric_queries,
    parse_filter,
    parse_formula,
    parse_query,
)
from .recording import Recording
from .states import STATUSES

# What has no influence on the values.
_LOOKS = frozenset(
    'autoscale custom_links custom_unit has_search_bar legend_columns legend_layout legend_size markers precision '
    'right_yaxis show_legend text_align timeseries_background title title_align title_size type yaxis'.split()
)
_OF_CHECK = frozenset({'check', 'group_by', 'grouping', 'tags'})
_REQUEST = frozenset({'formulas', 'queries', 'response_format'})
_REQUEST_LOOKS = frozenset({'conditional_formats', 'display_type', 'on_right_yaxis', 'style'})
_QUERY = frozenset({'aggregator', 'data_source', 'name', 'query'})
_FORMULA = frozenset({'alias', 'formula', 'limit'})
_FORMULA_LOOKS = frozenset({'cell_display_mode', 'conditional_formats', 'number_format', 'style'})
ORDERS = ('asc', 'desc')
DISPLAYS = ('line', 'bars', 'area')
# Rows that a list shows where it does not say how many.
TOP = 10


@dataclass(frozen=True)
class Line:
    """`display` is one of `DISPLAYS`; the points are `interval` seconds apart."""

    label: str
    points: Points
    display: str
    interval: int


@dataclass(frozen=True)
class Row:
    """One value for each column, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Panel:
    """A widget and what it shows of the recording, until second `end`.

    `without` are the metrics of which its queries found no series. It is `empty` where that holds of all, although
    `default_zero` may show zeros.
    """

    widget: Widget
    lines: tuple[Line, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    without: tuple[str, ...] = ()
    empty: bool = False
    end: int = 0


@dataclass(frozen=True)
class _Formula:
    alias: str
    expression: Expression
    limit: Mapping[str, Any]


@dataclass(frozen=True)
class _Request:
    """`queries` are by name, each with its aggregator. Where it is `scalar`, each gives one value for each group."""

    queries: Mapping[str, tuple[Expression, str]]
    formulas: list[_Formula]
    scalar: bool
    display: str

    def metric_queries(self) -> list[MetricQuery]:
        return [each for expression, _ in self.queries.values() for each in metric_queries(expression)]

    def values(self, span: Span, found: Mapping[MetricQuery, Frame]) -> list[Frame]:
        """The values of each formula, where `found` has those of the queries of metrics."""
        frames = {}
        for name, (expression, aggregator) in self.queries.items():
            frame = calculated(expression, found.__getitem__, span.instants)
            frames[name] = reduced(frame, aggregator) if self.scalar else frame
        instants = [0] if self.scalar else span.instants
        return [calculated(each.expression, lambda query: frames[query.name], instants) for each in self.formulas]


def panels(dashboard: Dashboard, recording: Recording) -> list[Panel]:
    """What each widget shows. Raises `AssetError`."""
    return [_panel(widget, dashboard, recording) for widget in dashboard.widgets]


def _panel(widget: Widget, dashboard: Dashboard, recording: Recording) -> Panel:
    if widget.kind in (GROUP, NOTE):
        return Panel(widget)
    place = (dashboard.file, f'widget {widget.title!r}')
    with placed(*place):
        if widget.kind == CHECK_STATUS:
            return _check_status(widget, dashboard.chosen, recording)
        known(widget.definition, _LOOKS, {'requests'}, what='it', needed=['requests'])
        requests = [
            _request(each, widget.kind != 'timeseries', dashboard.chosen, place)
            for each in widget.definition['requests']
        ]
        return _of_metrics(widget, requests, shown(recording), dashboard.chosen, recording)


def _request(request: Any, scalar: bool, chosen: Chosen, place: tuple[str, ...]) -> _Request:
    known(request, _REQUEST, _REQUEST_LOOKS, what='a request', needed=['queries'])
    if request.get('response_format') != ('scalar' if scalar else 'timeseries'):
        raise QueryError(f'the response format {request.get("response_format")!r} is not one of this widget')
    display = request.get('display_type', DISPLAYS[0])
    if display not in DISPLAYS:
        raise QueryError(f'the display type {display!r} is not drawn')
    queries = {}
    for query in request['queries']:
        known(query, _QUERY, what='a query', needed=['data_source', 'name', 'query'])
        with placed(*place, f'query {query["query"]!r}'):
            if query['data_source'] != 'metrics':
                raise QueryError(f'the data source {query["data_source"]!r} is not evaluated')
            if scalar and query.get('aggregator') not in AGGREGATIONS:
                raise QueryError(f'the aggregator {query.get("aggregator")!r} is not evaluated')
            expression = parse_query(query['query'], set(chosen))
            queries[query['name']] = expression, query.get('aggregator', '')
    formulas = []
    for formula in request.get('formulas') or [{'formula': name} for name in queries]:
        known(formula, _FORMULA, _FORMULA_LOOKS, what='a formula', needed=['formula'])
        with placed(*place, f'formula {formula["formula"]!r}'):
            expression = parse_formula(formula['formula'], set(queries))
            limit = known(formula.get('limit') or {}, {'count', 'order'}, what='its limit')
            if limit.get('order', ORDERS[0]) not in ORDERS:
                raise QueryError(f'the order {limit["order"]!r} is not evaluated')
            formulas.append(_Formula(formula.get('alias', ''), expression, limit))
    return _Request(queries, formulas, scalar, display)


def _of_metrics(widget: Widget, requests: list[_Request], span: Span, chosen: Chosen, recording: Recording) -> Panel:
    lines, columns = [], []
    without: dict[str, bool] = {}
    for request in requests:
        queries = request.metric_queries()
        interval = replace(span, seconds=interval_of(queries, span.seconds))
        found = {query: rolled_up(query, recording, interval, chosen) for query in queries}
        for query, frame in found.items():
            without[query.metric] = without.get(query.metric, True) and not frame.groups
        for formula, frame in zip(request.formulas, request.values(interval, found), strict=True):
            columns.append((formula, frame))
            lines += [
                Line(_label(formula.alias, group), points, request.display, interval.seconds)
                for group, points in frame.groups.items()
            ]
    panel = Panel(
        widget,
        end=span.end,
        without=tuple(metric for metric, missing in without.items() if missing),
        empty=all(without.values()) or not lines,
    )
    match widget.kind:
        case 'timeseries':
            return replace(panel, lines=tuple(lines))
        case 'query_table':
            return replace(panel, columns=tuple(formula.alias for formula, _ in columns), rows=tuple(_table(columns)))
        case 'query_value' if any(frame.keys for _, frame in columns):
            raise QueryError('a single value is grouped')
        case _:
            return replace(panel, rows=tuple(row for formula, frame in columns for row in _top(formula, frame)))


def _top(formula: _Formula, frame: Frame) -> list[Row]:
    rows = [Row(_label(formula.alias, group), (points[0],)) for group, points in frame.groups.items()]
    descending = formula.limit.get('order', 'desc') == 'desc'
    return sorted(rows, key=lambda row: row.values[0], reverse=descending)[: formula.limit.get('count', TOP)]


def _table(columns: list[tuple[_Formula, Frame]]) -> Iterator[Row]:
    """The groups, those with the most in the first column first."""
    first = columns[0][1].groups
    groups = dict.fromkeys(group for _, frame in columns for group in frame.groups)
    for group in sorted(groups, key=lambda each: -first.get(each, {0: -math.inf})[0])[
        : columns[0][0].limit.get('count', TOP)
    ]:
        yield Row(_label('', group), tuple(frame.groups.get(group, {}).get(0) for _, frame in columns))


def _check_status(widget: Widget, chosen: Chosen, recording: Recording) -> Panel:
    """How many groups gave each status at last."""
    definition = known(widget.definition, _LOOKS, _OF_CHECK, what='it', needed=['check'])
    if definition.get('grouping') != 'cluster':
        raise QueryError(f'the grouping {definition.get("grouping")!r} is not evaluated')
    wanted = [parse_filter(text, set(chosen)) for text in definition.get('tags') or ()]
    last: dict[Group, int] = {}
    for status in recording.statuses:
        if status.check == definition['check'] and all(each.matches(status.tags, chosen) for each in wanted):
            for group in grouped(status.tags, definition.get('group_by') or ()):
                last[group] = status.status
    numbers = Counter(last.values())
    rows = tuple(Row(state, (float(numbers[status]),)) for status, (state, _) in STATUSES.items())
    return Panel(widget, rows=rows, empty=not last)


def _label(alias: str, group: Group) -> str:
    values = ', '.join(tag.partition(':')[2] for tag in group)
    return ' '.join(each for each in (alias, values) if each)
