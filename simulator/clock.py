# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The time of a world that several threads look at."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .world import World

# Seconds of the world in one second. A slower one may stand still where many look, as time has whole microseconds; at
# the fastest a day passes in a second, with which only a small world keeps up.
SLOWEST = 0.001
FASTEST = 86_400.0

# How often the world moves on where nobody looks, how long a pause it makes up for at most, and for how long at most it
# moves on at once: a world too large for its speed falls behind the clock, and still answers. In seconds.
TICK = 0.5
LONGEST_PAUSE = 1.0
LONGEST_STEP = 0.25
# How much of the world passes before the clock looks whether it is over or took too long. In seconds of the world.
SLICE = 1.0


class Stopped(Exception):
    """The simulation cannot go on; the message is one sentence that says why."""


class Clock:
    """Moves a world on, and lets one thread at a time look at it.

    `speed` is how many seconds of the world pass in one second from `start` on, `SLOWEST` to `FASTEST`; with None time
    stands still until `step`. Raises `ValueError` for another speed.
    """

    def __init__(self, world: World, speed: float | None):
        if speed is not None and not SLOWEST <= speed <= FASTEST:
            raise ValueError(f'speed {speed} is not from {SLOWEST:g} to {FASTEST:g}')
        self.world = world
        self._speed = speed
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._failure = ''
        self._last: float | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._speed is not None:
            self._last = time.monotonic()
            self._thread = threading.Thread(target=self._run, name='simulator-clock', daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def wait(self) -> str:
        """Wait until the clock is stopped, or the simulation cannot go on: then why, in one sentence, else ''."""
        # Not for ever at a time: where the system hands a signal to another thread, its handler waits for this one.
        while not self._over.wait(TICK):
            pass
        return self._failure

    @contextmanager
    def present(self) -> Iterator[None]:
        """The world stands still at the present moment while the block runs.

        An error there ends the simulation, for nobody knows what it left half done. Raises `Stopped`.
        """
        with self._lock:
            self._check()
            if self._last is not None:
                now = time.monotonic()
                self._catch_up(min(now - self._last, LONGEST_PAUSE) * self._speed, now + LONGEST_STEP)
                self._last = now
            yield

    def step(self, seconds: float) -> None:
        """Let so many seconds of the world pass. Raises `Stopped`, `RuntimeError` where time runs by itself."""
        if self._last is not None:
            raise RuntimeError('time runs by itself; make the simulator with speed=None to step it')
        if not seconds >= 0:
            raise ValueError(f'{seconds} is no number of seconds that can pass')
        with self._lock:
            self._check()
            self._step(seconds)

    def fail(self, what: str, error: Exception) -> Stopped:
        """End the simulation for `error`, and give what to raise: `what` and the error in one sentence."""
        self._failure = f'{what}: {type(error).__name__}: {" ".join(str(error).split())}'
        self._over.set()
        return Stopped(self._failure)

    def _check(self) -> None:
        if self._failure:
            raise Stopped(self._failure)

    def _catch_up(self, seconds: float, deadline: float) -> None:
        """Let as much of these seconds of the world pass as can until the deadline or the end."""
        while seconds > 0 and not self._over.is_set() and time.monotonic() < deadline:
            self._step(min(seconds, SLICE))
            seconds -= SLICE

    def _step(self, seconds: float) -> None:
        try:
            self.world.step(seconds)
        except Exception as error:
            raise self.fail(f'the simulated world broke after {self.world.now:.0f} seconds', error) from error

    def _run(self) -> None:
        while not self._over.wait(TICK):
            try:
                with self.present():
                    pass
            except Stopped:
                return
