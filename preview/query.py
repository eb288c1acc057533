# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Queries of dashboards and monitors as objects. The language is that of `query.lark`."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput

from . import filters
from .filters import Filter

SECONDS = {'m': 60, 'h': 3600, 'd': 86400}


class QueryError(Exception):
    """A query outside the language, or without meaning on what was submitted; the message is a clause."""


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Reference:
    """Another query by its name, in a formula, which has it at `position`."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class MetricQuery:
    """`modifier` is as_count, as_rate or ''; `rollup` a method or ''; `seconds` None for the default interval."""

    aggregator: str
    metric: str
    filter: Filter
    groups: tuple[str, ...] = ()
    modifier: str = ''
    rollup: str = ''
    seconds: int | None = None


@dataclass(frozen=True)
class DefaultZero:
    inner: Expression


@dataclass(frozen=True)
class Operation:
    """`symbol` is one of + - * /."""

    symbol: str
    left: Expression
    right: Expression


Expression = Number | Reference | MetricQuery | DefaultZero | Operation


@dataclass(frozen=True)
class MetricMonitor:
    """`window` is in seconds; `method` makes one value of those in it, which `comparison` holds to `threshold`."""

    method: str
    window: int
    expression: Expression
    comparison: str
    threshold: float


@dataclass(frozen=True)
class CheckMonitor:
    """A service check: `over` these tags, by `groups`, the `last` statuses."""

    check: str
    over: tuple[str, ...]
    groups: tuple[str, ...]
    last: int


def parse_query(text: str, variables: Set[str] = frozenset()) -> Expression:
    """An expression over metrics, in which these template variables may stand. Raises `QueryError`."""
    return _of_metrics(_parse('expression', text), variables)


def parse_formula(text: str, names: set[str]) -> Expression:
    """An expression over queries of these names. Raises `QueryError`."""
    expression = _parse('expression', text)
    for leaf in leaves(expression):
        if isinstance(leaf, MetricQuery):
            raise QueryError(f'a formula names queries, and here stands one of {leaf.metric}')
        if isinstance(leaf, Reference) and leaf.name not in names:
            raise QueryError(f'there is no query {leaf.name!r}, at position {leaf.position}')
    return expression


def parse_metric_monitor(text: str) -> MetricMonitor:
    """The query of a monitor of the type `query alert`. Raises `QueryError`."""
    monitor = _parse('metric_monitor', text)
    _of_metrics(monitor.expression, frozenset())
    return monitor


def parse_check_monitor(text: str) -> CheckMonitor:
    """The query of a monitor of the type `service check`. Raises `QueryError`."""
    return _parse('check_monitor', text)


def parse_filter(text: str, variables: Set[str] = frozenset()) -> Filter:
    """What may stand between the braces of a query. Raises `QueryError`."""
    return _with_variables(_parse('filter', text), variables)


def leaves(expression: Expression) -> Iterator[Number | Reference | MetricQuery]:
    """What an expression is made of, from left to right."""
    match expression:
        case DefaultZero(inner):
            yield from leaves(inner)
        case Operation(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case _:
            yield expression


def metric_queries(expression: Expression) -> list[MetricQuery]:
    """The queries of metrics in an expression, from left to right."""
    return [leaf for leaf in leaves(expression) if isinstance(leaf, MetricQuery)]


def _of_metrics(expression: Expression, variables: Set[str]) -> Expression:
    for leaf in leaves(expression):
        if isinstance(leaf, Reference):
            raise QueryError(f'{leaf.name!r} at position {leaf.position} is no query of a metric')
        if isinstance(leaf, MetricQuery):
            _with_variables(leaf.filter, variables)
    return expression


def _with_variables(condition: Filter, names: Set[str]) -> Filter:
    for name in filters.variables(condition):
        if name not in names:
            raise QueryError(f'there is no template variable {name!r}')
    return condition


@lru_cache
def _parser() -> Lark:
    grammar = Path(__file__).with_suffix('.lark').read_text(encoding='utf-8')
    starts = ['expression', 'filter', 'metric_monitor', 'check_monitor']
    return Lark(grammar, parser='lalr', start=starts, transformer=_Builder())


def _parse(start: str, text: str) -> Any:
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        if isinstance(error, UnexpectedCharacters):
            found = text[error.pos_in_stream]
        elif error.token.type == '$END':
            raise QueryError(f'it ends too early, at position {len(text) + 1}') from None
        else:
            found = str(error.token)
        raise QueryError(f'{found!r} at position {error.pos_in_stream + 1} is outside the language') from None


@v_args(inline=True)
class _Builder(Transformer):
    """Makes the objects while the text is read; a method has the name of what it makes in the grammar."""

    def number(self, text: Token) -> Number:
        return Number(float(text))

    def negative(self, inner: Expression) -> Operation:
        return Operation('*', Number(-1.0), inner)

    def reference(self, name: Token) -> Reference:
        return Reference(str(name), name.start_pos + 1)

    def default_zero(self, inner: Expression) -> DefaultZero:
        return DefaultZero(inner)

    def add(self, left: Expression, right: Expression) -> Operation:
        return Operation('+', left, right)

    def subtract(self, left: Expression, right: Expression) -> Operation:
        return Operation('-', left, right)

    def multiply(self, left: Expression, right: Expression) -> Operation:
        return Operation('*', left, right)

    def divide(self, left: Expression, right: Expression) -> Operation:
        return Operation('/', left, right)

    def metric_query(self, aggregator, metric, condition, groups, modifier, rollup) -> MetricQuery:
        return MetricQuery(
            str(aggregator), str(metric), condition, groups or (), modifier or '', *(rollup or ('', None))
        )

    def grouping(self, *keys: Token) -> tuple[str, ...]:
        return tuple(map(str, keys))

    def modifier(self, name: Token) -> str:
        return str(name)

    def rollup(self, method: Token, seconds: Token | None) -> tuple[str, int | None]:
        return str(method), int(seconds) if seconds else None

    def anything(self) -> Filter:
        return filters.Anything()

    def tag(self, text: Token) -> Filter:
        return filters.Tag(_lower(text))

    def variable(self, name: Token) -> Filter:
        return filters.Variable(str(name))

    def negation(self, part: Filter) -> Filter:
        return filters.Not(part)

    def all_of(self, *parts: Filter) -> Filter:
        return filters.AllOf(parts)

    def any_of(self, *parts: Filter) -> Filter:
        return filters.AnyOf(parts)

    def one_of(self, key: Token, *values: Token) -> Filter:
        return filters.AnyOf(tuple(filters.Tag(f'{key}:{_lower(value)}') for value in values))

    def none_of(self, key: Token, *values: Token) -> Filter:
        return filters.Not(self.one_of(key, *values))

    def texts(self, *texts: Token) -> tuple[str, ...]:
        return tuple(text[1:-1] for text in texts)

    def metric_monitor(self, method, window, expression, comparison, threshold) -> MetricMonitor:
        seconds = int(window[:-1]) * SECONDS[window[-1]]
        return MetricMonitor(str(method), seconds, expression, str(comparison), float(threshold))

    def check_monitor(self, check, over, groups, last) -> CheckMonitor:
        return CheckMonitor(check[1:-1], over, groups, int(last))


def _lower(text: Token) -> str:
    """A tag as Datadog keeps it."""
    if text != text.lower():
        raise QueryError(f'{str(text)!r} at position {text.start_pos + 1} has capitals, and Datadog keeps tags without')
    return str(text)
