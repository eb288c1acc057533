# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The recommended monitors: what each watches, when it alarms and is over, and what it says."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from preview.query import (
    CheckMonitor,
    Number,
    Operation,
    leaves,
    metric_queries,
    parse_check_monitor,
    parse_metric_monitor,
)

from .datadog_api import strangers
from .queries import AGENT_TAGS, divisions, faults, faults_of_shares, kinds

ROOT = Path(__file__).parents[1]
MANIFEST = json.loads((ROOT / 'manifest.json').read_text(encoding='utf-8'))
HEALTH = json.loads((ROOT / 'assets/service_checks.json').read_text(encoding='utf-8'))[0]
MONITORS = {
    path.stem: json.loads(path.read_text(encoding='utf-8')) for path in sorted((ROOT / 'assets/monitors').iterdir())
}

# What names the culprit, the cluster aside.
CULPRITS = {
    'controller_reconcile_errors': {'kubeflow_component', 'controller'},
    'controller_workqueue_stuck': {'kubeflow_component', 'controller'},
    'endpoint_not_scrapable': {'endpoint'},
    'inference_errors': {'kube_namespace'},
    'inference_latency': {'kube_namespace', 'model_name'},
    'katib_trials_failing': {'namespace'},
    'katib_trials_without_metrics': {'namespace'},
    'notebook_creation_failing': {'namespace'},
    'pipeline_runs_failing': {'namespace'},
    # No tag of these metrics tells more.
    'pipeline_runs_failing_argo_3_5': set(),
    'pipeline_runs_pending': set(),
    'recurring_runs_late': set(),
}

# Datadog shows no more of a title, of a description.
TITLE, DESCRIPTION = 60, 300


def query_of(monitor):
    definition = monitor['definition']
    if definition['type'] == 'service check':
        return parse_check_monitor(definition['query'])
    return parse_metric_monitor(definition['query'])


QUERIES = {name: query_of(monitor) for name, monitor in MONITORS.items()}
METRIC = [name for name, query in QUERIES.items() if not isinstance(query, CheckMonitor)]
RATIOS = [name for name in METRIC if list(divisions(QUERIES[name].expression))]


def groups_of(name):
    query = QUERIES[name]
    if isinstance(query, CheckMonitor):
        return set(query.groups)
    [groups] = {each.groups for each in metric_queries(query.expression)}
    return set(groups)


def test_files_are_those_of_the_manifest():
    assert MONITORS.keys() == CULPRITS.keys()
    assert MANIFEST['assets']['monitors'] == {
        monitor['title']: f'assets/monitors/{name}.json' for name, monitor in MONITORS.items()
    }


@pytest.mark.parametrize('name', MONITORS)
def test_head(name):
    monitor = MONITORS[name]
    assert list(monitor) == ['version', 'created_at', 'last_updated_at', 'title', 'description', 'tags', 'definition']
    assert monitor['version'] == 2
    assert date.fromisoformat(monitor['created_at']) <= date.fromisoformat(monitor['last_updated_at'])
    assert monitor['tags'] == monitor['definition']['tags'] == ['integration:kubeflow']
    assert len(monitor['title']) <= TITLE
    assert len(monitor['description']) <= DESCRIPTION
    assert monitor['definition']['name'].startswith('[Kubeflow] ')


@pytest.mark.parametrize('name', MONITORS)
def test_api_of_datadog_knows_everything_in_it(name):
    assert not strangers(MONITORS[name]['definition'], 'monitor')


@pytest.mark.parametrize('name', MONITORS)
def test_groups_name_the_culprit(name):
    assert groups_of(name) == {'kube_cluster_name'} | CULPRITS[name]


@pytest.mark.parametrize('name', METRIC)
def test_query_can_be_answered(name):
    expression = QUERIES[name].expression
    queries = metric_queries(expression)

    assert not [fault for query in queries for fault in faults(query, {})]
    assert not list(faults_of_shares(expression, {}))


@pytest.mark.parametrize('name', METRIC)
def test_window_puts_together_what_fits_the_metric(name):
    """Counts are added over the window; of a gauge it is the least for what lasts, and the average for a share."""
    query = QUERIES[name]
    [kind] = {kinds()[each.metric] for each in metric_queries(query.expression)}
    assert query.method == ('sum' if kind == 'count' else 'avg' if name in RATIOS else 'min')


@pytest.mark.parametrize('name', RATIOS)
def test_ratio_of_little_traffic_is_damped(name):
    """One failure of one is no alarm: a number is added to what is divided by, more where less is enough to alarm."""
    [(_, divisor)] = divisions(QUERIES[name].expression)
    match divisor:
        case Operation('+', _, Number(added)):
            pass
        case _:
            pytest.fail('nothing is added to the divisor')

    percent = [leaf.value for leaf in leaves(QUERIES[name].expression) if leaf == Number(100)]
    if percent:
        assert 100 * 1 / (1 + added) <= QUERIES[name].threshold
    assert re.search(rf'\b{added:g} (is|are) added to ', MONITORS[name]['definition']['message'])
    words = {1: 'One', 3: 'Three', 5: 'Five', 10: 'Ten'}
    assert words.get(added, f'{added:g}') in MONITORS[name]['description']


@pytest.mark.parametrize('name', METRIC)
def test_thresholds(name):
    """Each level alarms above its number and is over at one below it; the warning comes first."""
    query, thresholds = QUERIES[name], MONITORS[name]['definition']['options']['thresholds']
    assert list(thresholds) == ['critical', 'critical_recovery', 'warning', 'warning_recovery']
    assert query.comparison == '>'
    assert thresholds['critical'] == query.threshold
    assert thresholds['critical'] > thresholds['critical_recovery'] >= thresholds['warning']
    assert thresholds['warning'] > thresholds['warning_recovery'] > 0


def test_thresholds_of_the_service_check_are_for_the_statuses_it_has():
    query, options = QUERIES['endpoint_not_scrapable'], MONITORS['endpoint_not_scrapable']['definition']['options']

    assert query.check == HEALTH['check']
    assert query.over == ('*',)
    assert options['thresholds'].keys() == set(HEALTH['statuses'])
    assert set(HEALTH['groups']) | AGENT_TAGS >= set(query.groups)
    # Datadog asks for more answers than the highest threshold, and keeps 100.
    assert max(options['thresholds'].values()) < query.last <= 100
    # What is gone is no failure: nothing is said of it, and an alarm about it ends.
    assert options['notify_no_data'] is False
    assert options['timeout_h'] == 1


@pytest.mark.parametrize('name', METRIC)
def test_options(name):
    definition = MONITORS[name]['definition']
    options = definition['options']
    counts = {kinds()[each.metric] for each in metric_queries(QUERIES[name].expression)} == {'count'}
    # A counter may be gone with the last pod that counted, and then nothing fails; a gauge is there as long as its
    # component is, and what it would say is not known without it.
    assert options['on_missing_data'] == ('resolve' if counts else 'show_no_data')
    # Either this or the former.
    assert 'notify_no_data' not in options
    # What lasts is known once the window is full: a controller that has just begun finds a full queue.
    assert options['require_full_window'] is (QUERIES[name].method == 'min')


@pytest.mark.parametrize('name', MONITORS)
def test_options_of_all(name):
    options = MONITORS[name]['definition']['options']
    assert options['new_group_delay'] >= 60
    assert options['renotify_interval'] == 1440
    assert options['renotify_statuses'] == ['alert']
    assert options['include_tags'] is True
    assert options['notify_audit'] is False


@pytest.mark.parametrize('name', MONITORS)
def test_message(name):
    definition = MONITORS[name]['definition']
    message = definition['message']
    blocks = re.findall(r'{{([#^])(\w+)}}\n(.*?)\n{{/(\w+)}}', message, re.DOTALL)
    assert [begin for _, begin, _, _ in blocks] == [end for _, _, _, end in blocks]
    said = {sign + begin: text for sign, begin, text, _ in blocks}
    warns = 'warning' in definition['options']['thresholds']
    levels = ['#is_alert', '#is_warning'] if warns else ['#is_alert']
    assert list(said) == [*levels, '#is_recovery', '^is_recovery']
    # Nothing stands outside, nothing inside another.
    assert not re.sub(r'{{([#^])(\w+)}}\n(.*?)\n{{/(\w+)}}', '', message, flags=re.DOTALL).strip()
    assert not [text for text in said.values() if '{{#' in text or '{{^' in text]

    for level in levels:
        assert ('{{value}}' in said[level]) == (name in METRIC)
    assert ('{{threshold}}' in said.get('#is_warning', '')) == (name in METRIC)
    assert '**Look at**' in said['^is_recovery']
    assert '**What the number does not mean**' in said['^is_recovery']
    assert 'kubectl' in said['^is_recovery'] or '*Kubeflow Overview*' in said['^is_recovery']


@pytest.mark.parametrize('name', MONITORS)
def test_variables_of_the_message_are_groups(name):
    definition = MONITORS[name]['definition']
    named = set(re.findall(r'{{(\w+)\.name}}', definition['message']))
    # The name and the message say which.
    assert named == groups_of(name)
    assert set(re.findall(r'{{(\w+)\.name}}', definition['name'])) <= named
    every = re.findall(r'{{([^#^/].*?)}}', definition['name'] + definition['message'])
    assert set(every) <= {f'{group}.name' for group in named} | {'value', 'threshold'}
