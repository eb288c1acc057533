# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is counted of programs that restart between two scrapes.

What the check submits is added up as the Agent does: the increase of each value over the one before, and with
`flush_first_value` what a first or lower value says.
"""

from collections import Counter
from types import SimpleNamespace

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubeflow import KubeflowCheck
from runner.aggregator import MonotonicCount

from .common import ENDPOINT

FAILED_SCRAPE = None
TRIALS = 'kubeflow.katib.trial.failed.count'


class Agent:
    """Runs one instance at moments of a clock of its own, in seconds since the epoch, and keeps its counts."""

    def __init__(self, monkeypatch, aggregator, mock_http_response, run, **options):
        self._monkeypatch = monkeypatch
        self._mock_http_response = mock_http_response
        self._run = run
        self._counts = {}
        self._check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])
        self.negative = False
        submit = aggregator.submit_metric

        def submit_metric(check, check_id, mtype, name, value, tags, hostname, flush_first_value):
            submit(check, check_id, mtype, name, value, tags, hostname, flush_first_value)
            if mtype == AggregatorStub.MONOTONIC_COUNT:
                context = name, tuple(tags)
                self._counts.setdefault(context, MonotonicCount()).add(value, 0, flush_first_value)

        monkeypatch.setattr(aggregator, 'submit_metric', submit_metric)

    def scrape(self, now, payload):
        """One run; gives what it counted by metric, and by its tag `namespace` where it has one."""
        self._monkeypatch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda: now))
        self._mock_http_response(payload or '', status_code=200 if payload else 503)
        if payload:
            self._run(self._check)
        else:
            with pytest.raises(Exception, match='503'):
                self._run(self._check)
        counted = Counter()
        for (name, tags), count in self._counts.items():
            value = count.flush() or 0
            assert value >= 0
            namespace = next((tag for tag in tags if tag.startswith('namespace:')), '')
            bound = next((tag for tag in tags if tag.startswith('upper_bound:')), '')
            counted[' '.join(filter(None, (name, namespace, bound)))] += value
        return counted


@pytest.fixture
def agent(monkeypatch, aggregator, mock_http_response, dd_run_check):
    return lambda **options: Agent(monkeypatch, aggregator, mock_http_response, dd_run_check, **options)


def katib(start, **failed):
    """The exposition of a Katib controller that started then, with trials failed by namespace."""
    lines = ['# TYPE katib_trials_current gauge', 'katib_trials_current{namespace="a",status="Running"} 1']
    if failed:
        lines.append('# TYPE katib_trial_failed_total counter')
    lines += [f'katib_trial_failed_total{{namespace="{namespace}"}} {count}' for namespace, count in failed.items()]
    if start is not None:
        lines += ['# TYPE process_start_time_seconds gauge', f'process_start_time_seconds {start}']
    return '\n'.join(lines) + '\n'


def failed_trials(agent, scrapes):
    """What each scrape counted of the trials that failed in the namespaces a and b; they are 15 seconds apart."""
    counted = [agent.scrape(1000 + 15 * number, payload) for number, payload in enumerate(scrapes)]
    return [tuple(each[f'{TRIALS} namespace:{namespace}'] for namespace in 'ab') for each in counted]


@pytest.mark.parametrize(
    'scrapes, counted',
    [
        pytest.param([katib(900, a=5), katib(900, a=7)], [(0, 0), (2, 0)], id='no restart'),
        pytest.param([katib(900, a=5), katib(1010, a=2)], [(0, 0), (2, 0)], id='lower than before'),
        pytest.param([katib(900, a=5), katib(1010, a=5)], [(0, 0), (5, 0)], id='as high as before'),
        pytest.param([katib(900, a=5), katib(1010, a=8)], [(0, 0), (8, 0)], id='higher than before'),
        pytest.param(
            [katib(900, a=1), katib(1010), katib(1010), katib(1010, a=1)],
            [(0, 0), (0, 0), (0, 0), (1, 0)],
            id='absent for a while, then as high as before',
        ),
        pytest.param([katib(900, a=5), katib(1010, a=5, b=3)], [(0, 0), (5, 3)], id='with a series more'),
        pytest.param(
            [katib(900, a=5), FAILED_SCRAPE, katib(1020, a=2, b=3)],
            [(0, 0), (0, 0), (2, 3)],
            id='after a scrape that failed',
        ),
        pytest.param(
            [katib(900, a=5), FAILED_SCRAPE, katib(900, a=6, b=3)],
            [(0, 0), (0, 0), (1, 3)],
            id='no restart, and a series more after a scrape that failed',
        ),
        pytest.param(
            [katib(900, a=5), katib(1010, a=5), katib(1020, a=5), katib(1020, a=6)],
            [(0, 0), (5, 0), (5, 0), (1, 0)],
            id='two restarts',
        ),
        pytest.param(
            [FAILED_SCRAPE, katib(900, a=5), katib(900, a=6)], [(0, 0), (0, 0), (1, 0)], id='the first one failed'
        ),
        pytest.param(
            [katib(900, a=5), katib(998.5, a=5)], [(0, 0), (5, 0)], id='right after a scrape, by a clock that is late'
        ),
        pytest.param(
            [katib(999, a=5), katib(1000.6, a=7)], [(0, 0), (2, 0)], id='the same start, after the clock was set'
        ),
    ],
)
def test_each_failed_trial_counts_once(agent, scrapes, counted):
    assert failed_trials(agent(), scrapes) == counted


@pytest.mark.parametrize(
    'scrapes, counted',
    [
        pytest.param(
            [katib(None, a=5), katib(None, a=5), katib(None, a=2)], [(0, 0), (0, 0), (2, 0)], id='no start is exposed'
        ),
        pytest.param(
            [katib(None, a=5), FAILED_SCRAPE, katib(None, a=2, b=3)],
            [(0, 0), (0, 0), (0, 0)],
            id='no start is exposed and a scrape failed',
        ),
        pytest.param(
            [katib(None, a=5), katib(1010, a=5)], [(0, 0), (0, 0)], id='a start is exposed since the last scrape'
        ),
    ],
)
def test_without_a_start_time_what_may_have_been_counted_is_not(agent, scrapes, counted):
    assert failed_trials(agent(), scrapes) == counted


def test_replicas_that_answer_by_turns_are_not_restarts(agent):
    # Both were there before the first scrape. A lower value is taken for a reset, as the Agent does.
    turns = [katib(900, a=5), katib(997, a=9), katib(900, a=5), katib(997, a=9)]
    assert failed_trials(agent(), turns) == [(0, 0), (4, 0), (5, 0), (4, 0)]


def test_a_process_more_at_the_same_port_is_no_restart_of_the_others(agent):
    both = katib(900, a=5).replace(
        'process_start_time_seconds 900',
        'process_start_time_seconds{part="a"} 900\nprocess_start_time_seconds{part="b"} 1010',
    )
    assert failed_trials(agent(), [katib(900, a=5), both]) == [(0, 0), (0, 0)]


def histogram(start, observed):
    """A KServe model server with one prediction of 7 ms after another."""
    counts = {'0.005': 0, '0.01': observed, '+Inf': observed}
    return '\n'.join(
        (
            '# TYPE request_predict_seconds histogram',
            *(f'request_predict_seconds_bucket{{le="{le}",model_name="m"}} {count}' for le, count in counts.items()),
            f'request_predict_seconds_sum{{model_name="m"}} {observed * 0.007}',
            f'request_predict_seconds_count{{model_name="m"}} {observed}',
            '# TYPE process_start_time_seconds gauge',
            f'process_start_time_seconds {start}\n',
        )
    )


def test_every_part_of_a_histogram_begins_anew(agent):
    watched = agent()
    watched.scrape(1000, histogram(900, 4))
    counted = watched.scrape(1015, histogram(1010, 4))

    name = 'kubeflow.kserve.inference.duration.seconds'
    assert counted[f'{name}.count'] == counted['kubeflow.kserve.inferences.count'] == 4
    assert counted[f'{name}.sum'] == pytest.approx(0.028)
    assert counted[f'{name}.bucket upper_bound:0.01'] == 4
    assert counted[f'{name}.bucket upper_bound:0.005'] == 0


def test_the_published_spelling_counts_as_the_other_one(agent):
    def reconciled(start):
        return (
            '# TYPE controller_runtime_reconcile_total counter\n'
            'controller_runtime_reconcile_total{controller="trial-controller",result="error"} 1\n'
            f'# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {start}\n'
        )

    watched = agent(submit_reconcide_alias=True)
    watched.scrape(1000, reconciled(900))
    counted = watched.scrape(1015, reconciled(1010))
    assert counted['kubeflow.katib.controller.reconcile.count'] == 1
    assert counted['kubeflow.katib.controller.reconcide.count'] == 1


def test_gauges_are_submitted_once_a_scrape(agent, aggregator):
    watched = agent()
    watched.scrape(1000, katib(900, a=5))
    aggregator.reset()
    watched.scrape(1015, katib(1010, a=5))
    (running,) = aggregator.metrics('kubeflow.katib.trial.running.total')
    assert running.value == 1


def test_a_source_that_takes_over_after_a_restart_brings_nothing_with_it(agent):
    """The sidecar's count holds what the model server's counts held."""
    sidecar = (
        '# TYPE revision_app_request_count counter\n'
        'revision_app_request_count{response_code="200",response_code_class="2xx"} 9\n'
        '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1010\n'
    )
    watched = agent()
    watched.scrape(1000, histogram(900, 4))
    counted = watched.scrape(1015, sidecar)
    assert counted['kubeflow.kserve.inferences.count'] == 0
