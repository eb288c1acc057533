# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections import Counter

import pytest

from simulator.events import NotebookAttempt
from simulator.world import World

from ..ledger import Ledger

CREATED = 'kubeflow.notebook.server.created.count'
FAILED = 'kubeflow.notebook.server.failed.count'
ENDPOINT = 'notebook-controller'


@pytest.fixture
def world():
    return World()


@pytest.fixture
def ledger(world):
    return Ledger(world, {ENDPOINT: '1.10'})


def attempt(world, namespace, failed=False):
    world.publish(NotebookAttempt(namespace, failed))


def test_counts_what_happened_between_the_first_scrape_and_the_last(world, ledger):
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    attempt(world, 'b', failed=True)
    ledger.scraped(ENDPOINT)
    attempt(world, 'b')

    assert ledger.expected(ENDPOINT) == Counter(
        {(CREATED, ('namespace:a',)): 1, (CREATED, ('namespace:b',)): 1, (FAILED, ('namespace:b',)): 1}
    )


def test_what_nobody_scraped_before_a_restart_is_lost_and_the_rest_is_not(world, ledger):
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    attempt(world, 'a')
    ledger.restarted(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)

    assert ledger.expected(ENDPOINT) == Counter({(CREATED, ('namespace:a',)): 2})


def test_a_restart_before_the_first_scrape_changes_nothing(world, ledger):
    attempt(world, 'a')
    ledger.restarted(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)

    assert ledger.expected(ENDPOINT) == Counter({(CREATED, ('namespace:a',)): 1})


def test_an_endpoint_that_was_never_scraped_counts_nothing(world, ledger):
    attempt(world, 'a')

    assert not ledger.expected(ENDPOINT)
