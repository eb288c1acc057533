# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Programs that serve on loopback and do not outlive the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

START_TIMEOUT = 90
STOP_TIMEOUT = 15

# Reads the end of its input when the process of the tests ends, in whatever way, and ends the group it leads.
GUARD = 'import os, signal, sys; sys.stdin.read(); os.killpg(os.getpgrp(), signal.SIGKILL)'


class NotReady(Exception):
    """A server cannot be asked; the message has the end of what it printed."""


class Server:
    """
    A server with all processes it may start, as a context manager that returns once it is ready.

    They are one process group. A guard leads it and ends it when the tests are killed, and until it is waited for it
    keeps the group's id from being given to others.
    """

    def __init__(
        self,
        command: Sequence[object],
        ports: Sequence[int],
        ready: str,
        directory: Path,
        variables: dict[str, str] | None = None,
    ):
        """
        Args:
            ports: where it listens on loopback, by what `command` and `variables` say
            ready: a URL that answers with a status of 200 to 299 once the server can be asked
            directory: an empty one to run in; the output goes to `output.log` there
            variables: what its environment has beyond that of the tests
        """
        self.ports = tuple(ports)
        self._command = [str(part) for part in command]
        self._ready = ready
        self._directory = directory
        self._log = directory / 'output.log'
        self._environment = {**os.environ, **(variables or {})}
        self._guard: subprocess.Popen | None = None
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start and return once it is ready; after `stop` it starts anew on the same ports.

        Raises:
            NotReady: it ended or took too long; it has been stopped
            OSError: there is no such program
        """
        guard = [sys.executable, '-I', '-c', GUARD]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, process_group=0)
        try:
            with self._log.open('ab') as output:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=self._directory,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=self._guard.pid,
                )
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self, patience: float = STOP_TIMEOUT) -> None:
        """Ask the server to end, and after `patience` seconds end what is left by force; again it does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        if self._guard is not None:
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.communicate()
        if self._process is not None:
            self._process.wait()
        self._guard = self._process = None

    def listening(self) -> list[int]:
        """Those of its ports on which something accepts connections."""
        return [port for port in self.ports if _accepts(port)]

    def _wait_until_ready(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self._ready, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)

        reason = 'took too long to become ready' if process.poll() is None else f'ended with {process.returncode}'
        raise NotReady(f'{self._command} {reason}\n{self._log.read_text(errors="replace")[-4000:]}')


def free_ports(count: int) -> list[int]:
    """That many different TCP ports of loopback that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=5):
            return True
    except OSError:
        return False
