# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..components import COMPONENTS
from ..workloads import busy_world
from ..world import DELETED, PhaseChange, World
from .samples import PROCESS_FAMILIES, samples


def state(components):
    return [
        {
            key: value
            for key, value in samples(component.payload()).items()
            if not key[0].startswith(PROCESS_FAMILIES) and not key[0].endswith('_created')
        }
        for component in components
    ]


def run(seed, steps, chosen=COMPONENTS):
    world = busy_world(seed)
    components = [component(world) for component in chosen]
    for seconds in steps:
        world.step(seconds)
    return state(components)


def test_the_seed_decides():
    assert run(7, [300]) == run(7, [300])
    assert run(7, [300]) != run(8, [300])


def test_steps_may_be_cut_anyhow():
    assert run(0, [300]) == run(0, [1] * 100 + [200])


def test_a_component_is_the_same_alone():
    together = run(0, [200])
    for index, component in enumerate(COMPONENTS):
        assert run(0, [200], [component]) == [together[index]]


def test_agenda_is_in_order_of_time():
    world = World()
    seen = []
    world.schedule(2, lambda: seen.append(('second', world.now)))
    world.schedule(1, lambda: seen.append(('first', world.now)))
    world.schedule(3, lambda: seen.append(('late', world.now)))
    world.step(2.5)
    assert seen == [('first', 1), ('second', 2)]
    assert world.now == 2.5


def test_phases_and_age():
    world = World()
    seen = []
    world.listen(PhaseChange, lambda change: seen.append((change.phase, change.age)))
    run = world.create('run', 'a', 'Pending')
    world.step(5)
    world.enter(run, 'Running')
    assert world.phases('run') == {('a', 'Running'): 1}
    world.enter(run, DELETED)
    assert world.objects('run') == []
    assert seen == [('Pending', 0), ('Running', 5), (DELETED, 5)]


@pytest.mark.parametrize('kind', ['experiment', 'trial', 'notebook', 'run', 'job'])
def test_the_world_does_not_fill_up(kind):
    world = busy_world()
    world.step(1200)
    before = len(world.objects(kind))
    world.step(3600)
    assert 0 < len(world.objects(kind)) < 2 * before
