# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check that gets the answers, and what must hold whatever they are."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from requests.exceptions import RequestException

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.fetch.failures import Refused
from datadog_checks.kubeflow.memory import Memory

from ..common import TEXT, exposition
from ..hostile import serving
from ..hostile.server import Server
from ..submissions import CATALOGUE_NAMES, Submitted, recorded
from .answers import reduced

# What a run may take. No answer here is larger than some 100 KiB.
DEADLINE_SECONDS = 5
# Connections after which a server is replaced, for it keeps something of each.
CONNECTIONS = 2000
LONGEST_MESSAGE = 1500

# The instances that get each answer by turns.
OPTIONS = {
    'none': {},
    'every family': {'extra_metrics': ['.+'], 'telemetry': True, 'collect_runtime_metrics': True},
    'names': {
        'extra_metrics': ['katib_trials_current', 'up', {'workqueue_adds': {'name': 'adds', 'type': 'gauge'}}],
        'exclude_metrics': ['^go_'],
        'raw_line_filters': ['status="Failed"'],
        'use_process_start_time': True,
    },
    'labels': {
        'share_labels': {'katib_trials_current': {'match': ['namespace'], 'labels': ['status']}, 'go_info': True},
        'cache_shared_labels': False,
        'exclude_metrics_by_labels': {'status': ['Killed']},
        'rename_labels': {'controller': 'who'},
        'hostname_label': 'namespace',
        'extra_metrics': ['^katib', 'seconds'],
    },
    'distributions': {'collect_counters_with_distributions': True, 'extra_metrics': ['.+']},
    'buckets apart': {'non_cumulative_histogram_buckets': True, 'extra_metrics': ['_seconds$']},
    'prefix': {'raw_metric_prefix': 'katib_', 'extra_metrics': ['^trial', '_total$']},
    'limits': {'max_samples_per_family': 10, 'max_line_size': 1, 'extra_metrics': ['.+']},
}
NOTHING = nullcontext()
# What an outcome's message says of one answer alone.
PARTICULAR = re.compile(r'''http://\S+|'.*?'|".*?"|\(.*?\)|\d+|(?<=What is made of ).*(?= is left out)|_\w+|\w+_\w+''')


def clean() -> bytes:
    """An exposition that is as it should be, of a program that does not tell when it started."""
    families = ('katib_', 'workqueue_adds_total', 'controller_runtime_reconcile_time_seconds')
    lines = reduced(exposition('katib-0.19')).decode().splitlines(keepends=True)
    body = ''.join(line for line in lines if line.removeprefix('# HELP ').removeprefix('# TYPE ').startswith(families))
    head = f'HTTP/1.1 200 OK\r\nContent-Type: {TEXT}\r\nContent-Length: {len(body)}\r\n\r\n'
    return (head + body).encode()


CLEAN = clean()


class Failure(Exception):
    """Something did not hold; the text says what."""


class TooSlow(BaseException):
    """A run takes longer than it may. Nothing but the fuzzing catches it."""


@dataclass(frozen=True)
class Outcome:
    """What an answer came to: the health, and the kind of error and message, without what is particular to it."""

    health: str
    message: str = ''


class _Check(KubeflowCheck):
    raised: Exception | None = None

    def check(self, instance):
        self.raised = None
        try:
            super().check(instance)
        except Exception as error:
            self.raised = error
            raise


class Subject:
    """Gives answers to instances of the check, through a port on loopback."""

    def __init__(self, server: Server):
        self._server = server

    def examine(self, answer: bytes, options: str, reached: AbstractContextManager = NOTHING) -> Outcome:
        """Answer an instance of these options: well, then twice with `answer`, then well again.

        The first run with `answer` is within the context `reached`. Raises `Failure` where anything of what must hold
        does not.
        """
        check = _Check('kubeflow', {}, [{'openmetrics_endpoint': self._server.url, **OPTIONS[options]}])
        expected, outcome = self._run(check, CLEAN)
        if outcome.health != 'OK' or not expected.samples:
            raise Failure(f'a clean exposition comes to {outcome}')
        with reached:
            _, outcome = self._run(check, answer)
        _, again = self._run(check, answer)
        if again != outcome:
            raise Failure(f'the first time it is {outcome}, the second {again}')
        # What it settles, as which source feeds a metric, is meant to last.
        (scraper,) = check.scrapers.values()
        scraper._memory = Memory()
        actual, _ = self._run(check, CLEAN)
        if difference := _difference(expected, actual):
            raise Failure(f'afterwards a clean exposition is not what it was: {difference}')
        return outcome

    def _run(self, check: _Check, answer: bytes) -> tuple[Submitted, Outcome]:
        self._server.behaviour = lambda peer: peer.say(answer)
        with recorded() as submitted, _deadline():
            if (error := check.run()) and check.raised is None:
                raise Failure(f'the options are wrong: {error}')
        warnings = check.get_warnings()
        return submitted, _judged(check.raised, submitted, warnings, self._server.url)


@contextmanager
def subject() -> Iterator[Subject]:
    """What gets answers, until the end of the block."""
    with serving() as server:
        yield Subject(server)


@contextmanager
def _deadline() -> Iterator[None]:
    def interrupt(*_):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE_SECONDS)
    try:
        yield
    except TooSlow:
        raise Failure(f'a run takes longer than {DEADLINE_SECONDS} seconds') from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _judged(raised: Exception | None, submitted: Submitted, warnings: list[str], url: str) -> Outcome:
    if len(submitted.health) != 1:
        raise Failure(f'there are {len(submitted.health)} service checks, error {raised!r}')
    ((status, message),) = submitted.health
    if (status == ServiceCheck.CRITICAL) != (raised is not None):
        raise Failure(f'the health is {status}, the error {raised!r}')
    if (status == ServiceCheck.WARNING) and message not in ' '.join(warnings):
        raise Failure(f'the health warns of {message!r}, and the warnings are {warnings}')
    if raised is not None:
        _examine_error(raised, url)
    for text in (message, *warnings):
        if not text.isprintable() or len(text) > LONGEST_MESSAGE:
            raise Failure(f'a message of {len(text)} characters is not fit to be read: {text[:LONGEST_MESSAGE]!r}')
    for sample in submitted.samples:
        value = sample.value[0] if sample.type == 'bucket' else sample.value
        if sample.type in ('monotonic_count', 'bucket') and sample.name in CATALOGUE_NAMES and not value >= 0:
            raise Failure(f'a count is not 0 or more: {sample}')
    kind = f'{type(raised).__name__}: ' if raised else ''
    return Outcome(ServiceCheck._fields[status], PARTICULAR.sub('...', kind + message))


def _examine_error(error: Exception, url: str) -> None:
    if type(error) not in (ValueError, Refused) and not isinstance(error, RequestException):
        raise Failure(f'{type(error).__name__} is no error that is documented: {error}') from error
    text = str(error)
    if url not in text:
        raise Failure(f'an error does not name the endpoint: {text!r}')
    if not text.isprintable() or len(text) > LONGEST_MESSAGE:
        raise Failure(f'an error of {len(text)} characters is not fit to be read: {text[:LONGEST_MESSAGE]!r}')


def _difference(expected: Submitted, actual: Submitted) -> str:
    """Whether a series differs. After an error the Agent is told not to take what a new one says."""
    before, after = _series(expected), _series(actual)
    return ', '.join(
        str((key, before.get(key), after.get(key))) for key in before | after if before.get(key) != after.get(key)
    )


def _series(submitted: Submitted) -> dict[tuple, list]:
    series: dict[tuple, list] = {}
    for sample in submitted.samples:
        if sample.type != 'count' or '.telemetry.' not in sample.name:
            series.setdefault((sample.name, sample.type, sample.tags, sample.hostname), []).append(sample.value)
    return series
