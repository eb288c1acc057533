# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..assets import AssetError
from ..dashboard import Place
from ..panels import Line, Row, panels
from .samples import CHECK, recording, scalar, series, statuses, timeseries, widget

RUNNING = 'kubeflow.katib.trial.running.total'
FAILED = 'kubeflow.katib.trial.failed.count'


@pytest.fixture
def recorded():
    return recording(
        {
            RUNNING: [series('gauge', 'namespace:a', 1, 2, 3), series('gauge', 'namespace:b', 5, 5, 5)],
            FAILED: [series('count', 'namespace:a', None, 1, 3), series('count', 'namespace:b', None, 0, 1)],
        },
        statuses=statuses('endpoint:x', 0, 0, 2) + statuses('endpoint:y', 0, 2, 0) + statuses('endpoint:z', 0, 0, 0),
    )


@pytest.fixture
def panel(dashboard, recorded):
    def panel(entry, **content):
        return panels(dashboard(entry, **content), recorded)[-1]

    return panel


def test_a_line_for_each_formula_and_group(panel):
    failed, running = f'sum:{FAILED}{{*}}.as_count()', f'sum:{RUNNING}{{*}} by {{namespace}}'
    shown = panel(
        widget(
            'timeseries',
            requests=[
                timeseries(running, formulas=[{'formula': 'query1 * 2', 'alias': 'twice'}]),
                timeseries(failed, display_type='bars'),
            ],
        )
    )

    assert shown.lines == (
        Line('twice a', {0: 2, 60: 4, 120: 6}, 'line', 60),
        Line('twice b', {0: 10, 60: 10, 120: 10}, 'line', 60),
        Line('', {60: 1, 120: 4}, 'bars', 60),
    )
    assert (shown.end, shown.empty) == (180, False)


def test_a_single_value(panel):
    assert panel(widget('query_value', requests=[scalar(f'sum:{RUNNING}{{*}}', 'last')])).rows == (Row('', (8,)),)
    assert panel(widget('query_value', requests=[scalar(f'sum:{FAILED}{{*}}.as_count()')])).rows == (Row('', (5,)),)


def test_formulas_of_single_values_come_after_the_aggregation(panel):
    request = scalar(f'sum:{FAILED}{{namespace:a}}.as_count()', formula='query1 / query2')
    request['queries'].append(
        {'name': 'query2', 'data_source': 'metrics', 'query': f'max:{RUNNING}{{*}}', 'aggregator': 'max'}
    )

    assert panel(widget('query_value', requests=[request])).rows == (Row('', (0.8,)),)


def test_a_list_has_the_highest_first_and_no_more_than_its_limit(panel):
    query = f'sum:{FAILED}{{*}} by {{namespace}}.as_count()'

    assert panel(widget('toplist', requests=[scalar(query)])).rows == (Row('a', (4,)), Row('b', (1,)))
    lowest = scalar(query, limit={'count': 1, 'order': 'asc'})
    assert panel(widget('toplist', requests=[lowest])).rows == (Row('b', (1,)),)


def test_a_list_and_a_table_have_ten_rows_where_they_do_not_say_how_many(dashboard):
    recorded = recording({'depth': [series('gauge', f'queue:q{number}', number) for number in range(12)]})
    request = scalar('sum:depth{*} by {queue}', 'max')
    five = scalar('sum:depth{*} by {queue}', 'max', limit={'count': 5})
    shown = [
        panel.rows
        for kind in ('toplist', 'query_table')
        for panel in panels(dashboard(widget(kind, requests=[request]), widget(kind, requests=[five])), recorded)
    ]

    assert [len(rows) for rows in shown] == [10, 5, 10, 5]
    assert {rows[0] for rows in shown} == {Row('q11', (11,))}


def test_a_table_has_a_column_for_each_formula(panel):
    request = scalar(f'sum:{RUNNING}{{*}} by {{namespace}}', 'max', alias='running')
    failed = f'sum:{FAILED}{{namespace:a}} by {{namespace}}.as_count()'
    request['queries'].append({'name': 'query2', 'data_source': 'metrics', 'query': failed, 'aggregator': 'sum'})
    request['formulas'].append({'formula': 'query2', 'alias': 'failed'})
    shown = panel(widget('query_table', requests=[request]))

    assert shown.columns == ('running', 'failed')
    assert shown.rows == (Row('b', (5, None)), Row('a', (3, 4)))


def test_endpoints_are_counted_by_their_last_status(panel):
    entry = widget('check_status', check=CHECK, grouping='cluster', group_by=['endpoint'], tags=['$cluster'])
    variables = [{'name': 'cluster', 'prefix': 'endpoint', 'defaults': ['*']}]

    assert panel(entry, template_variables=variables).rows == (Row('OK', (2,)), Row('WARN', (0,)), Row('ALERT', (1,)))
    variables[0]['defaults'] = ['y']
    assert panel(entry, template_variables=variables).rows == (Row('OK', (1,)), Row('WARN', (0,)), Row('ALERT', (0,)))


def test_a_template_variable_has_its_default(panel):
    entry = widget('query_value', requests=[scalar(f'sum:{RUNNING}{{$ns}}', 'max')])
    variables = [{'name': 'ns', 'prefix': 'namespace', 'defaults': ['b']}]

    assert panel(entry, template_variables=variables).rows == (Row('', (5,)),)


def test_zeros_alone_are_no_data(panel):
    formulas = [{'formula': 'default_zero(query1)'}, {'formula': 'query2'}]
    absent = panel(widget('timeseries', requests=[timeseries('sum:absent{*}', formulas=formulas[:1])]))
    partly = panel(
        widget('timeseries', requests=[timeseries('sum:absent{*}', f'sum:{RUNNING}{{*}}', formulas=formulas)])
    )

    assert (absent.empty, absent.without) == (True, ('absent',))
    assert (partly.empty, partly.without) == (False, ('absent',))


def test_a_division_by_nothing_is_no_data(panel):
    request = timeseries(f'sum:{RUNNING}{{*}}', formulas=[{'formula': 'query1 / 0'}])

    assert panel(widget('timeseries', requests=[request])).empty


def test_the_grid_has_a_line_for_the_title_of_a_group(dashboard):
    note = widget('note', content='text', width=12, height=2)
    group = widget('group', 'Katib', y=2, width=12, height=4, widgets=[widget('note', x=4, y=1)])

    assert [(each.kind, each.place) for each in dashboard(note, group).widgets] == [
        ('note', Place(0, 0, 12, 2)),
        ('group', Place(0, 2, 12, 1)),
        ('note', Place(4, 4, 4, 3)),
    ]


@pytest.mark.parametrize(
    'entry, reason',
    [
        (
            widget('query_value', 'Trials', requests=[scalar('p95:a{*}')]),
            "widget 'Trials': query 'p95:a{*}': ':a' at position 4 is outside the language",
        ),
        (
            widget('timeseries', 'Trials', requests=[timeseries('sum:a{*}', formulas=[{'formula': 'top(query1)'}])]),
            "widget 'Trials': formula 'top(query1)': '(' at position 4 is outside the language",
        ),
        (
            widget('timeseries', 'Trials', requests=[timeseries(f'sum:{FAILED}{{*}}')]),
            f"widget 'Trials': {FAILED} is a count, which needs .as_count() or .as_rate()",
        ),
        (
            widget('query_value', 'Trials', requests=[scalar(f'sum:{RUNNING}{{*}} by {{namespace}}')]),
            "widget 'Trials': a single value is grouped",
        ),
        (
            widget('toplist', 'Trials', requests=[scalar('sum:a{*}', 'percentile')]),
            "widget 'Trials': query 'sum:a{*}': the aggregator 'percentile' is not evaluated",
        ),
        (
            widget('query_value', 'Trials', requests=[timeseries('sum:a{*}')]),
            "widget 'Trials': the response format 'timeseries' is not one of this widget",
        ),
        (
            widget('timeseries', 'Trials', requests=[timeseries('sum:a{$ns}')]),
            "widget 'Trials': query 'sum:a{$ns}': there is no template variable 'ns'",
        ),
        (
            widget('timeseries', 'Trials', requests=[{'q': 'sum:a{*}', 'response_format': 'timeseries'}]),
            "widget 'Trials': a request has 'q', which is not evaluated",
        ),
        (
            widget('timeseries', 'Trials', requests=[], events=[]),
            "widget 'Trials': it has 'events', which is not evaluated",
        ),
        (widget('toplist', 'Trials'), "widget 'Trials': it has no 'requests'"),
        (
            widget('toplist', 'Trials', requests=[], time={'live_span': '1h'}),
            "widget 'Trials': it has 'time', which is not evaluated",
        ),
        (widget('heatmap', 'Trials'), "widget 'Trials': the type 'heatmap' is not evaluated"),
        (widget('note', x=9), 'widget 1 of the dashboard: it is not within the 12 columns'),
    ],
)
def test_what_cannot_be_evaluated_is_told_with_its_place(panel, entry, reason):
    with pytest.raises(AssetError) as error:
        panel(entry)
    assert str(error.value) == f'overview.json: {reason}'
