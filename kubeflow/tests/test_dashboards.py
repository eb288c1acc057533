# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard: where its widgets stand, what they are called, and whether their queries can have an answer."""

import json
import re
from collections import Counter
from copy import deepcopy
from itertools import combinations
from pathlib import Path

import pytest

from preview.filters import variables
from preview.query import QueryError, metric_queries, parse_formula, parse_metric_monitor, parse_query

from .datadog_api import strangers
from .queries import faults, faults_of_shares

ROOT = Path(__file__).parents[1]
MANIFEST = json.loads((ROOT / 'manifest.json').read_text(encoding='utf-8'))
DASHBOARD = json.loads((ROOT / 'assets/dashboards/kubeflow_overview.json').read_text(encoding='utf-8'))
PREFIXES = {variable['name']: variable['prefix'] for variable in DASHBOARD['template_variables']}
HEALTH = json.loads((ROOT / 'assets/service_checks.json').read_text(encoding='utf-8'))[0]


def thresholds():
    """Those of each monitor on metrics, by the first metric of its query."""
    for path in sorted((ROOT / 'assets/monitors').iterdir()):
        definition = json.loads(path.read_text(encoding='utf-8'))['definition']
        if definition['type'] == 'query alert':
            [first, *_] = metric_queries(parse_metric_monitor(definition['query']).expression)
            yield first.metric, definition['options']['thresholds']


MONITORS = dict(thresholds())

COLUMNS = 12

# What has to be switched on before a metric is there; its widgets say so in their titles.
NEEDS = {
    'kubeflow.kserve.inference.request.bytes': 'request-metrics-protocol: prometheus',
    'kubeflow.kserve.inference.response.bytes': 'request-metrics-protocol: prometheus',
    'kubeflow.pipeline.api.grpc': 'Pipelines >= 2.16',
    'kubeflow.pipeline.recurring_run': 'Pipelines >= 2.16',
    'kubeflow.pipeline.run.duration': 'workflowDefaults',
    'kubeflow.pipeline.run.phase': 'Argo >= 3.6',
    'kubeflow.pipeline.scheduled_workflow': 'Pipelines >= 2.16',
}


def all_of(widgets):
    """The definitions of widgets, those in groups included."""
    for widget in widgets:
        definition = widget['definition']
        yield definition
        yield from all_of(definition.get('widgets', []))


WIDGETS = list(all_of(DASHBOARD['widgets']))
SHOWING = [definition for definition in WIDGETS if definition['type'] not in ('group', 'note')]
REQUESTS = [
    pytest.param(definition, request, id=definition['title'])
    for definition in SHOWING
    for request in definition.get('requests', [])
]


def queries_of(request):
    return {each['name']: parse_query(each['query'], set(PREFIXES)) for each in request['queries']}


def test_manifest_lists_the_files():
    files = {f'assets/dashboards/{path.name}' for path in (ROOT / 'assets/dashboards').iterdir()}

    assert sorted(MANIFEST['assets']['dashboards'].values()) == sorted(files)
    assert MANIFEST['assets']['dashboards'] == {DASHBOARD['title']: 'assets/dashboards/kubeflow_overview.json'}


def test_api_of_datadog_knows_everything_in_it():
    assert not strangers(DASHBOARD, 'dashboard')


def test_what_the_api_does_not_know_would_be_noticed():
    changed = deepcopy(DASHBOARD)
    changed['widgets'][1]['definition']['widgets'][1]['definition']['colour'] = 'red'
    changed['widgets'][2]['definition']['widgets'][0]['definition']['requests'][0]['queries'][0]['aggregator'] = (
        'newest'
    )
    changed['reflow_type'] = 'flowing'

    assert sorted(strangers(changed, 'dashboard')) == [
        'dashboard.reflow_type',
        'dashboard.widgets[1].definition.widgets[1].definition.colour',
        'dashboard.widgets[2].definition',
    ]


def test_rows_are_those_of_the_platform():
    groups = [widget['definition']['title'] for widget in DASHBOARD['widgets'] if 'widgets' in widget['definition']]

    assert groups == ['Health', 'Katib', 'KServe', 'Notebooks', 'Pipelines', 'Training', 'Controllers']


def test_titles_are_unique():
    titles = Counter(definition['title'] for definition in WIDGETS if definition['type'] != 'note')

    assert not [title for title, times in titles.items() if times > 1]


def overlaps(widgets):
    """What is wrong with where widgets stand in their grid."""
    places = [widget['layout'] for widget in widgets]
    for place in places:
        if min(place.values()) < 0 or not place['width'] * place['height'] or place['x'] + place['width'] > COLUMNS:
            yield f'{place} is outside the grid'
    for one, other in combinations(places, 2):
        apart = (
            one['x'] + one['width'] <= other['x']
            or other['x'] + other['width'] <= one['x']
            or one['y'] + one['height'] <= other['y']
            or other['y'] + other['height'] <= one['y']
        )
        if not apart:
            yield f'{one} and {other} overlap'


def test_widgets_stand_side_by_side():
    assert not list(overlaps(DASHBOARD['widgets']))
    for widget in DASHBOARD['widgets']:
        inside = widget['definition'].get('widgets', [])
        assert not list(overlaps(inside)), widget['definition']['title']
        if inside:
            rows = max(each['layout']['y'] + each['layout']['height'] for each in inside)
            # One row more for the title.
            assert widget['layout']['height'] == rows + 1
            assert widget['layout']['width'] == COLUMNS


def test_an_overlap_and_a_widget_outside_would_be_noticed():
    def at(x, y, width, height):
        return {'layout': {'x': x, 'y': y, 'width': width, 'height': height}}

    assert not list(overlaps([at(0, 0, 6, 2), at(6, 0, 6, 2), at(0, 2, 12, 1)]))
    assert list(overlaps([at(0, 0, 6, 2), at(5, 1, 6, 2)])) == [
        "{'x': 0, 'y': 0, 'width': 6, 'height': 2} and {'x': 5, 'y': 1, 'width': 6, 'height': 2} overlap"
    ]
    assert list(overlaps([at(8, 0, 5, 2)])) == ["{'x': 8, 'y': 0, 'width': 5, 'height': 2} is outside the grid"]
    assert list(overlaps([at(0, 0, 0, 2)])) == ["{'x': 0, 'y': 0, 'width': 0, 'height': 2} is outside the grid"]


@pytest.mark.parametrize('definition, request_', REQUESTS)
def test_queries_can_be_answered(definition, request_):
    queries = queries_of(request_)
    wrong = [fault for query in queries.values() for part in metric_queries(query) for fault in faults(part, PREFIXES)]
    used = set()
    for each in request_['formulas']:
        formula = parse_formula(each['formula'], set(queries))
        wrong += faults_of_shares(formula, queries)
        used |= set(re.findall(r'query\d+', each['formula']))

    assert not wrong
    assert used == set(queries)


@pytest.mark.parametrize('definition, request_', REQUESTS)
def test_a_scalar_is_put_together_as_its_type_asks(definition, request_):
    """Counts are added over the time frame, rates averaged; of a gauge there are the last value and the highest."""
    scalar = definition['type'] != 'timeseries'
    assert request_['response_format'] == ('scalar' if scalar else 'timeseries')
    for each, query in zip(request_['queries'], queries_of(request_).values(), strict=True):
        allowed = {'as_count': ['sum'], 'as_rate': ['avg'], '': ['last', 'max']}[query.modifier]
        assert each.get('aggregator') in (allowed if scalar else [None])


@pytest.mark.parametrize('definition, request_', REQUESTS)
def test_title_says_the_unit(definition, request_):
    """A table's columns say it themselves."""
    title, modifiers = definition['title'], {query.modifier for query in queries_of(request_).values()}
    units = [each.get('number_format', {}).get('unit', {}).get('unit_name', '') for each in request_['formulas']]
    said = {'': '', 'second': 'second', 'byte': 'bytes', 'percent': '%'}
    table = definition['type'] == 'query_table'
    for unit, formula in zip(units, request_['formulas'], strict=True):
        assert said[unit] in (formula['alias'] if table else title)
    assert ('%' in title) == (not table and (definition.get('custom_unit') == '%' or 'percent' in units))

    plain = not any(units) and 'custom_unit' not in definition
    assert ('per second' in title) == ('as_rate' in modifiers)
    assert ('in the time frame' in title) == (table or definition['type'] == 'toplist' and 'as_count' in modifiers)
    # What happened in an interval is a bar, what is there at a time no bar.
    bars = definition['type'] == 'timeseries' and plain and 'as_count' in modifiers
    assert (request_.get('display_type') == 'bars') == ('per interval' in title) == bars


@pytest.mark.parametrize('definition, request_', REQUESTS)
def test_error_ratio_is_0_before_the_first_error(definition, request_):
    queries = {name: query.metric for name, query in queries_of(request_).items()}
    errors = {name for name, metric in queries.items() if re.search(r'\.(failed|errors|metrics_unavailable)\.', metric)}
    for each in request_['formulas']:
        if '/' in each['formula']:
            numerator = each['formula'].partition('/')[0]
            for name in errors & set(re.findall(r'query\d+', numerator)):
                assert f'default_zero({name})' in numerator


@pytest.mark.parametrize('definition, request_', REQUESTS)
def test_title_says_what_has_to_be_switched_on(definition, request_):
    metrics = [query.metric for query in queries_of(request_).values()]
    needs = {need for metric in metrics for prefix, need in NEEDS.items() if metric.startswith(prefix)}

    assert all(need in definition['title'] for need in needs)


def test_every_metric_that_needs_something_is_shown():
    shown = {query.metric for each in REQUESTS for query in queries_of(each.values[1]).values()}

    assert not [prefix for prefix in NEEDS if not any(metric.startswith(prefix) for metric in shown)]


def numbers_of(formats):
    """The bound of each colour, which has to be met before the next one is looked at."""
    assert [each['comparator'] for each in formats] == ['>', '>', '<=']
    return {each['palette'].removeprefix('white_on_'): each['value'] for each in formats}


def test_a_coloured_value_has_the_thresholds_of_the_monitor_on_the_same_metric():
    """Yellow and red are the monitor's. A share far below that is green, and what lies between has no colour."""
    coloured = {}
    for each in REQUESTS:
        definition, request = each.values
        if 'conditional_formats' in request:
            colours = numbers_of(request['conditional_formats'])
            monitor = MONITORS[queries_of(request)['query1'].metric]
            assert (colours['red'], colours['yellow']) == (monitor['critical'], monitor['warning'])
            coloured[definition['title']] = colours['green']

    assert coloured == {
        'Reconciliations that failed (% of queue items)': 5,
        'Items in the fullest work queue (now)': 5,
        'Pipeline runs that failed (% of runs that ended; Argo >= 3.6)': 5,
        'Inferences that failed (% of inferences)': 1,
        'Trials that failed (% of trials that ended)': 5,
        'Trials without their metric (% of trials that ended)': 5,
        'Creation attempts that failed (% of attempts)': 5,
    }


def test_every_variable_is_used_and_chooses_nothing_at_first():
    used = Counter(
        variable
        for each in REQUESTS
        for query in queries_of(each.values[1]).values()
        for variable in set(variables(query.filter))
    )

    assert used.keys() == PREFIXES.keys()
    # Of several clusters every widget shows the one that was chosen.
    assert used['cluster'] == sum(len(each.values[1]['queries']) for each in REQUESTS)
    assert {tuple(variable['defaults']) for variable in DASHBOARD['template_variables']} == {('*',)}


def test_state_of_the_endpoints_is_that_of_the_service_check():
    [status] = [definition for definition in SHOWING if definition['type'] == 'check_status']

    assert status['check'] == HEALTH['check']
    assert status['group_by'] == HEALTH['groups']
    assert status['tags'] == ['$cluster']


COUNT = 'kubeflow.kserve.inferences.count'


@pytest.mark.parametrize(
    'query, fault',
    [
        ('sum:kubeflow.kserve.inference.count{*}.as_count()', 'kubeflow.kserve.inference.count is not in metadata.csv'),
        (
            'sum:kubeflow.katib.suggestion.created.count{*}.as_count()',
            'kubeflow.katib.suggestion.created.count comes from no component',
        ),
        (f'sum:{COUNT}{{*}}', f'{COUNT} is a count and needs .as_count() or .as_rate()'),
        (
            'sum:kubeflow.katib.trial.running.total{*}.as_rate()',
            'kubeflow.katib.trial.running.total is a gauge and has no .as_rate()',
        ),
        (
            'avg:kubeflow.pipeline.run.status{statust:failed}',
            'kubeflow.pipeline.run.status has no tag statust',
        ),
        ('avg:kubeflow.pipeline.run.status{status:failing}', 'kubeflow.pipeline.run.status has no tag status:failing'),
        ('avg:kubeflow.pipeline.run.status{$namespace}', 'kubeflow.pipeline.run.status has no tag namespace'),
        ('avg:kubeflow.pipeline.run.status{*} by {namespace}', 'kubeflow.pipeline.run.status has no tag namespace'),
        (
            f'sum:{COUNT}{{*}} by {{engine,grpc_method}}.as_count()',
            f'no series of {COUNT} has all of the tags engine, grpc_method',
        ),
        (
            'sum:kubeflow.pipeline.run.duration.seconds.bucket{*}.as_count()',
            'kubeflow.pipeline.run.duration.seconds.bucket needs one upper_bound',
        ),
        (
            'sum:kubeflow.kserve.inference.duration.seconds.bucket{upper_bound:10.0}.as_count()',
            'kubeflow.kserve.inference.duration.seconds.bucket has no upper_bound:10.0 from epp-0.16, epp-0.19, '
            'epp-0.20',
        ),
    ],
)
def test_a_query_without_an_answer_would_be_noticed(query, fault):
    [query] = metric_queries(parse_query(query, set(PREFIXES)))

    assert list(faults(query, PREFIXES)) == [fault]


def test_a_bucket_plotted_as_a_size_would_be_noticed():
    name = 'kubeflow.kserve.inference.duration.seconds'
    bucket = parse_query(f'sum:{name}.bucket{{upper_bound:1.0}}.as_count()')
    queries = {'bucket': bucket, 'count': parse_query(f'sum:{name}.count{{*}}.as_count()')}
    by_model = parse_query(f'sum:{name}.count{{*}} by {{model_name}}.as_count()')

    def wrong(formula, **more):
        names = queries | more
        return list(faults_of_shares(parse_formula(formula, set(names)), names))

    assert wrong('100 * bucket / count') == wrong('1 - default_zero(bucket) / count') == []
    noticed = [f'{name}.bucket is no share of its .count']
    assert wrong('bucket') == wrong('count / bucket') == wrong('bucket / by_model', by_model=by_model) == noticed


@pytest.mark.parametrize('scope', ['status:Failed', '$profile'])
def test_what_datadog_would_not_understand_would_be_noticed(scope):
    with pytest.raises(QueryError, match=scope.strip('$')):
        parse_query(f'sum:kubeflow.pipeline.run.status{{{scope}}}', set(PREFIXES))
