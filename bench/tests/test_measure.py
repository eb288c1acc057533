# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import time

import pytest

from .. import measure

MEBIBYTE = 1024 * 1024


class Fake:
    """A side that does what it is told."""

    def __init__(self, work=lambda: None):
        self.run = work


def busy(seconds):
    """Take so much CPU."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_the_median_of_the_cpu_of_each_side_is_taken_in_turns():
    turns = []
    pauses = iter([0, 0, 0, 0.2, 0.01, 0.01])

    def uneven():
        turns.append('uneven')
        busy(next(pauses))

    def even():
        turns.append('even')
        busy(0.03)

    seconds = measure.cpu({'uneven': Fake(uneven), 'even': Fake(even)}, rounds=3)

    assert turns == ['uneven'] * 3 + ['even'] * 3 + ['uneven', 'even'] * 3
    assert seconds['uneven'] == pytest.approx(0.01, abs=0.008)
    assert seconds['even'] == pytest.approx(0.03, abs=0.015)


def test_waiting_is_no_cpu():
    assert measure.cpu({'waiting': Fake(lambda: time.sleep(0.05))}, rounds=1)['waiting'] < 0.02


def test_the_peak_of_a_run_and_what_an_instance_holds():
    def make():
        held = bytearray(MEBIBYTE)

        def run():
            bytearray(3 * len(held))

        return Fake(run)

    memory = measure.memory(make)

    assert memory.peak == pytest.approx(3 * MEBIBYTE, rel=0.01)
    assert memory.retained == pytest.approx(MEBIBYTE, rel=0.01)


def test_what_each_run_leaves_is_counted_and_what_comes_once_is_not():
    leaking, filling = [], {}

    leaks = measure.left(Fake(lambda: leaking.append(object())), 100)
    comes_once = measure.left(Fake(lambda: filling.setdefault('once', object())), 100)
    # What else this process does meanwhile is in both.
    assert leaks - comes_once == pytest.approx(100, abs=20)
    assert abs(comes_once) < 30
