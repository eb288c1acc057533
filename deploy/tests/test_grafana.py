# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The Grafana dashboard, without a server."""

import json
import re
from functools import cache

import pytest

from .dashboard import read, targets
from .monitored import DIRECTORY
from .promql import Series, check, selectors
from .stored import raw_series

OVERVIEW = DIRECTORY.parents[1] / 'kubeflow' / 'assets' / 'dashboards' / 'kubeflow_overview.json'


@cache
def known():
    """What is stored, with the label that a server of several clusters adds."""
    return {name: Series(each.kind, each.labels | {'cluster'}) for name, each in raw_series().items()}


def test_the_rows_are_those_of_the_datadog_dashboard():
    groups = [each['definition'] for each in json.loads(OVERVIEW.read_text(encoding='utf-8'))['widgets']]
    titles = [group['title'] for group in groups if group['type'] == 'group']
    assert [panel['title'] for panel in read()['panels'] if panel['type'] == 'row'] == titles
    assert len(titles) == 7


@pytest.mark.parametrize('target', targets(), ids=lambda target: f'{target.row}: {target.panel} {target.ref}')
def test_a_query_asks_for_what_is_stored(target):
    labels = check(target.expression, known())
    # The legend names what tells the series apart, and nothing else.
    assert set(re.findall(r'{{(\w+)}}', target.legend)) == labels
    # What chooses a cluster is in each selector that gives values.
    assert all(each[1].get('cluster') == '.*' for each in selectors(target.expression))


def test_every_chosen_value_is_one_of_a_label_there_is():
    variables = {each['name']: each for each in read()['templating']['list']}
    assert variables.pop('datasource')['query'] == 'prometheus'
    # MLServer and Triton have another label for the model, so its names come from the answer to a query.
    model = variables.pop('model')
    expression = re.fullmatch(r'query_result\((.*)\)', model['query']['query'])[1]
    assert check(expression, known()) == {'model_name'}
    pattern = re.fullmatch('/(.*)/', model['regex'])[1]
    assert re.search(pattern, '{model_name="iris"} 1 1767225600000')[1] == 'iris'
    for variable, each in variables.items():
        selector, label = re.fullmatch(r'label_values\((.*), (\w+)\)', each['query']['query']).groups()
        assert label == variable
        ((metric, matched),) = selectors(selector)
        assert all(label in known()[name].labels for name in (metric or matched['__name__']).split('|'))


def units(expression):
    """Those of which one fits a query."""
    if expression.startswith('100 * '):
        return {'percent'}
    if expression.startswith('avg by (job) (up'):
        return {'percentunit'}
    if re.search(r'_bytes(_sum|_bucket)?{', expression):
        return {'bytes'}
    if re.search(r'histogram_quantile| / |_unfinished_work_seconds{', expression):
        return {'s'}
    return {'ops', 'reqps'} if 'rate(' in expression else {'short'}


@pytest.mark.parametrize(
    'panel', [each for each in read()['panels'] if 'targets' in each], ids=lambda each: each['title']
)
def test_a_panel_has_the_unit_and_the_window_of_its_queries(panel):
    window = '$__rate_interval' if panel['type'] == 'timeseries' else '$__range'
    for target in panel['targets']:
        expression = target['expr']
        assert panel['fieldConfig']['defaults']['unit'] in units(expression)
        assert set(re.findall(r'\[(.*?)\]', expression)) <= {window}
        # Milliseconds.
        assert expression.endswith(' / 1000') == ('revision_app_request_latencies' in expression)
    references = [target['refId'] for target in panel['targets']]
    assert len(set(references)) == len(references)


def test_panels_do_not_overlap_and_fill_the_width():
    taken = set()
    for panel in read()['panels']:
        at = panel['gridPos']
        cells = {(at['x'] + x, at['y'] + y) for x in range(at['w']) for y in range(at['h'])}
        assert not cells & taken
        taken |= cells
    bottom = max(y for _, y in taken) + 1
    assert taken == {(x, y) for x in range(24) for y in range(bottom)}


def test_panels_are_of_one_datasource_and_have_ids_of_their_own():
    panels = read()['panels']
    # The one that links lead to.
    assert read()['uid'] == 'kubeflow-overview'
    assert len({panel['id'] for panel in panels}) == len(panels)
    source = {'type': 'prometheus', 'uid': '${datasource}'}
    for panel in panels:
        if panel['type'] != 'row':
            assert panel['datasource'] == source and all(each['datasource'] == source for each in panel['targets'])
            # What shows one value asks for one.
            assert all(each['instant'] == (panel['type'] != 'timeseries') for each in panel['targets'])
