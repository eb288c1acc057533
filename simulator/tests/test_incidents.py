# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What holds for every incident: its name, its culprits, and that the world is the same however it is looked at."""

import re
from pathlib import Path

import pytest

from ..components import Katib
from ..incidents import INCIDENTS, NOT_SCRAPABLE, UnknownIncident, incident
from ..releases import deployments
from ..workloads import busy_world
from ..workloads.common import Held
from ..world import Incident, World

README = Path(__file__).parents[1] / 'README.md'
IN_THE_WORLD = [name for name in INCIDENTS if name != NOT_SCRAPABLE]
EVERYTHING = [(each.component, each.release) for each in deployments(None)]


def test_names():
    assert list(INCIDENTS) == [
        'pipeline-runs-failing',
        'pipeline-runs-pending',
        'katib-trials-failing',
        'katib-trials-without-metrics',
        'inference-errors',
        'inference-latency',
        'notebook-creation-failing',
        'controller-reconcile-errors',
        'controller-workqueue-stuck',
        'recurring-runs-late',
        'endpoint-not-scrapable',
    ]


def test_the_readme_says_what_happens():
    rows = re.findall(r'^\| `([a-z-]+)` \| ([^|]+) \| [^|]+ \|$', README.read_text(), re.MULTILINE)
    assert dict(rows) == INCIDENTS


def test_an_incident_that_is_not_known():
    with pytest.raises(UnknownIncident) as caught:
        incident('no-coffee', World())
    assert str(caught.value) == f"there is no incident 'no-coffee'; there are {', '.join(INCIDENTS)}"


@pytest.mark.parametrize('name', INCIDENTS)
def test_the_culprits_follow_from_the_seed(name):
    assert incident(name, World(7)) == incident(name, World(7))
    others = [incident(name, World(seed, namespaces=9, models=9)).culprits for seed in range(9)]
    varied = name not in (NOT_SCRAPABLE, 'controller-workqueue-stuck', 'recurring-runs-late')
    assert (len({str(culprits) for culprits in others}) > 1) == varied


def test_culprits():
    culprits = {name: incident(name, World()).culprits for name in INCIDENTS}
    assert culprits['katib-trials-failing'] == ({'namespace': 'team-vision'},)
    assert culprits['controller-workqueue-stuck'] == ({'controller': 'trial-controller'},)
    assert culprits['endpoint-not-scrapable'] == ({'endpoint': 'katib-controller'},)
    served = ['sklearn-iris', 'xgboost-churn', 'bert-reviews', 'lightgbm-income', 'resnet-photos']
    assert [culprit['model'] for culprit in culprits['inference-latency']] == served
    assert culprits['inference-latency'][2] == {
        'namespace': 'team-nlp',
        'service': 'bert-reviews',
        'model': 'bert-reviews',
    }
    many = incident('inference-errors', World(models=50)).culprits
    assert [culprit['service'] for culprit in many] == served
    assert any(culprit['model'] != culprit['service'] for culprit in many)


def test_who_is_struck():
    world = World()
    world.begin(Incident('flood', 'water', ({'namespace': 'a', 'model': 'x'}, {'namespace': 'b'})))
    assert world.suffers('flood', namespace='a')
    assert world.suffers('flood', model='x')
    assert world.suffers('flood', namespace='b')
    assert not world.suffers('flood', namespace='c')
    assert not world.suffers('flood', namespace='b', model='x')
    assert not world.suffers('fire', namespace='a')
    world.end('flood')
    assert not world.suffers('flood', namespace='a')


def test_what_is_held_happens_in_its_order_once_the_incident_is_over():
    world = World()
    held, done = Held(world, 'flood', 2, namespace='a'), []
    assert held.do(lambda: done.append(('dry', world.now)))
    world.begin(Incident('flood', 'water', ({'namespace': 'a'},)))
    assert not held.do(lambda: done.append(('first', world.now)))
    assert not held.do(lambda: done.append(('second', world.now)))
    world.step(10)
    assert done == [('dry', 0)]
    world.end('flood')
    # What comes while something waits has to wait too.
    assert not held.do(lambda: done.append(('third', world.now)))
    world.step(10)
    assert done == [('dry', 0), ('first', 10), ('second', 12), ('third', 14)]
    assert held.do(lambda: done.append(('later', world.now)))


def payloads(steps, forms):
    """What is exposed after every incident began and ended, a few seconds after one another."""
    world = busy_world()
    components = [component(world, release) for component, release in forms]
    world.step(120)
    for name in IN_THE_WORLD:
        world.begin(incident(name, world))
        for seconds in steps:
            world.step(seconds)
    for name in IN_THE_WORLD:
        world.end(name)
        for seconds in steps:
            world.step(seconds)
    return [component.payload() for component in components]


def test_time_may_be_cut_anyhow_and_components_left_out():
    whole = payloads([30], EVERYTHING)
    assert payloads([0.1] * 150 + [0, 15], EVERYTHING) == whole
    for number, form in enumerate(EVERYTHING):
        if form[0].id in ('katib-controller', 'notebook-controller', 'pipelines-api-server'):
            assert payloads([30], [form]) == whole[number : number + 1]


@pytest.mark.parametrize('name', IN_THE_WORLD)
def test_it_changes_the_world(name):
    """As it would not if a workload asked for another name."""
    exposed = []
    for struck in (False, True):
        world = busy_world()
        components = [component(world, release) for component, release in EVERYTHING]
        if struck:
            world.begin(incident(name, world))
        world.step(150)
        exposed.append([component.payload() for component in components])
    assert exposed[0] != exposed[1]


@pytest.mark.parametrize('name', INCIDENTS)
def test_the_end_of_what_is_not_in_force_changes_nothing(name):
    exposed = []
    for ended in (False, True):
        world = busy_world()
        katib = Katib(world, '0.19')
        if ended:
            world.end(name)
        world.step(60)
        exposed.append(katib.payload())
    assert exposed[0] == exposed[1]
