# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..filters import AllOf, AnyOf, Anything, Not, Tag, Variable
from ..query import (
    CheckMonitor,
    DefaultZero,
    MetricMonitor,
    MetricQuery,
    Number,
    Operation,
    QueryError,
    Reference,
    parse_check_monitor,
    parse_filter,
    parse_formula,
    parse_metric_monitor,
    parse_query,
)

SUM = MetricQuery('sum', 'a.count', Anything())


def test_every_part_of_a_metric_query():
    text = 'max:kubeflow.a_b.count{x:y} by {model_name, kube_namespace}.as_count().rollup(sum, 60)'

    assert parse_query(text) == MetricQuery(
        'max', 'kubeflow.a_b.count', Tag('x:y'), ('model_name', 'kube_namespace'), 'as_count', 'sum', 60
    )


@pytest.mark.parametrize(
    'text, modifier, rollup, seconds',
    [
        ('sum:a.count{*}', '', '', None),
        ('sum:a.count{*}.as_rate()', 'as_rate', '', None),
        ('sum:a.count{*}.rollup(max)', '', 'max', None),
    ],
)
def test_what_may_be_left_out(text, modifier, rollup, seconds):
    assert parse_query(text) == MetricQuery('sum', 'a.count', Anything(), (), modifier, rollup, seconds)


@pytest.mark.parametrize(
    'text, condition',
    [
        ('*', Anything()),
        ('a:b', Tag('a:b')),
        ('endpoint:http://10.0.0.1:8080/metrics', Tag('endpoint:http://10.0.0.1:8080/metrics')),
        ('a:b*', Tag('a:b*')),
        ('$ns', Variable('ns')),
        ('!a:b', Not(Tag('a:b'))),
        ('NOT a:b', Not(Tag('a:b'))),
        ('a:b,c:d', AllOf((Tag('a:b'), Tag('c:d')))),
        ('a:b AND $ns', AllOf((Tag('a:b'), Variable('ns')))),
        ('a:b OR c:d AND e:f', AnyOf((Tag('a:b'), AllOf((Tag('c:d'), Tag('e:f')))))),
        ('(a:b OR c:d) AND e:f', AllOf((AnyOf((Tag('a:b'), Tag('c:d'))), Tag('e:f')))),
        ('a IN (b,c)', AnyOf((Tag('a:b'), Tag('a:c')))),
        ('a NOT IN (b, c)', Not(AnyOf((Tag('a:b'), Tag('a:c'))))),
    ],
)
def test_filters(text, condition):
    assert parse_filter(text, {'ns'}) == condition


@pytest.mark.parametrize(
    'text, matches',
    [
        ('*', True),
        ('namespace:team-nlp', True),
        ('namespace:team-*', True),
        ('namespace:team', False),
        ('$all', True),
        ('$one', True),
        ('$other', False),
        ('!status:failed', False),
        ('namespace IN (team-a,team-nlp)', True),
        ('namespace NOT IN (team-a,team-nlp)', False),
        ('namespace:team-nlp,status:succeeded', False),
        ('namespace:team-nlp OR status:succeeded', True),
    ],
)
def test_which_series_a_filter_means(text, matches):
    chosen = {'all': '*', 'one': 'namespace:team-nlp', 'other': 'namespace:team-a'}

    assert parse_filter(text, set(chosen)).matches({'namespace:team-nlp', 'status:failed'}, chosen) is matches


def test_arithmetic_binds_as_usual():
    assert parse_formula('-a + 2 * (b - 1.5e-3) / default_zero(c)', {'a', 'b', 'c'}) == Operation(
        '+',
        Operation('*', Number(-1.0), Reference('a')),
        Operation(
            '/',
            Operation('*', Number(2.0), Operation('-', Reference('b'), Number(0.0015))),
            DefaultZero(Reference('c')),
        ),
    )


def test_monitors_of_metrics():
    assert parse_metric_monitor('sum(last_15m):100 * sum:a.count{*} >= -2.5') == MetricMonitor(
        'sum', 900, Operation('*', Number(100.0), SUM), '>=', -2.5
    )
    assert parse_metric_monitor('avg(last_2h):sum:a.count{*} < 1').window == 7200


def test_monitors_of_a_service_check():
    text = '"kubeflow.openmetrics.health".over("a:b","c:d").by("endpoint").last(4).count_by_status()'

    assert parse_check_monitor(text) == CheckMonitor('kubeflow.openmetrics.health', ('a:b', 'c:d'), ('endpoint',), 4)


@pytest.mark.parametrize(
    'text, reason',
    [
        ('sum:a.count{*', 'it ends too early, at position 14'),
        ('p95:a.count{*}', "':a.count' at position 4 is outside the language"),
        ('sum:a.count{*}.fill(zero)', "'fill' at position 16 is outside the language"),
        ('sum:a.count{status}', "'}' at position 19 is outside the language"),
        ('sum:a.count{*}.rollup(sum, 60).as_count()', "'.as_count' at position 31 is outside the language"),
        ('sum:a.count{~}', "'~' at position 13 is outside the language"),
        ('sum:a.count{status:Failed}', "'status:Failed' at position 13 has capitals, and Datadog keeps tags without"),
        ('sum:a.count{a IN (B)}', "'B' at position 19 has capitals, and Datadog keeps tags without"),
        ('query1 / 2', "'query1' at position 1 is no query of a metric"),
        ('top(sum:a.count{*}, 10)', "'(' at position 4 is outside the language"),
    ],
)
def test_what_is_outside_the_language_is_told_with_its_position(text, reason):
    with pytest.raises(QueryError) as error:
        parse_query(text)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    'text, reason',
    [
        ('1 + query3', "there is no query 'query3', at position 5"),
        ('query1 + sum:a.count{*}', 'a formula names queries, and here stands one of a.count'),
        ('', 'it ends too early, at position 1'),
    ],
)
def test_formulas_name_queries_that_are_there(text, reason):
    with pytest.raises(QueryError) as error:
        parse_formula(text, {'query1', 'query2'})
    assert str(error.value) == reason


@pytest.mark.parametrize(
    'text, reason',
    [
        ('sum(last_15m):sum:a.count{*}', 'it ends too early, at position 29'),
        ('sum(last_15x):sum:a.count{*} > 1', "'15' at position 10 is outside the language"),
        ('percentile(last_15m):sum:a.count{*} > 1', "'percentile' at position 1 is outside the language"),
        ('sum(last_15m):query1 > 1', "'query1' at position 15 is no query of a metric"),
    ],
)
def test_a_monitor_that_is_none_is_told_with_its_position(text, reason):
    with pytest.raises(QueryError) as error:
        parse_metric_monitor(text)
    assert str(error.value) == reason
