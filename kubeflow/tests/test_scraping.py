# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a run submits of an exposition where options ask for more, or less, than the catalogue does."""

import time
from unittest.mock import patch

import pytest

from datadog_checks.base.checks.openmetrics.v2.scraper import base_scraper
from datadog_checks.kubeflow import KubeflowCheck

from .common import ENDPOINT, OPENMETRICS, TEXT
from .fixtures import NOW
from .submissions import answer, recorded

KATIB = """\
# TYPE katib_trials_current gauge
katib_trials_current{namespace="a",status="Running"} 1
# TYPE katib_trial_failed_total counter
katib_trial_failed_total{namespace="a"} 2
"""
OTHER = """\
# TYPE other gauge
other{x="1"} 3
other{x="2"} 4
# TYPE others_total counter
others_total 5
"""
FAILED = ('kubeflow.katib.trial.failed.count', 2, ('namespace:a',))
OK, WARNING = 0, 1


class Run:
    def __init__(self, check, submitted, error):
        self.warnings = check.get_warnings()
        self.error = error
        self.health = submitted.health
        self.samples = {
            (sample.name, sample.value, tuple(tag for tag in sample.tags if not tag.startswith('endpoint:')))
            for sample in submitted.samples
        }
        self.telemetry = {
            sample.name.removeprefix('kubeflow.telemetry.'): 0
            for sample in submitted.samples
            if '.telemetry.' in sample.name
        }
        for sample in submitted.samples:
            if '.telemetry.' in sample.name:
                self.telemetry[sample.name.removeprefix('kubeflow.telemetry.')] += sample.value
        self.flushed = {sample.name: sample.flush_first_value for sample in submitted.samples}


def new_check(**options):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])


def scrape(check, text, content_type=TEXT):
    text = text if isinstance(text, bytes) else text.encode()
    with (
        recorded() as submitted,
        patch('requests.Session.get', lambda *args, **kwargs: answer(text, content_type)),
        patch.object(time, 'time', lambda: NOW),
    ):
        error = check.run()
    return Run(check, submitted, error)


def run(text, content_type=TEXT, **options):
    return scrape(new_check(**options), text, content_type)


def test_what_nobody_names_is_submitted_nowhere():
    done = run(OTHER + KATIB)
    assert FAILED in done.samples and not any('other' in name for name, *_ in done.samples)
    assert (done.error, done.warnings, [each.status for each in done.health]) == ('', [], [OK])


@pytest.mark.parametrize(
    'extra', ['other', '^oth.*r$', {'other': 'named'}, {'other': {'name': 'named', 'type': 'gauge'}}]
)
def test_what_an_option_names_is_kept(extra):
    name = 'kubeflow.named' if isinstance(extra, dict) else 'kubeflow.other'
    done = run(OTHER + KATIB, extra_metrics=[extra])
    assert {(name, 3, ('x:1',)), (name, 4, ('x:2',)), FAILED} <= done.samples
    assert not any(each.startswith('kubeflow.others') for each, *_ in done.samples)


def test_a_counter_is_named_without_its_suffix():
    assert ('kubeflow.others.count', 5, ()) in run(OTHER, extra_metrics=['others']).samples
    # The base check knows it by no other name.
    assert not any('others' in name for name, *_ in run(OTHER, extra_metrics=['others_total']).samples)


def test_a_prefix_is_removed_before_anything_is_looked_for():
    text = (OTHER + KATIB).replace('other', 'pre_other').replace('katib_', 'pre_katib_')
    done = run(text, raw_metric_prefix='pre_', extra_metrics=['other'])
    assert {('kubeflow.other', 3, ('x:1',)), FAILED} <= done.samples
    again = new_check(raw_metric_prefix='pre_', extra_metrics=['other'])
    for _ in range(3):
        last = scrape(again, text)
    assert last.samples == done.samples


def test_labels_are_shared_from_families_that_nobody_else_wants():
    shared = {'other': {'match': ['namespace'], 'labels': ['x']}}
    text = '# TYPE other gauge\nother{x="1",namespace="a"} 3\n' + KATIB
    assert (*FAILED[:2], ('namespace:a', 'x:1')) in run(text, share_labels=shared).samples
    # Excluded it is not submitted, and shares its labels all the same.
    for options in ({'exclude_metrics': ['other']}, {'exclude_metrics': ['^oth']}):
        done = run(text, share_labels=shared, extra_metrics=['.+'], **options)
        assert (*FAILED[:2], ('namespace:a', 'x:1')) in done.samples
        assert not any(name == 'kubeflow.other' for name, *_ in done.samples)


def test_the_labels_of_target_info_are_shared_however_many_families_are_dropped():
    text = '# TYPE target_info gauge\ntarget_info{pod="p"} 1\n' + OTHER + KATIB
    assert (*FAILED[:2], ('namespace:a', 'pod:p')) in run(text, target_info=True).samples
    assert FAILED in run(text).samples


@pytest.mark.parametrize('excluded', [['katib_trial_failed'], ['^katib_trial_']])
def test_what_is_excluded_is_submitted_nowhere(excluded):
    done = run(OTHER + KATIB, exclude_metrics=excluded)
    assert 'kubeflow.katib.trial.failed.count' not in {name for name, *_ in done.samples}
    assert ('kubeflow.katib.trial.running.total', 1, ('namespace:a',)) in done.samples


STARTED = '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 2000\n'


@pytest.mark.parametrize('excluded', [[], ['process_start_time_seconds'], ['^process_']])
def test_the_start_of_the_process_is_read_even_where_it_is_excluded(excluded):
    with patch.object(base_scraper.datadog_agent, 'get_process_start_time', lambda: 1000):
        done = run(KATIB + STARTED, use_process_start_time=True, exclude_metrics=excluded)
    assert done.flushed['kubeflow.katib.trial.failed.count'] is True


# --- lines filtered out ---


def test_lines_are_filtered_before_families_are_selected():
    text = OTHER + KATIB
    done = run(text, raw_line_filters=['x="1"', '^# TYPE others', 'status="Running"'], extra_metrics=['.+'])
    assert ('kubeflow.other', 4, ('x:2',)) in done.samples and ('kubeflow.other', 3, ('x:1',)) not in done.samples
    # Without its header it has no type.
    assert not any('others' in name for name, *_ in done.samples)
    assert FAILED in done.samples


@pytest.mark.parametrize('newline', ['\n', '\r\n'])
def test_a_filter_sees_lines_without_their_end(newline):
    done = run(KATIB.replace('\n', newline), raw_line_filters=[' 2$'])
    assert 'kubeflow.katib.trial.failed.count' not in {name for name, *_ in done.samples}
    assert ('kubeflow.katib.trial.running.total', 1, ('namespace:a',)) in done.samples


def test_a_filter_may_leave_nothing_or_what_is_not_utf_8():
    assert run(KATIB, raw_line_filters=['.']).samples == set()
    text = b'# TYPE foreign gauge\nforeign{a="\xff"} 1\nforeign{a="b"} 1\n' + KATIB.encode()
    assert FAILED in run(text, raw_line_filters=['a="b"']).samples


# --- telemetry ---


def test_telemetry_counts_what_is_dropped_too():
    done = run(OTHER + KATIB + 'more 1\n', telemetry=True)
    assert done.telemetry['metrics.input.count'] == 6
    assert 'metrics.ignored.count' not in done.telemetry


@pytest.mark.parametrize('excluded', [['other', 'katib_trial_failed'], ['^other$', 'trial_failed$']])
def test_telemetry_counts_what_is_excluded(excluded):
    done = run(OTHER + KATIB, telemetry=True, exclude_metrics=excluded)
    assert done.telemetry['metrics.input.count'] == 5
    assert done.telemetry['metrics.ignored.count'] == 3


def test_telemetry_counts_the_lines_that_are_filtered():
    done = run(OTHER + KATIB, telemetry=True, raw_line_filters=['^other', '^# TYPE katib_trials'])
    assert (done.telemetry['metrics.input.count'], done.telemetry['metrics.blacklist.count']) == (2, 4)


def test_telemetry_counts_a_family_that_exploded():
    text = KATIB + ''.join(f'katib_trial_failed_total{{namespace="{number}"}} 1\n' for number in range(5))
    assert run(text, telemetry=True, max_samples_per_family=3).telemetry['metrics.input.count'] == 7


# --- OpenMetrics ---


def test_openmetrics_is_selected_from_too():
    text = OTHER.replace('others_total counter', 'others counter') + KATIB.replace(
        'failed_total counter', 'failed counter'
    )
    done = run(f'{text}# EOF\n', OPENMETRICS)
    assert FAILED in done.samples and done.error == ''
    assert 'Missing # EOF' in run(text, OPENMETRICS).error


# --- what is left out ---


def test_what_is_made_of_a_malformed_family_is_left_out_and_told():
    done = run(KATIB.replace('"} 2', '"} two') + OTHER, extra_metrics=['other', 'katib_trial_failed'])
    assert ('kubeflow.other', 3, ('x:1',)) in done.samples
    assert not any('failed' in name for name, *_ in done.samples)
    assert ('kubeflow.katib.trial.running.total', 1, ('namespace:a',)) in done.samples
    (warning,) = done.warnings
    assert "line 4, 'katib_trial_failed_total{namespace=\"a\"} two': " in warning
    assert [(each.status, each.message) for each in done.health] == [(WARNING, warning)]


@pytest.mark.parametrize('extra', [[], ['katib_trial_failed']])
def test_what_a_family_counted_while_it_was_left_out_is_not_flushed(extra):
    check = new_check(extra_metrics=extra)
    name = 'kubeflow.katib_trial_failed.count' if extra else 'kubeflow.katib.trial.failed.count'
    malformed = KATIB.replace('"} 2', '"} two')
    flushed = [scrape(check, text).flushed.get(name) for text in (malformed, KATIB, KATIB, malformed, KATIB, KATIB)]
    assert flushed == [None, False, True, None, False, True]


def test_an_endpoint_whose_only_family_is_malformed_is_not_called_foreign():
    go = '# TYPE go_goroutines gauge\ngo_goroutines 1\n'
    done = run(go + '# TYPE workqueue_depth gauge\nworkqueue_depth{controller="trial-controller"} x\n')
    assert len(done.warnings) == 1 and 'line 4, ' in done.warnings[0]


# --- names for diagnosis ---


def test_an_answer_of_which_nothing_is_wanted_is_told_by_its_first_families():
    (warning,) = run(OTHER + 'go_x 1\nflask_y{a="b"} 1\n').warnings
    assert 'First families seen: other, flask_y, others, go_x.' in warning
    assert 'this is a web application' in warning


def test_names_for_diagnosis_lack_the_prefix():
    (warning,) = run(OTHER.replace('other', 'pre_other'), raw_metric_prefix='pre_').warnings
    assert 'First families seen: other, others.' in warning
