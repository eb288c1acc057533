# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the check makes of the data that a port answers, over several runs.

The cases are in `data/*.yaml`. A case has an answer for each run, or one for all with `$v`, `$w`… in it and their
`values` for each run. What it submits is told line by line: name, tags, value, and what the Agent adds to the count.
"""

from collections import Counter
from pathlib import Path
from string import Template
from types import SimpleNamespace

import pytest
import yaml

from runner.aggregator import Aggregator

from .loopback import Answer, observed, serving
from .submissions import PARSERS

INTERVAL = 15
FILES = sorted((Path(__file__).parent / 'data').glob('*.yaml'))


def read(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))


CASES = [pytest.param(case, id=f'{path.stem}: {case["case"]}') for path in FILES for case in read(path)]


@pytest.fixture(scope='module')
def port():
    with serving() as ports:
        yield ports


@pytest.fixture
def aggregator(monkeypatch):
    aggregator = Aggregator()
    monkeypatch.setattr('datadog_checks.base.checks.base.aggregator', aggregator)
    return aggregator


def answer_of(case, run):
    text = run.get('answer', case.get('answer') if 'values' in run else '')
    return Answer(
        Template(text).substitute(run.get('values', {})).encode(),
        run.get('status', 200),
        run.get('is_cut', False),
        run.get('content_type', ''),
    )


@pytest.mark.parametrize('case', CASES)
def test_what_is_submitted(case, port, aggregator, monkeypatch):
    if case.get('parser', 'strict') not in PARSERS:
        pytest.skip('this base package leaves prometheus_client as it comes, which reads the line')
    watched = observed('case', {'openmetrics_endpoint': port.url('/'), **case.get('options', {})}, aggregator)
    for number, run in enumerate(case['runs']):
        now = 1000 + INTERVAL * number
        monkeypatch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda now=now: now))
        port.answers['/'] = answer_of(case, run)
        error = watched.run()

        health = run.get('health', 'OK')
        assert (number, watched.sampler.health) == (number, health), error
        assert bool(error) == (health == 'CRITICAL'), error
        assert (number, watched.sampler.submitted) == (number, run.get('submits', []))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_no_count_is_negative_and_every_case_is_told_once(path):
    cases = read(path)
    assert max(Counter(case['case'] for case in cases).values()) == 1
    for case in cases:
        for line in (line for run in case['runs'] for line in run.get('submits', [])):
            assert ', -' not in line, f'{case["case"]}: {line}'
