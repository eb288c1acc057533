# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whatever a port sends costs bounded time and memory and is told in one sentence; the next run knows nothing of it.

Bounds are generous: they tell what ends from what does not, and what follows the limits from what follows the sender.
"""

import json
import re
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck
from runner.aggregator import Aggregator
from runner.watched import Watched
from simulator.certificates import server_context

from .hostile import BEHAVIOURS, TOLERATED, exposing, serving
from .hostile.behaviours import COMPRESSED, FIRST
from .loopback import Recorder

MIB = 1024 * 1024

# Small, that the tests are quick.
LIMITS = {'max_response_size': 1, 'max_line_size': 16, 'scrape_timeout': 0.5, 'timeout': 0.3}
# For what comes too fast to be late, where tracing memory slows all down.
PATIENT = {**LIMITS, 'scrape_timeout': 60}
SECONDS = LIMITS['scrape_timeout'] + 3
# Buffers of the connection, and what is read ahead of the limit.
MEMORY = 4 * MIB

SENTENCES = yaml.safe_load((Path(__file__).parent / 'hostile' / 'sentences.yaml').read_text(encoding='utf-8'))

GAUGES = [
    'katib.experiment.running.total namespace:team-a = 0',
    'katib.trial.running.total namespace:team-a = 30',
]


class Told(Recorder):
    """Keeps the message of the service check too."""

    message = ''

    def add_service_check(self, name, status, tags, hostname, message):
        super().add_service_check(name, status, tags, hostname, message)
        self.message = message


@pytest.fixture
def observed(monkeypatch):
    aggregator = Aggregator()
    monkeypatch.setattr('datadog_checks.base.checks.base.aggregator', aggregator)

    def observe(url, **options):
        return Watched('hostile', {'openmetrics_endpoint': url, **options}, Told(), KubeflowCheck, aggregator)

    return observe


def is_told(error, message, sentence, url):
    """Whether the error and the message of the service check are the sentence."""
    pattern = re.escape(sentence.replace('$url', url)).replace(r'\$count', r'\d+').replace(r'\$anything', '.{1,110}')
    said = json.loads(error)[0]['message'].removeprefix(f'There was an error scraping endpoint {url}: ')
    return re.fullmatch(pattern, message) is not None and said == message


@contextmanager
def measured():
    """The time and the memory of a block, for a list: seconds and the most bytes at once."""
    found = []
    tracemalloc.start()
    try:
        started = time.monotonic()
        yield found
        found += [time.monotonic() - started, tracemalloc.get_traced_memory()[1]]
    finally:
        tracemalloc.stop()


def limits_of(name):
    return PATIENT if name.startswith(('endless', 'bomb')) else LIMITS


def test_every_behaviour_has_its_sentence():
    assert list(SENTENCES) == list(BEHAVIOURS)


@pytest.mark.parametrize('name', BEHAVIOURS)
def test_a_port_that_misbehaves(name, observed):
    with serving() as server:
        watched = observed(server.url, **limits_of(name))
        server.behaviour = exposing(100)
        assert (watched.run(), watched.sampler.health) == ('', 'OK')

        server.behaviour = BEHAVIOURS[name]
        with measured() as found:
            error = watched.run()
        seconds, memory = found
        assert is_told(error, watched.sampler.message, SENTENCES[name], server.url), (error, watched.sampler.message)
        assert (watched.sampler.health, watched.sampler.submitted) == ('CRITICAL', [])
        assert memory < MEMORY
        if limits_of(name) is LIMITS:
            assert seconds < SECONDS

        server.behaviour = exposing(103)
        assert (watched.run(), watched.sampler.health) == ('', 'OK')
        assert watched.sampler.submitted == ['katib.experiment.created.count namespace:team-a = 103, +3', *GAUGES]


@pytest.mark.parametrize('name', TOLERATED)
def test_what_is_odd_and_an_exposition(name, observed):
    with serving() as server:
        watched = observed(server.url, **LIMITS)
        server.behaviour = TOLERATED[name]
        assert (watched.run(), watched.sampler.health) == ('', 'OK')
        assert watched.sampler.submitted == ['katib.experiment.created.count namespace:team-a = 100', *GAUGES]


@pytest.mark.parametrize(
    'name',
    [
        'drip of the body',
        'drip of the body in chunks',
        'drip of the headers',
        'stall in the body',
        'endless body',
        'bomb with a length',
        'compressed data that is cut',
    ],
)
def test_the_same_with_tls(name, observed, tmp_path):
    with serving(server_context(['127.0.0.1'], tmp_path)) as server:
        watched = observed(server.url, tls_verify=False, **limits_of(name))
        server.behaviour = exposing(100)
        assert watched.run() == ''

        server.behaviour = BEHAVIOURS[name]
        with measured() as found:
            error = watched.run()
        seconds, memory = found
        assert is_told(error, watched.sampler.message, SENTENCES[name], server.url), (error, watched.sampler.message)
        assert memory < MEMORY
        if limits_of(name) is LIMITS:
            assert seconds < SECONDS

        server.behaviour = exposing(103)
        assert watched.run() == ''
        assert watched.sampler.submitted == ['katib.experiment.created.count namespace:team-a = 103, +3', *GAUGES]


def test_connections_that_are_kept_are_watched_too(observed):
    with serving() as server:
        watched = observed(server.url, persist_connections=True, **LIMITS)
        for created in (100, 101):
            server.behaviour = exposing(created)
            assert watched.run() == ''
        server.behaviour = BEHAVIOURS['drip of the headers']
        with measured() as found:
            error = watched.run()
        assert server.connections == 1
        assert is_told(error, watched.sampler.message, SENTENCES['drip of the headers'], server.url)
        assert found[0] < SECONDS


def test_a_mebibyte_is_not_larger_than_a_mebibyte(observed):
    """The limit counts what the exposition has, not what comes with it."""
    with serving() as server:
        watched = observed(server.url, **PATIENT)
        server.behaviour = exposing(100, MIB)
        assert watched.run() == ''
        assert watched.sampler.submitted == ['katib.experiment.created.count namespace:team-a = 100', *GAUGES]
        server.behaviour = exposing(100, MIB + 1)
        assert 'sent more than the 1 MiB that `max_response_size` allows' in watched.run()


@pytest.mark.parametrize('name', ['endless body', 'bomb in one chunk'])
def test_the_limits_that_are_set_by_default_bound_it_as_well(name, observed):
    with serving() as server:
        watched = observed(server.url)
        server.behaviour = BEHAVIOURS[name]
        started = time.monotonic()
        error = watched.run()
        assert 'sent more than the 256 MiB that `max_response_size` allows' in error
        assert time.monotonic() - started < 30 + 3


def test_an_exposition_of_18_mebibytes_is_fine_by_default(observed):
    with serving() as server:
        watched = observed(server.url)
        server.behaviour = exposing(100, 18 * MIB)
        assert (watched.run(), watched.sampler.health) == ('', 'OK')
        assert watched.sampler.submitted == ['katib.experiment.created.count namespace:team-a = 100', *GAUGES]


@pytest.mark.parametrize(
    'name, size',
    [('length that is no number', len(FIRST)), ('until the end', len(FIRST)), ('compressed', len(COMPRESSED))],
)
def test_the_size_that_telemetry_tells(name, size, observed):
    with serving() as server:
        watched = observed(server.url, telemetry=True, **LIMITS)
        server.behaviour = TOLERATED[name]
        assert watched.run() == ''
        (line,) = (line for line in watched.sampler.submitted if line.startswith('telemetry.payload.size'))
        assert line == f'telemetry.payload.size = {size}'
