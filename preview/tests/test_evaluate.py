# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..evaluate import Span, calculated, interval_of, reduced, rolled_up, shown
from ..query import QueryError, parse_query
from .samples import recording, series

# Two runs in an interval of a minute.
SPAN = Span(180, 60)


def gauges():
    return recording(
        {
            'depth': [
                series('gauge', 'ns:a pod:1', 1, 3, 5, 5, None, 9, interval=30),
                series('gauge', 'ns:a pod:2', 10, 10, None, None, 20, 20, interval=30),
                series('gauge', 'ns:b pod:3', 7, 7, 7, 7, 7, 7, interval=30),
            ]
        },
        interval=30,
    )


def counts():
    return recording(
        {
            'errors.count': [series('count', 'ns:a', None, 1, 0, 2), series('count', 'ns:b', None, 0, 0, 0)],
            'all.count': [
                series('count', 'ns:a', None, 4, 0, 8),
                series('count', 'ns:b', None, 5, 5, 10),
                series('count', 'ns:c', None, 1, 1, 1),
            ],
        }
    )


def values(text, recording, span=SPAN, chosen=None):
    expression = parse_query(text, {'ns'})
    frame = calculated(expression, lambda query: rolled_up(query, recording, span, chosen or {}), span.instants)
    return frame.groups


@pytest.mark.parametrize(
    'text, expected',
    [
        # Each pod's average of an interval first: 2, 5, 9 and 10, nothing, 20 and 7, 7, 7.
        ('sum:depth{*}', {(): {0: 19, 60: 12, 120: 36}}),
        ('max:depth{*}', {(): {0: 10, 60: 7, 120: 20}}),
        ('min:depth{*}', {(): {0: 2, 60: 5, 120: 7}}),
        ('avg:depth{ns:a}', {(): {0: 6, 60: 5, 120: 14.5}}),
        ('sum:depth{*} by {ns}', {('ns:a',): {0: 12, 60: 5, 120: 29}, ('ns:b',): {0: 7, 60: 7, 120: 7}}),
        ('sum:depth{pod:1}.rollup(max)', {(): {0: 3, 60: 5, 120: 9}}),
        ('sum:depth{pod:1}.rollup(sum)', {(): {0: 4, 60: 10, 120: 9}}),
        ('sum:depth{pod:4}', {}),
        ('sum:unknown{*}', {}),
        ('default_zero(sum:unknown{*})', {(): {0: 0, 60: 0, 120: 0}}),
        ('default_zero(sum:unknown{*} by {ns})', {}),
        ('default_zero(sum:depth{pod:2})', {(): {0: 10, 60: 0, 120: 20}}),
    ],
)
def test_gauges_are_averaged_in_time_and_then_in_space(text, expected):
    assert values(text, gauges()) == expected


def test_a_group_of_series_without_the_tag_and_of_several_tags_of_its_key():
    recorded = recording(
        {'depth': [series('gauge', 'pod:1', 2), series('gauge', 'ns:a ns:b', 3), series('gauge', 'ns:b', 4)]}
    )

    assert values('sum:depth{*} by {ns}', recorded) == {('ns:a',): {0: 3}, ('ns:b',): {0: 7}, ('ns:N/A',): {0: 2}}


@pytest.mark.parametrize(
    'text, expected',
    [
        ('sum:all.count{ns:a}.as_count()', {(): {0: 4, 120: 8}}),
        ('sum:all.count{*}.as_count()', {(): {0: 10, 120: 25}}),
        ('sum:all.count{*}.as_rate()', {(): pytest.approx({0: 10 / 120, 120: 25 / 120})}),
        ('max:all.count{*}.as_count()', {(): {0: 5, 120: 15}}),
        ('sum:all.count{$ns}.as_count()', {(): {0: 5, 120: 15}}),
    ],
)
def test_counts_are_added_up_in_an_interval(text, expected):
    assert values(text, counts(), Span(240, 120), {'ns': 'ns:b'}) == expected


@pytest.mark.parametrize(
    'text, expected',
    [
        # Group c has no errors, and in its second minute group a has nothing to divide by.
        (
            '100 * sum:errors.count{*} by {ns}.as_count() / sum:all.count{*} by {ns}.as_count()',
            {('ns:a',): {60: 25, 180: 25}, ('ns:b',): {60: 0, 120: 0, 180: 0}},
        ),
        (
            'sum:all.count{*} by {ns}.as_count() / sum:all.count{*}.as_count()',
            {
                ('ns:a',): {60: 0.4, 120: 0, 180: 8 / 19},
                ('ns:b',): {60: 0.5, 120: 5 / 6, 180: 10 / 19},
                ('ns:c',): {60: 0.1, 120: 1 / 6, 180: 1 / 19},
            },
        ),
        ('sum:all.count{ns:a}.as_count() - sum:unknown{*}', {}),
        ('sum:all.count{ns:a}.as_count() - default_zero(sum:unknown{*})', {(): {60: 4, 120: 0, 180: 8}}),
        ('sum:all.count{ns:a}.as_count() - sum:all.count{ns:b}.as_count()', {(): {60: -1, 120: -5, 180: -2}}),
    ],
)
def test_arithmetic_joins_groups_and_instants(text, expected):
    assert values(text, counts(), Span(240, 60)) == expected


@pytest.mark.parametrize(
    'text, reason',
    [
        ('sum:all.count{*}', 'all.count is a count, which needs .as_count() or .as_rate()'),
        ('sum:all.count{*}.rollup(sum)', 'all.count is a count, which needs .as_count() or .as_rate()'),
        ('sum:all.count{*}.as_count().rollup(max)', 'all.count is a count, which is rolled up by sum and not by max'),
        (
            'sum:all.count{*} by {ns}.as_count() / sum:all.count{*} by {pod}.as_count()',
            'the sides of / have groups of different tags: ns and pod',
        ),
    ],
)
def test_what_has_no_meaning_is_an_error(text, reason):
    with pytest.raises(QueryError) as error:
        values(text, counts())
    assert str(error.value) == reason


def test_a_gauge_is_no_count():
    with pytest.raises(QueryError) as error:
        values('sum:depth{*}.as_rate()', gauges())
    assert str(error.value) == 'depth is a gauge, which cannot have .as_count() or .as_rate()'


@pytest.mark.parametrize('aggregator, expected', [('avg', 6), ('sum', 12), ('min', 4), ('max', 8), ('last', 8)])
def test_one_value_of_all(aggregator, expected):
    frame = rolled_up(parse_query('sum:all.count{ns:a}.as_count()'), counts(), Span(240, 120), {})

    assert reduced(frame, aggregator).groups == {(): {0: expected}}


@pytest.mark.parametrize(
    'minutes, interval, span',
    [
        (60, 15, Span(3600, 30)),
        (60, 20, Span(3600, 20)),
        (60, 60, Span(3600, 60)),
        (120, 15, Span(7200, 60)),
        (300, 15, Span(18000, 300)),
        (1500, 15, Span(90000, 3600)),
    ],
)
def test_the_interval_shown_has_the_same_number_of_runs_each_time(minutes, interval, span):
    assert shown(recording({}, minutes, interval)) == span


def test_queries_seen_together_have_one_interval():
    minute, hour = (parse_query(f'sum:a{{*}}.rollup(sum, {seconds})') for seconds in (60, 3600))

    assert interval_of([minute], 20) == 60
    assert interval_of([], 20) == 20
    with pytest.raises(QueryError, match='^the queries are rolled up by 60 and by 3600 seconds$'):
        interval_of([hour, minute], 20)
