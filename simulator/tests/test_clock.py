# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import time

import pytest

from ..clock import LONGEST_PAUSE, Clock, Stopped
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
