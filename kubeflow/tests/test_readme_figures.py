# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The figures, names and output that the pages quote are those of the check, the dashboard and the monitors."""

import csv
import json
import math
import re
import runpy
from types import SimpleNamespace

import pytest
import yaml

from bench.capacity import INTERVAL, WAIT
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.config_models import defaults
from datadog_checks.kubeflow.config_models.validators import LIMITS
from datadog_checks.kubeflow.diagnosis import STARTING_SECONDS
from datadog_checks.kubeflow.fetch.redirects import MOST
from datadog_checks.kubeflow.fetch.tokens import SHORTEST_HIDDEN
from datadog_checks.kubeflow.parsing import REMEMBERED_LINES
from datadog_checks.kubeflow.restarts import VARIATION_SECONDS
from simulator.server import Simulator

from . import pages
from .common import ENDPOINT, FIXTURES, exposition
from .pages import INTEGRATION

README = pages.read(INTEGRATION / 'README.md')
ASSETS = INTEGRATION / 'assets'
SERIES = SimpleNamespace(**runpy.run_path(str(INTEGRATION / 'scripts' / 'series.py')))
TRIMMED = SERIES.chosen_series()['trimming']['of']


def series(run):
    return {(sample.name, sample.tags) for sample in run.samples}


def widgets():
    dashboard = json.loads((ASSETS / 'dashboards' / 'kubeflow_overview.json').read_text())
    for group in dashboard['widgets']:
        for widget in group['definition'].get('widgets', ()):
            yield widget['definition'].get('title'), json.dumps(widget)


# --- how many series there are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize('way', [pytest.param(way, id=way[0]) for way in pages.rows(README, 'generated: trimming')])
def test_an_option_leaves_as_many_series_as_the_table_says(way, run, aggregator):
    options = {} if way[0] == 'none' else yaml.safe_load(way[0].strip('`'))
    for fixture, number in zip(TRIMMED, way[1:], strict=True):
        aggregator.reset()
        left = run(exposition(fixture), {'openmetrics_endpoint': ENDPOINT, **options})
        assert len(series(left)) == len(left.samples) == int(number), fixture


@pytest.mark.parametrize('chosen', SERIES.chosen_series()['expositions'], ids=lambda chosen: chosen['fixture'])
def test_an_exposition_gives_as_many_series_as_the_table_says(chosen, run):
    rows = {(row[0], row[1]): row for row in pages.rows(README, 'generated: series')}
    found = run(exposition(chosen['fixture']), {'openmetrics_endpoint': ENDPOINT})
    (component,) = found.components
    row = rows[load_catalogue().components[component].title, chosen['fixture'].rpartition('-')[2]]
    names = [name for name, _ in series(found)]
    of_controllers = sum(name.startswith('kubeflow.controller.') for name in names)
    buckets = sum(name.endswith('.bucket') for name in names)
    assert row[2:5] == [str(number) for number in (len(names), buckets, of_controllers)]
    label = chosen.get('by', '')
    tagged = [tag for _, tags in series(found) for tag in tags if tag.startswith(f'{label}:')]
    assert row[5] == (f'{math.ceil(len(tagged) / len(set(tagged)))} for each `{label}`' if label else '')


def test_the_runtime_has_as_many_series_as_the_readme_says():
    most = max(SERIES.runtime_series(fixture) for fixture in FIXTURES)
    assert f'`collect_runtime_metrics: true` adds up to {most} for each endpoint' in ' '.join(README.split())


@pytest.mark.parametrize(
    'options, samples, number',
    [
        # With the label that tells successes and errors apart there are as many series as samples.
        ({}, 155, 155),
        ({'exclude_labels': ['http_response_status_code']}, 155, 53),
        ({'include_labels': ['kn_route_tag']}, 155, 12),
    ],
)
def test_without_a_label_that_tells_samples_apart_they_have_the_same_tags(run, options, samples, number):
    found = run(exposition('queue-proxy-1.21'), {'openmetrics_endpoint': ENDPOINT, **options})
    assert (len(found.samples), len(series(found))) == (samples, number)


def test_a_label_with_one_value_is_left_out_without_harm(run):
    found = run(
        exposition('queue-proxy-1.18'), {'openmetrics_endpoint': ENDPOINT, 'exclude_labels': ['configuration_name']}
    )
    assert len(found.samples) == len(series(found)) == 60


def test_a_label_that_is_dropped_is_kept_where_it_is_renamed_as_the_readme_says(run):
    assert 'in `rename_labels`, as `{user: user}`' in README
    found = run(exposition('kfam-1.10'), {'openmetrics_endpoint': ENDPOINT, 'rename_labels': {'user': 'user'}})
    assert len(found.samples) == len(series(found)) == 8
    assert all(any(tag.startswith('user:') for tag in tags) for _, tags in series(found))


def test_the_documented_metrics_without_a_source_are_as_many_as_the_readme_says():
    documented = [entry for entry in load_catalogue().metrics if entry.documented]
    names = {bool(entry.component_sources): 0 for entry in documented}
    for entry in documented:
        names[bool(entry.component_sources)] += len(entry.submitted_names())
    assert names == {True: 34, False: 14}
    assert '14 of the 48 documented metrics have no source' in README
    of_katib = [entry for entry in documented if entry.group == 'katib' and not entry.component_sources]
    assert sum(len(entry.submitted_names()) for entry in of_katib) == 13
    assert '13 of the documented metrics do not arrive' in pages.read(INTEGRATION / 'COMPONENTS.md')


def test_the_times_that_the_check_allows_for_are_as_long_as_the_pages_say():
    assert (VARIATION_SECONDS, STARTING_SECONDS) == (2, 5 * 60)
    assert 'clocks of the Agent and of the component\'s node are more than two seconds apart' in README
    assert 'the check warns of nothing for its first five minutes' in pages.read(INTEGRATION / 'COMPONENTS.md')


def test_the_limits_are_those_of_the_check():
    ((_, *limits),) = [table for table in pages.tables(README) if table[0][:2] == ['Option', 'Default']]
    assert {option.strip('`') for option, *_ in limits} == LIMITS.keys()
    for option, default, *_ in limits:
        name = option.strip('`')
        assert default.startswith(f'{getattr(defaults, f"instance_{name}")()} {LIMITS[name][0]}')


def test_the_bounds_of_what_is_sent_and_remembered_are_those_of_the_check():
    text = ' '.join(README.split())
    assert f'At most {MOST} redirects are followed' in text
    assert f'a secret of fewer than {SHORTEST_HIDDEN} characters' in text
    assert f'remembers what it made of up to {REMEMBERED_LINES:,} lines' in text


def test_the_cost_is_of_the_interval_and_the_wait_that_the_readme_says():
    text = ' '.join(README.split())
    assert f'each scraped every {INTERVAL} seconds' in text
    assert f'that a run waits {WAIT * 1000:.0f} ms for its answer' in text


@pytest.mark.parametrize('path', pages.PAGES, ids=pages.name)
def test_every_metric_named_is_one_of_the_check(path):
    with (INTEGRATION / 'metadata.csv').open() as file:
        names = {row['metric_name'] for row in csv.DictReader(file)} | {'kubeflow.openmetrics.health'}
    # Of a histogram the name without what follows it, and of a group of metrics what they begin with.
    beginnings = {name[: end.start()] for name in names for end in re.finditer(r'\.|$', name)}
    for name in re.findall(r'`(kubeflow\.[\w.]+)[^`]*`', pages.prose(pages.read(path))):
        assert name.removesuffix('.') in beginnings, name


# --- histograms -------------------------------------------------------------------------------------------------------

DURATION = 'kubeflow.kserve.inference.duration.seconds'


@pytest.mark.parametrize(
    'options, suffixes, distributions',
    [
        ({}, {'.bucket', '.sum', '.count'}, False),
        ({'collect_histogram_buckets': False}, {'.sum', '.count'}, False),
        ({'non_cumulative_histogram_buckets': True}, {'.bucket', '.sum', '.count'}, False),
        ({'histogram_buckets_as_distributions': True}, set(), True),
        (
            {'histogram_buckets_as_distributions': True, 'collect_counters_with_distributions': True},
            {'.sum', '.count'},
            True,
        ),
    ],
)
def test_a_mode_of_histograms_submits_what_the_readme_says(run, aggregator, options, suffixes, distributions):
    for option in options:
        assert option in README
    found = run(exposition('kserve-server-0.16'), {'openmetrics_endpoint': ENDPOINT, **options})
    assert {name.removeprefix(DURATION) for name in found.names if name.startswith(DURATION)} == suffixes
    assert bool(aggregator.histogram_bucket(DURATION)) == distributions
    if 'non_cumulative_histogram_buckets' in options:
        bounds = [tags for name, tags in series(found) if name == f'{DURATION}.bucket']
        assert all(any(tag.startswith('lower_bound:') for tag in tags) for tags in bounds)


def test_the_table_of_modes_names_the_parts_that_are_submitted():
    ((_, *rows),) = [table for table in pages.tables(README) if table[0][0] == 'Options']
    parts = {options: re.findall(r'`(\.\w+)`', submitted) for options, submitted, *_ in rows}
    assert parts['none'] == ['.bucket', '.sum', '.count']
    assert parts['`collect_histogram_buckets: false`'] == ['.sum', '.count']
    assert parts['that, and `collect_counters_with_distributions: true`'] == ['.sum', '.count']


def test_widgets_that_need_buckets_are_named():
    titles = [title for title, text in widgets() if '.bucket' in text]
    assert titles
    assert pages.marked(README, 'generated: buckets').splitlines() == [f'- *{title}*' for title in titles]
    assert not [path for path in (ASSETS / 'monitors').glob('*.json') if '.bucket' in path.read_text()]


# --- dashboard and monitors -------------------------------------------------------------------------------------------


def test_the_readme_names_exactly_the_dashboards_and_monitors():
    manifest = json.loads((INTEGRATION / 'manifest.json').read_text())['assets']
    named = {target for target in pages.links(README) if target.startswith(('assets/dashboards/', 'assets/monitors/'))}
    assert named == {*manifest['dashboards'].values(), *manifest['monitors'].values()}
    files = {
        str(path.relative_to(INTEGRATION)) for kind in ('dashboards', 'monitors') for path in (ASSETS / kind).glob('*')
    }
    assert named == files


def test_the_monitors_that_read_controllers_are_as_many_as_the_readme_says():
    found = [path for path in (ASSETS / 'monitors').glob('*.json') if 'kubeflow.controller.' in path.read_text()]
    assert len(found) == 2 and 'two monitors read `kubeflow.controller.`' in README


def test_the_widgets_that_take_the_place_of_others_are_there():
    # Without what they say of units.
    titles = {title.partition(' (')[0] for title, _ in widgets() if title}
    for _, _, instead in pages.rows(pages.read(INTEGRATION / 'MIGRATION.md'), 'widgets'):
        for title in re.findall(r'\*([^*]+)\*', instead):
            assert title in titles


# --- what is counted twice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('fixture', ['queue-proxy-1.18', 'queue-proxy-1.21'])
def test_the_sidecar_beside_a_model_server_counts_no_inference(fixture, run):
    (text,) = [text for text in pages.fenced(README, 'yaml') if 'metric_patterns' in text]
    (value,) = yaml.safe_load(text)['metadata']['annotations'].values()
    (instance,) = json.loads(value)['kubeflow']['instances']
    names = run(exposition(fixture), {**instance, 'openmetrics_endpoint': ENDPOINT}).names
    assert 'kubeflow.kserve.inference.errors.count' in names
    assert not [name for name in names if re.match(r'kubeflow\.kserve\.(inferences|inference\.duration)\.', name)]


# --- the output -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def katib():
    with Simulator('26.03', speed=None) as simulator:
        yield simulator['katib-controller']


def test_the_lines_of_the_output_are_lines_of_the_check(katib, aggregator, dd_run_check):
    text = pages.marked(README, 'output: katib-controller')
    lines = re.findall(r'^(kubeflow\.\S+) +(\w+) +\d+ +\S+ +(.*)$', text, re.MULTILINE)
    assert len(lines) > 5
    check = KubeflowCheck('kubeflow', {}, [dict(katib.instance)])
    dd_run_check(check)
    types = {'count': aggregator.MONOTONIC_COUNT, 'gauge': aggregator.GAUGE}
    for metric, kind, listed in lines:
        tags = re.sub(r'endpoint:[^,]+', f'endpoint:{katib.url}', listed).split(', ')
        aggregator.assert_metric(metric, metric_type=types[kind], tags=tags)
    (scraper,) = check.scrapers.values()
    titles = [load_catalogue().components[component].title for component in scraper.report.components]
    assert f'components: {", ".join(titles)}\n' in text
