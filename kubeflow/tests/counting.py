# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An Agent that adds up what the check submits: the increase of each value over the one before, and with
`flush_first_value` what a first or lower value says. And expositions of programs that say when they started.
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
        self.check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])
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
            self._run(self.check)
        else:
            with pytest.raises(Exception, match='503'):
                self._run(self.check)
        counted = Counter()
        for (name, tags), count in self._counts.items():
            value = count.flush() or 0
            assert value >= 0
            namespace = next((tag for tag in tags if tag.startswith('namespace:')), '')
            bound = next((tag for tag in tags if tag.startswith('upper_bound:')), '')
            counted[' '.join(filter(None, (name, namespace, bound)))] += value
        return counted


def katib(start, **failed):
    """The exposition of a Katib controller that started then, with trials failed by namespace."""
    lines = ['# TYPE katib_trials_current gauge', 'katib_trials_current{namespace="a",status="Running"} 1']
    if failed:
        lines.append('# TYPE katib_trial_failed_total counter')
    lines += [f'katib_trial_failed_total{{namespace="{namespace}"}} {count}' for namespace, count in failed.items()]
    if start is not None:
        lines += ['# TYPE process_start_time_seconds gauge', f'process_start_time_seconds {start}']
    return '\n'.join(lines) + '\n'


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
