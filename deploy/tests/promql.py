# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is wrong with a PromQL expression, told which series there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import promql_parser as promql

COUNTER, GAUGE, BUCKET = 'counter', 'gauge', 'bucket'

# Functions of counters alone, and of gauges alone.
OF_COUNTERS = {'rate', 'irate', 'increase'}
OF_GAUGES = {'delta', 'deriv', 'idelta', 'predict_linear', 'avg_over_time', 'min_over_time', 'max_over_time'}
SETS = {'and', 'or', 'unless'}


@dataclass(frozen=True)
class Series:
    """What is known of a metric: counter, gauge or bucket of a histogram, and every label it may have."""

    kind: str
    labels: frozenset[str]


@dataclass(frozen=True)
class _Result:
    """What an expression gives: `labels` are None for a scalar, `raw` holds the metrics it is still a sample of."""

    labels: frozenset[str] | None = None
    raw: frozenset[str] = frozenset()


class Fault(Exception):
    """An expression that cannot mean what it says, in one sentence."""


def selectors(text: str) -> list[tuple[str, dict[str, str]]]:
    """The metric and the matched labels with their values of each selector. Raises `ValueError` for no PromQL."""
    found = []

    def visit(node):
        if isinstance(node, promql.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql.VectorSelector):
            found.append((node.name, {each.name: each.value for each in node.matchers.matchers}))

    promql.walk(promql.parse(text), visit)
    return found


def check(text: str, known: Mapping[str, Series]) -> frozenset[str]:
    """The labels that the result may have. Raises `Fault`, `ValueError` for what is no PromQL."""
    result = _check(promql.parse(text), known)
    _no_raw_counter(result, known, text)
    return result.labels or frozenset()


def _check(node, known) -> _Result:
    if isinstance(node, (promql.NumberLiteral, promql.StringLiteral)):
        return _Result()
    if isinstance(node, promql.MatrixSelector):
        return _check(node.vector_selector, known)
    if isinstance(node, promql.VectorSelector):
        return _selected(node, known)
    if isinstance(node, promql.Call):
        return _call(node, known)
    if isinstance(node, promql.AggregateExpr):
        return _aggregate(node, known)
    if isinstance(node, promql.BinaryExpr):
        return _binary(node, known)
    return _check(node.expr, known)


def _selected(node, known) -> _Result:
    if node.name not in known:
        raise Fault(f'no component exposes {node.name}')
    labels = known[node.name].labels
    for each in node.matchers.matchers:
        if each.name not in labels:
            raise Fault(f'{node.name} has no label {each.name}')
    return _Result(labels, frozenset({node.name}))


def _call(node, known) -> _Result:
    name = node.func.name
    results = [_check(each, known) for each in node.args]
    vectors = [each for each in results if each.labels is not None]
    if name == 'label_replace':
        target, source = node.args[1].val, node.args[3].val
        if source not in vectors[0].labels:
            raise Fault(f'label_replace reads {source}, which there is not')
        return _Result(vectors[0].labels | {target}, vectors[0].raw)
    if name in OF_COUNTERS | OF_GAUGES:
        for metric in vectors[0].raw:
            if (known[metric].kind == GAUGE) != (name in OF_GAUGES):
                raise Fault(f'{name} of {metric}, which is a {known[metric].kind}')
        return _Result(vectors[0].labels)
    if name == 'histogram_quantile':
        if 'le' not in vectors[0].labels or vectors[0].raw:
            raise Fault('histogram_quantile needs the rate of buckets by le')
        return _Result(vectors[0].labels - {'le'})
    return vectors[0] if vectors else _Result(frozenset())


def _aggregate(node, known) -> _Result:
    inner = _check(node.expr, known)
    op = str(node.op)
    if op != 'count':
        _no_raw_counter(inner, known, op)
    if op in ('topk', 'bottomk'):
        return inner
    named = frozenset(node.modifier.labels) if node.modifier else frozenset()
    if strange := named - inner.labels:
        raise Fault(f'{op} by {min(strange)}, which there is not')
    if node.modifier and node.modifier.type == promql.AggModifierType.Without:
        return _Result(inner.labels - named)
    return _Result(named)


def _binary(node, known) -> _Result:
    left, right = _check(node.lhs, known), _check(node.rhs, known)
    op = str(node.op)
    if left.labels is None or right.labels is None:
        return left if right.labels is None else right
    matching = node.modifier.matching if node.modifier else None
    if matching:
        for label in matching.labels:
            if label not in left.labels & right.labels:
                raise Fault(f'{op} on {label}, which not both sides have')
    elif op not in SETS and left.labels != right.labels:
        raise Fault(f'{op} between series by {sorted(left.labels)} and by {sorted(right.labels)}')
    if op == 'or':
        return _Result(left.labels | right.labels, left.raw | right.raw)
    if op == 'unless' and left.raw == right.raw:
        # Series that were not there before: all they count is new.
        return _Result(left.labels)
    return left if op in SETS else _Result(left.labels)


def _no_raw_counter(result: _Result, known, where: str) -> None:
    for metric in result.raw:
        if known[metric].kind != GAUGE:
            raise Fault(f'{where} takes the value of {metric}, which is a {known[metric].kind}')
