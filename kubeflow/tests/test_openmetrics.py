# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the rules of the two formats allow is read exactly, and what they forbid is refused.

The cases are in `openmetrics/`. prometheus_client is the only parser; where it is lenient or refuses too much the case
says so, and why.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck

from .common import ENDPOINT, ENDPOINT_TAG, OPENMETRICS, TEXT
from .submissions import PARSERS, answer, parsed_by, recorded

DIRECTORY = Path(__file__).parent / 'openmetrics'
CONTENT_TYPES = {'openmetrics': OPENMETRICS, 'text': TEXT}


def cases(file):
    """The cases of a file, each with either parser."""
    read = yaml.safe_load((DIRECTORY / f'{file}.yaml').read_text(encoding='utf-8'))
    names = [case['name'] for case in read]
    assert len(names) == len(set(names)), f'two cases of {file}.yaml share a name'
    return [pytest.param(case, parser, id=f'{case["name"]}, {parser}') for case in read for parser in PARSERS]


def body(case):
    return b64decode(case['base64']) if 'base64' in case else case['exposition'].encode()


@dataclass
class Scraped:
    """What one run submitted, sample by sample, its health with the message of that, and its error."""

    samples: list[list]
    health: int
    message: str = ''
    error: str = ''


def scrape(monkeypatch, case, parser, content_type):
    """One run for the exposition of a case."""
    monkeypatch.setattr('requests.Session.get', lambda *args, **kwargs: answer(body(case), content_type))
    options = {'openmetrics_endpoint': ENDPOINT, 'extra_metrics': case.get('extra_metrics', ['.+'])}
    with parsed_by(parser), recorded() as submitted:
        error = KubeflowCheck('kubeflow', {}, [options]).run()
    samples = [
        [
            sample.name.removeprefix('kubeflow.'),
            sample.type,
            sample.value,
            *sorted(tag for tag in sample.tags if tag != ENDPOINT_TAG),
        ]
        for sample in submitted.samples
    ]
    ((health, message),) = submitted.health
    return Scraped(samples, health, message, json.loads(error)[0]['message'] if error else '')


def reason(case, key, parser):
    reasons = case.get(key, {})
    return reasons.get('always') or reasons.get(parser)


@pytest.mark.parametrize('case, parser', cases('openmetrics-good'))
def test_openmetrics_is_read(case, parser, monkeypatch):
    assert scrape(monkeypatch, case, parser, OPENMETRICS) == Scraped(case['submitted'], ServiceCheck.OK)


@pytest.mark.parametrize('case, parser', cases('openmetrics-bad'))
def test_openmetrics_that_breaks_a_rule_is_refused(case, parser, monkeypatch):
    scraped = scrape(monkeypatch, case, parser, OPENMETRICS)
    accepted = reason(case, 'accepted', parser)
    assert bool(scraped.error) == (not accepted)
    assert scraped.health == (ServiceCheck.OK if accepted else ServiceCheck.CRITICAL)
    assert scraped.message in scraped.error


@pytest.mark.parametrize('case, parser', cases('text-good'))
def test_text_is_read(case, parser, monkeypatch):
    scraped = scrape(monkeypatch, case, parser, TEXT)
    if reason(case, 'refused', parser):
        assert (scraped.samples, scraped.health) == ([], ServiceCheck.WARNING)
    else:
        expected = case.get('misread', {}).get(parser) or case['submitted']
        assert scraped == Scraped(expected, ServiceCheck.OK)


@pytest.mark.parametrize('case, parser', cases('text-bad'))
def test_text_that_breaks_a_rule_is_left_out(case, parser, monkeypatch):
    scraped = scrape(monkeypatch, case, parser, TEXT)
    assert scraped.error == ''
    if reason(case, 'accepted', parser):
        assert scraped.health == ServiceCheck.OK
    else:
        assert (scraped.samples, scraped.health) == ([], ServiceCheck.WARNING)
        assert f'line {case["line"]}, ' in scraped.message
