# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from math import inf, nextafter, sin
from random import Random

import pytest

from ..events import Inference
from ..releases import deployments
from ..workloads import busy_world
from ..workloads.pipelines import name_suffix
from ..workloads.traffic import Traffic
from ..world import DELETED, PhaseChange, World
from .samples import FORMS

EVERYTHING = [(each.component, each.release) for each in deployments(None)]


def run(seed, steps, forms=EVERYTHING, **sizes):
    world = busy_world(seed, **sizes)
    components = [component(world, release) for component, release in forms]
    for seconds in steps:
        world.step(seconds)
    return [component.payload() for component in components]


def test_the_seed_decides_every_byte():
    assert run(7, [300]) == run(7, [300])
    assert run(7, [300]) != run(8, [300])


def test_the_last_digit_of_a_c_library_changes_nothing(monkeypatch):
    """Logarithms and powers, which these are made with, are not the same to the last digit on every machine."""
    expected = run(0, [300])
    for name in ('lognormvariate', 'expovariate'):
        drawn = getattr(Random, name)
        monkeypatch.setattr(Random, name, lambda *args, drawn=drawn: nextafter(drawn(*args), inf))
    monkeypatch.setattr('simulator.runtime.math.sin', lambda angle, sin=sin: nextafter(sin(angle), inf))
    assert run(0, [300]) == expected


def test_steps_may_be_cut_anyhow():
    assert run(0, [300]) == run(0, [1] * 100 + [0, 0.25, 199.75])


def test_many_steps_end_where_one_does():
    world = World()
    for _ in range(20_000):
        world.step(0.1)
    assert world.now == 2000
    assert run(0, [0.1] * 3000) == run(0, [300])


def test_who_asks_changes_nothing():
    world = busy_world()
    components = [component(world, release) for component, release in EVERYTHING]
    for _ in range(30):
        world.step(10)
        assert [component.payload() for component in components] == [component.payload() for component in components]
    assert [component.payload() for component in components] == run(0, [10] * 30)


@pytest.mark.parametrize('component, release', FORMS)
def test_a_component_is_the_same_alone(component, release):
    others = [*EVERYTHING, (component, release)]
    assert run(0, [200], [(component, release)]) == run(0, [200], others)[-1:]


def test_a_restarted_component_follows_from_its_start():
    def restarted():
        world = busy_world(3)
        components = [component(world, release) for component, release in EVERYTHING]
        world.step(250)
        for component in components:
            component.close()
        components = [component(world, release) for component, release in EVERYTHING]
        world.step(250)
        return [component.payload() for component in components]

    assert restarted() == restarted() != run(3, [500])


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


def test_an_object_is_there_once():
    world = World()
    world.create('run', 'a', 'Pending', name='train')
    with pytest.raises(ValueError, match='There is a run train already'):
        world.create('run', 'b', 'Pending', name='train')


def test_a_listener_is_forgotten_by_itself_or_by_its_owner():
    class Owner(list):
        def on_change(self, change):
            self.append(change.phase)

    world = World()
    owner, alone = Owner(), []
    world.listen(PhaseChange, owner.on_change)
    world.listen(PhaseChange, alone.append)
    run = world.create('run', 'a', 'Pending')
    world.forget(owner)
    world.enter(run, 'Running')
    world.forget(alone.append)
    world.enter(run, DELETED)
    assert owner == ['Pending']
    assert len(alone) == 2


@pytest.mark.parametrize('namespaces', [1, 2, 5, 40])
def test_as_many_profiles_as_asked_for(namespaces):
    world = busy_world(namespaces=namespaces)
    world.step(90)
    names = [profile.name for profile in world.objects('profile')]
    assert len(set(names)) == namespaces
    assert names[:3] == ['team-nlp', 'team-tabular', 'team-vision'][:namespaces]
    for service in world.objects('inferenceservice'):
        assert service.namespace in names
        assert service.phase == 'Ready'
    assert len(world.objects('inferenceservice')) == len(Traffic.SERVERS)


def test_every_profile_is_used():
    world = busy_world(namespaces=30)
    world.step(300)
    namespaces = {profile.name for profile in world.objects('profile')}
    for kind in ('experiment', 'job', 'run', 'schedule'):
        assert {each.namespace for each in world.objects(kind)} == namespaces


@pytest.mark.parametrize('kind', ['experiment', 'suggestion', 'trial', 'notebook', 'run', 'job', 'tensorboard'])
def test_the_world_does_not_fill_up(kind):
    world = busy_world()
    world.step(1800)
    before = len(world.objects(kind))
    world.step(7200)
    assert 0 < len(world.objects(kind)) < 2 * before


def requests(world):
    seen = []
    world.listen(Inference, seen.append)
    world.step(300)
    return seen


def test_many_models_share_the_requests():
    few, many = requests(busy_world(models=1)), requests(busy_world(models=100))
    assert 5 * len(few) < len(many) < 15 * len(few)
    assert len({request.model for request in few}) == len(Traffic.SERVERS)
    assert len({request.model for request in many}) == 100 * len(Traffic.SERVERS)


def test_many_namespaces_share_the_work():
    def changes(namespaces):
        world = busy_world(namespaces=namespaces)
        # Profiles come and begin with something each; after that it is quiet.
        world.step(600)
        seen = []
        world.listen(PhaseChange, seen.append)
        world.step(600)
        return len(seen)

    assert changes(200) < 1.5 * changes(24)


def test_latencies_are_spread():
    times = sorted(request.predict for request in requests(busy_world()) if request.server == 'sklearn-iris')
    median, tail = times[len(times) // 2], times[len(times) * 99 // 100]
    assert 0.009 < median < 0.016
    assert tail > 3 * median


def test_names_of_runs_differ():
    names = {name_suffix(number) for number in range(200_000)}
    assert len(names) == 200_000
    assert all(len(name) == 5 for name in names)
