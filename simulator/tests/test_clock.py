# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import threading
import time

import pytest

from ..clock import FASTEST, LONGEST_PAUSE, LONGEST_STEP, SLOWEST, Clock, Stopped
from ..world import World


@pytest.fixture
def monotonic(monkeypatch):
    """Sets what the clock of the machine shows."""
    shown = [1000.0]
    monkeypatch.setattr(time, 'monotonic', lambda: shown[0])

    def show(seconds):
        shown[0] = 1000.0 + seconds

    return show


def at_present(clock):
    with clock.present():
        return clock.world.now


def test_stepped_time_stands_still(monotonic):
    clock = Clock(World(), None)
    clock.start()
    monotonic(0.5)
    assert at_present(clock) == 0
    clock.step(12.5)
    clock.step(0)
    assert at_present(clock) == 12.5
    clock.stop()


@pytest.mark.parametrize('seconds', [-1, float('nan')])
def test_steps_that_cannot_be(seconds):
    with pytest.raises(ValueError, match='no number of seconds that can pass'):
        Clock(World(), None).step(seconds)


def test_time_runs_from_the_start_on(monotonic):
    clock = Clock(World(), 120)
    clock.step(600)
    monotonic(5)
    assert at_present(clock) == 600
    clock.start()
    try:
        with pytest.raises(RuntimeError, match='speed=None'):
            clock.step(1)
        monotonic(5.5)
        assert at_present(clock) == 660
        # A long pause is made up for in part.
        monotonic(1000)
        assert at_present(clock) == 660 + LONGEST_PAUSE * 120
    finally:
        clock.stop()


def test_a_world_too_large_for_its_speed_falls_behind(monotonic, monkeypatch):
    # Nobody else looks meanwhile.
    monkeypatch.setattr('simulator.clock.TICK', 600)
    world = World()
    cost = LONGEST_STEP / 4

    def dear():
        monotonic(time.monotonic() - 1000 + cost)
        world.schedule(1, dear)

    world.schedule(1, dear)
    clock = Clock(world, FASTEST)
    clock.start()
    try:
        monotonic(0.5)
        # Four events take as long as a look may.
        assert at_present(clock) == 4
        assert at_present(clock) == 8
    finally:
        clock.stop()
    # Once it is over nothing moves on.
    monotonic(5)
    assert at_present(clock) == 8


def test_the_end_does_not_wait_for_a_step_under_way():
    world = World()
    under_way, seen = threading.Event(), threading.Event()

    def first():
        under_way.set()
        assert seen.wait(30)

    world.schedule(0.5, first)
    world.schedule(FASTEST / 2, lambda: {}['reached'])
    clock = Clock(world, FASTEST)
    clock.start()
    assert under_way.wait(30)
    end = threading.Thread(target=clock.stop)
    end.start()
    while not clock._over.is_set():
        time.sleep(0.01)
    seen.set()
    end.join(30)
    assert not end.is_alive()
    assert world.now == 1
    assert clock.wait() == ''


@pytest.mark.parametrize('speed', [0, -1, SLOWEST / 2, FASTEST * 2, 1e300, float('inf'), float('nan')])
def test_speeds_that_cannot_be(speed):
    with pytest.raises(ValueError) as caught:
        Clock(World(), speed)
    assert str(caught.value) == f'speed {speed} is not from 0.001 to 86400'


@pytest.mark.parametrize('speed', [SLOWEST, FASTEST])
def test_the_slowest_and_the_fastest(monotonic, speed):
    clock = Clock(World(), speed)
    clock.start()
    try:
        monotonic(0.25)
        assert at_present(clock) == speed / 4
    finally:
        clock.stop()


def test_the_world_moves_on_where_nobody_looks():
    clock = Clock(World(), 1000)
    clock.start()
    deadline = time.monotonic() + 30
    while not clock.world.now and time.monotonic() < deadline:
        time.sleep(0.02)
    clock.stop()
    assert clock.world.now > 0
    assert clock.wait() == ''


def test_a_world_that_breaks_ends_the_simulation():
    world = World()
    world.schedule(7, lambda: {}['lost'])
    clock = Clock(world, None)
    sentence = "the simulated world broke after 7 seconds: KeyError: 'lost'"
    with pytest.raises(Stopped) as caught:
        clock.step(10)
    assert str(caught.value) == sentence
    assert clock.wait() == sentence
    with pytest.raises(Stopped, match='after 7 seconds'):
        clock.step(10)
    with pytest.raises(Stopped, match='after 7 seconds'):
        at_present(clock)


def test_the_first_failure_of_a_running_world_is_told():
    world = World()
    world.schedule(1, lambda: {}['lost'])
    clock = Clock(world, 1000)
    clock.start()
    assert clock.wait() == "the simulated world broke after 1 seconds: KeyError: 'lost'"
    clock.stop()
