# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Selection and remembered parsing change nothing that is submitted.

The same answers go through the check twice: as it is, and with the base check's own way from the answer to the parsed
families. The raw families that `extra_metrics` names are compared with a plain check of the base package as well.
"""

import time
from dataclasses import dataclass
from difflib import unified_diff
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.checks.openmetrics.v2.scraper import OpenMetricsScraper
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.scraper import RESERVED_LABELS, KubeflowScraper

from . import expositions
from .common import ENDPOINT, FIXTURES, OPENMETRICS, TEXT, exposition, instance_of
from .fixtures import NOW
from .submissions import CATALOGUE_NAMES, Submission, answer, in_pieces, parsed_by, recorded

INTERVAL = 15

# What is asked of the check; each is compared on every fixture and on made-up expositions.
OPTIONS = {
    'none': {},
    'runtime': {'collect_runtime_metrics': True, 'submit_reconcide_alias': True},
    'names': {
        'extra_metrics': [
            *('katib_trials_current', 'katib_trial_created', 'workqueue_adds_total', 'workqueue_depth', 'up', 'a'),
            {'request_predict_seconds': 'predict', 'go_info': {'name': 'go', 'type': 'gauge'}},
            {'x': {'name': 'x', 'type': 'counter'}},
        ]
    },
    'wildcard of a prefix': {'extra_metrics': ['^katib', 'go_.*']},
    'wildcard of a suffix': {'extra_metrics': ['_total$', '_seconds$']},
    'every family': {'extra_metrics': ['.+']},
    'every family, not cached': {'extra_metrics': ['.+'], 'cache_metric_wildcards': False},
    'excluded': {'extra_metrics': ['.+'], 'exclude_metrics': ['katib_trials_current', 'up', 'workqueue_adds']},
    'excluded by pattern': {'extra_metrics': ['_'], 'exclude_metrics': ['^katib_.*_current$', 'seconds', '^a$']},
    'shared labels': {'share_labels': {'katib_trials_current': {'labels': ['status']}, 'up': True}},
    'shared labels, read anew': {
        'share_labels': {
            'katib_experiments_current': {'match': ['namespace'], 'labels': ['status'], 'values': [1, 2]},
            'a': {'match': ['x']},
            'workqueue_depth': True,
        },
        'cache_shared_labels': False,
        'extra_metrics': ['_total$'],
    },
    'target info': {'target_info': True, 'extra_metrics': ['^katib']},
    'prefix': {
        'raw_metric_prefix': expositions.PREFIX,
        'extra_metrics': ['up', 'katib_trials_current', 'go_goroutines'],
    },
    'part of a name as prefix': {'raw_metric_prefix': 'katib_', 'extra_metrics': ['trials_current', '^trial_']},
    'start time': {'use_process_start_time': True, 'extra_metrics': ['_total$']},
    'filtered lines': {
        'raw_line_filters': ['status="Running"', '^# TYPE katib_trial_created', 'go_'],
        'extra_metrics': ['.+'],
    },
    'labels': {
        'exclude_labels': ['namespace'],
        'rename_labels': {'name': 'queue', 'version': 'release'},
        'hostname_label': 'host',
        'extra_metrics': ['^[a-m]'],
    },
    'labels included': {'include_labels': ['namespace', 'controller', 'le'], 'extra_metrics': ['^[n-z]']},
    'excluded by labels': {
        'exclude_metrics_by_labels': {'status': ['Running', 'true'], 'host': True},
        'extra_metrics': ['^k'],
    },
    'no buckets': {'collect_histogram_buckets': False, 'extra_metrics': ['.+']},
    'buckets apart': {'non_cumulative_histogram_buckets': True, 'extra_metrics': ['seconds']},
    'distributions': {'histogram_buckets_as_distributions': True, 'extra_metrics': ['seconds']},
    'distributions and counts': {'collect_counters_with_distributions': True, 'extra_metrics': ['seconds']},
    'telemetry': {'telemetry': True},
    'telemetry of much': {
        'telemetry': True,
        'extra_metrics': ['^katib', 'up'],
        'exclude_metrics': ['^katib_experiment', 'go_goroutines'],
        'raw_line_filters': ['Failed', '^#.* workqueue_adds'],
    },
    'telemetry of a prefix': {'telemetry': True, 'raw_metric_prefix': expositions.PREFIX},
}
# Those that are compared in a short run of the tests too.
ALWAYS = ('none', 'every family', 'telemetry')
RAW_OPTIONS = {
    name: options for name, options in OPTIONS.items() if 'extra_metrics' in options and 'telemetry' not in options
}


class StockScraper(KubeflowScraper):
    """Reads every line and parses every family at every scrape, as the base check does."""

    get_connection = OpenMetricsScraper.get_connection
    stream_connection_lines = OpenMetricsScraper.stream_connection_lines
    filter_connection_lines = OpenMetricsScraper.filter_connection_lines
    parse_metrics = OpenMetricsScraper.parse_metrics
    parse_metric_families = OpenMetricsScraper.parse_metric_families
    generate_sample_data = OpenMetricsScraper.generate_sample_data
    submit_telemetry_endpoint_response_size = OpenMetricsScraper.submit_telemetry_endpoint_response_size


class StockPathCheck(KubeflowCheck):
    def create_scraper(self, config):
        return StockScraper(self, self.get_config_with_defaults(config))


class PlainCheck(OpenMetricsBaseCheckV2):
    """Submits what `extra_metrics` names under the names that the check gives it."""

    __NAMESPACE__ = 'kubeflow'
    DEFAULT_METRIC_LIMIT = 0


@dataclass
class Run:
    """What one run submitted, by metric, and its error."""

    metrics: dict[str, list[str]]
    error: str


def run(check_class, options, answers, content_type, piece=None):
    """The runs of one instance for these answers, one after the other."""
    check = check_class('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])
    return [_run_once(check, NOW + at * INTERVAL, answer(each, content_type), piece) for at, each in enumerate(answers)]


def _run_once(check, now, response, piece):
    with (
        recorded() as submitted,
        in_pieces(piece),
        patch('requests.Session.get', lambda *args, **kwargs: response),
        patch.object(time, 'time', lambda: now),
        patch('datadog_checks.base.utils.time.epoch_offset', lambda: now),
    ):
        error = check.run()
    check.get_warnings()
    return Run(_comparable(submitted.by_metric()), error)


def _comparable(metrics: dict[str, list[Submission]]) -> dict[str, list[str]]:
    comparable = {}
    for name, samples in metrics.items():
        if samples[0].type != 'count' or '.telemetry.' not in name:
            comparable[name] = [f'{name}: {sample}' for sample in samples]
        # Of what telemetry counts the sum is to be the same, and none is 0.
        elif total := sum(sample.value for sample in samples):
            comparable[name] = [f'{name}: {total}']
    return comparable


def stock_path(options, answers, content_type):
    return run(StockPathCheck, options, answers, content_type)


def the_check(options, answers, content_type, piece=None):
    return run(KubeflowCheck, options, answers, content_type, piece)


def plain(options, answers, content_type):
    renamed = {**RESERVED_LABELS, **options.get('rename_labels', {})}
    return run(PlainCheck, {**options, 'rename_labels': renamed}, answers, content_type)


def raw(options, answers, content_type):
    """What the check submits of families that options name."""
    runs = run(KubeflowCheck, options, answers, content_type)
    for each in runs:
        each.metrics = {name: samples for name, samples in each.metrics.items() if name not in CATALOGUE_NAMES}
    return runs


def assert_equal(actual, expected):
    difference = '\n'.join(unified_diff(_lines(expected), _lines(actual), 'stock', 'check', n=0, lineterm=''))
    assert not difference, difference


def _lines(runs):
    return [
        f'run {number} {line}'
        for number, each in enumerate(runs, 1)
        for line in (
            *([f'error {each.error}'] if each.error else ()),
            *(line for name in sorted(each.metrics) for line in each.metrics[name]),
        )
    ]


def later(text: str) -> str:
    """An exposition some time later: counts have grown, and one series in seven has gone."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        if line.startswith('#') or not line.strip():
            lines.append(line)
        elif number % 7:
            head, _, value = line.rpartition(' ')
            lines.append(f'{head} {float(value) + number % 3:.17g}')
    return '\n'.join(lines) + '\n'


def compare(fixture, options, stock, ours):
    """Scrape a fixture and, twice, what it is later, in either way."""
    text = exposition(fixture)
    content_type = OPENMETRICS if text.endswith('# EOF\n') else TEXT
    second = later(text) if content_type == TEXT else text
    answers = [each.encode() for each in (text, second, second)]
    options = {**instance_of(fixture), **options}
    expected = stock(options, answers, content_type)
    assert not any(each.error for each in expected), fixture
    assert_equal(ours(options, answers, content_type), expected)


def through_options(chosen):
    """The option sets, those that are not always compared as slow ones."""
    return pytest.mark.parametrize(
        'name', [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in chosen]
    )


@through_options(OPTIONS)
def test_fixtures_give_what_they_give_unselected(name):
    for fixture in FIXTURES:
        compare(fixture, OPTIONS[name], stock_path, the_check)


@through_options(RAW_OPTIONS)
def test_raw_families_of_fixtures_are_those_of_a_plain_check(name):
    for fixture in FIXTURES:
        compare(fixture, RAW_OPTIONS[name], plain, raw)


SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SETTINGS
@given(st.sampled_from(sorted(OPTIONS)), expositions.text(), st.one_of(st.none(), st.integers(1, 200)))
@example('every family', (b'# HELP b\n # TYPE a gauge\n# HELP a\na 1\n',), None)
@example('none', (b'#\n:tensorflow:serving:request_count{} 0\n',), None)
@example('none', (b'\t\nrest_client_requests_total_sum 1795265988 \n',), None)
def test_made_up_text_gives_what_it_gives_unselected(name, answers, piece):
    compare_made_up(OPTIONS[name], answers, TEXT, piece)


@SETTINGS
@given(st.sampled_from(sorted(OPTIONS)), expositions.text(quoted=True), st.one_of(st.none(), st.integers(1, 200)))
def test_names_in_quotes_give_what_they_give_unselected(name, answers, piece):
    with parsed_by('strict'):
        compare_made_up(OPTIONS[name], answers, TEXT, piece)


@SETTINGS
@given(st.sampled_from(sorted(OPTIONS)), expositions.openmetrics(), st.one_of(st.none(), st.integers(1, 200)))
def test_made_up_openmetrics_gives_what_it_gives_unselected(name, answers, piece):
    compare_made_up({**OPTIONS[name], 'use_latest_spec': True}, answers, OPENMETRICS, piece)


@SETTINGS
@given(st.sampled_from(sorted(RAW_OPTIONS)), expositions.text())
def test_raw_families_of_made_up_text_are_those_of_a_plain_check(name, answers):
    expected = plain(RAW_OPTIONS[name], answers, TEXT)
    assume(not any(each.error for each in expected))
    assert_equal(raw(RAW_OPTIONS[name], answers, TEXT), expected)


def compare_made_up(options, answers, content_type, piece):
    expected = stock_path(options, answers, content_type)
    # The base check's transformers keep the type that a family had first, and fail where another one follows.
    assume(not any(each.error for each in expected))
    assert_equal(the_check(options, answers, content_type, piece), expected)
