# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The expressions of the PrometheusRule, without a server."""

import json
import re
from functools import cache

import pytest

from .monitored import DIRECTORY, documents
from .promql import GAUGE, Fault, Series, check, selectors
from .stored import raw_series

MONITORS = DIRECTORY.parents[1] / 'kubeflow' / 'assets' / 'monitors'


def rules():
    (content,) = documents('rules.yaml')
    return [rule for group in content['spec']['groups'] for rule in group['rules']]


ALERTS = {rule['alert']: rule for rule in rules() if 'alert' in rule}


@cache
def known():
    series = dict(raw_series())
    for rule in rules():
        if 'record' in rule:
            series[rule['record']] = Series(GAUGE, check(rule['expr'], series))
    return series


@pytest.mark.parametrize('rule', rules(), ids=lambda rule: rule.get('alert') or rule['record'])
def test_an_expression_asks_for_what_is_stored(rule):
    labels = check(rule['expr'], known())
    # A level in the name of a recorded series tells its labels.
    if 'record' in rule:
        level, _, _ = rule['record'].partition(':')
        assert labels == set(re.findall('namespace|phase|pod|model_name', level))
    for text in rule.get('annotations', {}).values():
        assert set(re.findall(r'\$labels\.(\w+)', text)) <= labels


def test_there_is_an_alert_for_each_monitor():
    # One alert reads both forms of what Argo and Pipelines count.
    names = {path.stem.removesuffix('_argo_3_5') for path in MONITORS.glob('*.json')}
    assert set(ALERTS) == {f'Kubeflow{"".join(part.capitalize() for part in name.split("_"))}' for name in names}
    assert len(names) > 10


def monitor_of(alert):
    """The query of the Datadog monitor with the name of an alert."""
    name = re.sub('(?<=.)([A-Z])', r'_\1', alert.removeprefix('Kubeflow')).lower()
    return json.loads((MONITORS / f'{name}.json').read_text(encoding='utf-8'))['definition']['query']


def windows(expression):
    return set(re.findall(r'(?<=\[|e)\d+m\b|(?<=offset )\d+m\b', expression))


def numbers(text):
    """What is added to a divisor, and the threshold."""
    return re.findall(r'([+>]) (\d+)\b', text)


@pytest.mark.parametrize('alert', sorted(ALERTS.keys() - {'KubeflowEndpointNotScrapable'}))
def test_an_alert_has_the_window_and_the_numbers_of_its_monitor(alert):
    query, rule = monitor_of(alert), ALERTS[alert]
    aggregation, window = re.match(r'(sum|min)\(last_(\d+m)\):', query).groups()
    assert numbers(rule['expr']) == numbers(query)
    if aggregation == 'min':
        assert (windows(rule['expr']), rule['for']) == (set(), window)
    else:
        assert (windows(rule['expr']), rule['for']) == ({window}, '5m')


def test_an_endpoint_is_down_as_long_as_its_monitor_waits():
    # The Agent runs a check every 15 seconds; one answer of the last 21 may be another.
    assert '.last(21)' in monitor_of('KubeflowEndpointNotScrapable')
    assert ALERTS['KubeflowEndpointNotScrapable']['for'] == f'{20 * 15 // 60}m'


def test_a_recorded_series_bears_its_window_in_its_name():
    for rule in rules():
        if 'record' in rule:
            assert windows(rule['expr']) == windows(rule['record']) and len(windows(rule['record'])) == 1


@pytest.mark.parametrize('alert', ALERTS)
def test_an_alert_says_what_happened_and_what_to_look_at(alert):
    rule = ALERTS[alert]
    assert rule['labels']['severity'] in ('warning', 'critical')
    assert set(rule['annotations']) == {'summary', 'description', 'runbook'}
    assert rule['for'] in ('5m', '15m')


def test_every_recorded_series_is_asked_for():
    recorded = {rule['record'] for rule in rules() if 'record' in rule}
    assert recorded <= {name for rule in rules() for name, _ in selectors(rule['expr'])}


@pytest.mark.parametrize(
    'expression, fault',
    [
        ('katib_trial_failed', 'no component exposes katib_trial_failed'),
        ('argo_workflows_total_count{status="Failed"}', 'argo_workflows_total_count has no label status'),
        ('sum(katib_trial_failed_total)', 'sum takes the value of katib_trial_failed_total, which is a counter'),
        ('katib_trial_failed_total > 3', 'katib_trial_failed_total > 3 takes the value of katib_trial_failed_total'),
        ('rate(katib_trials_current[5m])', 'rate of katib_trials_current, which is a gauge'),
        ('delta(notebook_create_total[5m])', 'delta of notebook_create_total, which is a counter'),
        ('sum by (profile) (katib_trials_current)', 'sum by profile, which there is not'),
        ('histogram_quantile(0.9, sum by (job) (rate(request_predict_seconds_bucket[5m])))', 'by le'),
        ('histogram_quantile(0.9, request_predict_seconds_bucket)', 'needs the rate of buckets by le'),
        ('sum by (job) (up) / sum by (job, pod) (up)', "/ between series by ['job'] and by ['job', 'pod']"),
        ('up and on (model_name) up', 'and on model_name, which not both sides have'),
        ('label_replace(up, "a", "$1", "model_name", "(.*)")', 'label_replace reads model_name'),
    ],
)
def test_a_wrong_expression_is_noticed(expression, fault):
    with pytest.raises(Fault, match=re.escape(fault)):
        check(expression, known())


def test_what_is_no_promql_is_refused():
    with pytest.raises(ValueError):
        check('sum by (', known())


def test_the_readme_lists_what_there_is():
    text = (DIRECTORY / 'README.md').read_text(encoding='utf-8')
    assert re.findall(r'^\| (Kubeflow\w+) \|', text, re.MULTILINE) == list(ALERTS)
    for kind in ('monitors', 'optional'):
        named = re.findall(rf'^\| `{kind}/([^`]+)` \|', text, re.MULTILINE)
        assert sorted(named) == sorted(path.name for path in (DIRECTORY / kind).iterdir())
