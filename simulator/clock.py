# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The time of a world that several threads look at."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .world import World

# How often the world moves on where nobody looks, and how long a pause it makes up for at most: a world too large for
# its speed falls behind the clock, and still answers. In seconds.
TICK = 0.5
LONGEST_PAUSE = 1.0


class Stopped(Exception):
    """The simulation cannot go on; the message is one sentence that says why."""


class Clock:
    """Moves a world on, and lets one thread at a time look at it.

    `speed` is how many seconds of the world pass in one second from `start` on; with None time stands still until
    `step`.
    """

    def __init__(self, world: World, speed: float | None):
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
                self._step(min(now - self._last, LONGEST_PAUSE) * self._speed)
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
