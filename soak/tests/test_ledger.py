# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from simulator import components
from simulator.components.component import Component
from simulator.events import NotebookAttempt, ProfileRequest
from simulator.releases import RELEASES, deployments
from simulator.world import World

from ..ledger import RULES, Ledger

CREATED = 'kubeflow.notebook.server.created.count'
FAILED = 'kubeflow.notebook.server.failed.count'
ENDPOINT = 'notebook-controller'


@pytest.fixture
def world():
    return World()


@pytest.fixture
def ledger(world):
    return Ledger(world, {ENDPOINT: components.NotebookController(world, '1.10')})


def attempt(world, namespace, failed=False):
    world.publish(NotebookAttempt(namespace, failed))


def expected(ledger, endpoint=ENDPOINT):
    return {each.metric: dict(each.counts) for each in ledger.expected(endpoint)}


def test_counts_what_happened_between_the_first_scrape_and_the_last(world, ledger):
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    attempt(world, 'b', failed=True)
    ledger.scraped(ENDPOINT)
    attempt(world, 'b')

    assert expected(ledger) == {
        CREATED: {('namespace:a',): 1, ('namespace:b',): 1},
        FAILED: {('namespace:b',): 1},
    }


def test_what_nobody_scraped_before_a_restart_is_lost_and_the_rest_is_not(world, ledger):
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    attempt(world, 'a')
    ledger.restarted(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)

    assert expected(ledger) == {CREATED: {('namespace:a',): 2}, FAILED: {}}


def test_a_restart_before_the_first_scrape_changes_nothing(world, ledger):
    attempt(world, 'a')
    ledger.restarted(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)
    attempt(world, 'a')
    ledger.scraped(ENDPOINT)

    assert expected(ledger) == {CREATED: {('namespace:a',): 1}, FAILED: {}}


def test_an_endpoint_that_was_never_scraped_counts_nothing(world, ledger):
    attempt(world, 'a')

    assert expected(ledger) == {CREATED: {}, FAILED: {}}


def test_a_controller_that_restarts_counts_what_it_finds(world):
    ledger = Ledger(world, {'profiles': components.ProfileController(world, '1.10')})
    world.create('profile', 'a', 'Ready', name='a')
    world.create('profile', 'b', 'Ready', name='b')
    ledger.scraped('profiles')
    world.publish(ProfileRequest('reconcile'))
    ledger.scraped('profiles')
    ledger.restarted('profiles')
    ledger.scraped('profiles')

    assert expected(ledger, 'profiles') == {'kubeflow.profile.requests.count': {(): 3}}


@pytest.mark.parametrize('kubeflow', [None, *RELEASES])
def test_something_is_compared_of_every_component(kubeflow):
    for deployment in deployments(kubeflow):
        assert issubclass(deployment.component, Component)
        assert list(RULES[deployment.component](deployment.release))
