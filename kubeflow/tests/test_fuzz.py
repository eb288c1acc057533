# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fuzzing, short: the long run is started by hand."""

import logging
import time

import pytest
import yaml

from datadog_checks.kubeflow.scraper import KubeflowScraper

from .common import FIXTURES_DIRECTORY
from .fuzz import loop, subject
from .fuzz.report import entry

REGRESSIONS = yaml.safe_load((FIXTURES_DIRECTORY.parent / 'fuzz' / 'regressions.yaml').read_text(encoding='utf-8'))
SECONDS = 60
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'


@pytest.fixture
def examine():
    with subject.subject() as subjected:
        yield subjected.examine


@pytest.mark.parametrize('case', REGRESSIONS, ids=lambda case: case['reason'])
def test_what_broke_something_once_does_no_more(case, examine):
    answer = case['answer']
    examine(answer.encode() if isinstance(answer, str) else answer, case['options'])


@pytest.mark.slow
def test_random_answers_break_nothing():
    logging.disable(logging.CRITICAL)
    try:
        findings = loop.Fuzzing(seed=0).run(lambda findings: findings.seconds < SECONDS)
    finally:
        logging.disable(logging.NOTSET)
    assert not findings.failures, '\n'.join(map(entry, findings.failures))
    assert {outcome.health for outcome in findings.outcomes} == {'OK', 'WARNING', 'CRITICAL'}
    assert 0 < findings.kept < findings.runs


def test_a_missing_service_check_is_noticed(examine, monkeypatch):
    monkeypatch.setattr(KubeflowScraper, 'submit_health_check', lambda *args, **kwargs: None)
    with pytest.raises(subject.Failure, match='^there are 0 service checks'):
        examine(HEAD, 'none')


def test_an_error_of_another_kind_is_noticed(examine, monkeypatch):
    monkeypatch.setattr(KubeflowScraper, 'get_connection', lambda scraper: {}['no such key'])
    with pytest.raises(subject.Failure, match="^there are 0 service checks, error KeyError"):
        examine(HEAD, 'none')


def test_a_run_that_hangs_is_noticed(examine, monkeypatch):
    monkeypatch.setattr(subject, 'DEADLINE_SECONDS', 0.2)
    monkeypatch.setattr(KubeflowScraper, 'get_connection', lambda scraper: time.sleep(60))
    with pytest.raises(subject.Failure, match='^a run takes longer than 0.2 seconds'):
        examine(HEAD, 'none')


def test_what_an_answer_leaves_behind_is_noticed(examine, monkeypatch):
    begin = KubeflowScraper.scrape
    scrapes = []

    def scrape(scraper):
        scrapes.append(scraper)
        if len(scrapes) == 4:
            scraper.tags = (*scraper.tags, 'left:behind')
        begin(scraper)

    monkeypatch.setattr(KubeflowScraper, 'scrape', scrape)
    with pytest.raises(subject.Failure, match='^afterwards a clean exposition is not what it was: .*left:behind'):
        examine(HEAD + b'# TYPE a gauge\na 1\n', 'none')


def test_a_failure_is_made_small(monkeypatch):
    class Picky:
        def examine(self, answer, options):
            if b'x' in answer and b'yy' in answer:
                raise subject.Failure('an x beside two y')

    assert loop.shrunk(Picky(), 'none', b'aaaxbbbbyyyycccc', 'an x beside two y') == b'xyy'


def test_the_same_seed_makes_the_same_answers(monkeypatch):
    def answers():
        given = []

        class Quiet:
            def examine(self, answer, options, reached):
                given.append((answer, options))
                return subject.Outcome('OK')

        fuzzing = loop.Fuzzing(seed=3)
        for _ in range(300):
            fuzzing.examine(Quiet())
        return given

    assert answers() == answers()
