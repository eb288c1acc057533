# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The simulated Kubeflow in a process of its own, so that what the check holds can be measured apart from it."""

import multiprocessing
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from simulator.server import Simulator

from .ledger import Expected, Ledger

# A call that takes longer has hung. In seconds.
TIMEOUT = 300
STOP_TIMEOUT = 30


@dataclass(frozen=True)
class Scraped:
    """An endpoint without obstacle: its name, and the options of the check."""

    name: str
    options: Mapping[str, Any]


class Stage:
    """Drives the simulator from outside; a context manager.

    Time stands still until `step`. Raises `RuntimeError` with the reason where the simulator cannot do what is asked.
    """

    def __init__(self, seed: int, kubeflow: str | None):
        # Not forked: a copy of this process would hold what this process holds.
        context = multiprocessing.get_context('spawn')
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, seed, kubeflow), name='simulator', daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.endpoints: list[Scraped] = self._receive()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> 'Stage':
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the simulator and wait for its end."""
        self._connection.close()
        self._process.join(STOP_TIMEOUT)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()

    def step(self, seconds: float) -> None:
        """Let so many seconds of the world pass."""
        self._call('step', seconds)

    def scraped(self, endpoints: list[str]) -> None:
        """Tell the ledger that the check read these."""
        self._call('scraped', endpoints)

    def restart(self, endpoint: str) -> None:
        """Have the component behind that endpoint begin anew."""
        self._call('restart', endpoint)

    def unavailable(self, endpoint: str) -> None:
        """Have that endpoint answer 503 from now on."""
        self._call('unavailable', endpoint)

    def cut(self, endpoint: str, length: int) -> None:
        """Have that endpoint hang up after `length` bytes from now on."""
        self._call('cut', endpoint, length)

    def recover(self, endpoint: str) -> None:
        """End what was done to that endpoint."""
        self._call('recover', endpoint)

    def expected(self) -> dict[str, list[Expected]]:
        """What the check must have counted by its last scrape, by endpoint."""
        return self._call('expected')

    def _call(self, *request: Any) -> Any:
        self._connection.send(request)
        return self._receive()

    def _receive(self) -> Any:
        if not self._connection.poll(TIMEOUT):
            raise RuntimeError(f'the simulator did not answer within {TIMEOUT} seconds')
        try:
            answer = self._connection.recv()
        except EOFError:
            self._process.join(STOP_TIMEOUT)
            raise RuntimeError(f'the simulator ended with exit status {self._process.exitcode}') from None
        if isinstance(answer, Exception):
            raise RuntimeError(f'the simulator: {answer}')
        return answer


def _serve(connection: Connection, seed: int, kubeflow: str | None) -> None:
    """Do what the other end asks, until it hangs up."""
    # Whoever ends the group of both ends the other end, which then hangs up. A signal for this process alone ends it
    # with all that it has made.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        # From now on, as a check takes a program for restarted that says it started after the last scrape.
        with Simulator(kubeflow, seed, speed=None, epoch=time.time()) as simulator:
            endpoints = [
                Scraped(endpoint.name, endpoint.instance) for endpoint in simulator.endpoints if not endpoint.obstacle
            ]
            ledger = Ledger(simulator.world, {each.name: simulator[each.name].component for each in endpoints})
            connection.send(endpoints)
            while True:
                try:
                    name, *arguments = connection.recv()
                except EOFError:
                    return
                connection.send(_do(simulator, ledger, name, *arguments))
    except Exception as error:
        with suppress(OSError):
            connection.send(error)


def _do(simulator: Simulator, ledger: Ledger, name: str, *arguments: Any) -> Any:
    if name == 'expected':
        return {each.name: ledger.expected(each.name) for each in simulator.endpoints if not each.obstacle}
    if name == 'scraped':
        for endpoint in arguments[0]:
            ledger.scraped(endpoint)
    else:
        if name == 'restart':
            ledger.restarted(*arguments)
        getattr(simulator, name)(*arguments)
    return None
