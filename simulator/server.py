# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Components of the simulated Kubeflow on loopback ports."""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .components import COMPONENTS
from .components.component import Component
from .workloads import busy_world

# Two minutes of the world pass in one second, so that two scrapes a second apart see every counter move.
SPEED = 120.0
# What happened before the first scrape, in seconds of the world.
WARM_UP = 600.0


@dataclass(frozen=True)
class Endpoint:
    """A component and where its exposition is served."""

    component: Component
    url: str


class Simulator:
    """Serves components until it is stopped; a context manager.

    `speed` is how many seconds of the world pass in one second. Every component has a port of its own, chosen by the
    system, on 127.0.0.1.
    """

    def __init__(self, seed: int = 0, speed: float = SPEED, components: Iterable[type[Component]] = COMPONENTS):
        self._world = busy_world(seed)
        self._components = [component(self._world) for component in components]
        self._speed = speed
        self._lock = threading.Lock()
        self._servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []
        self.endpoints: tuple[Endpoint, ...] = ()

    def start(self) -> 'Simulator':
        """Let the warm-up pass and open the ports. Raises `OSError` when a port cannot be opened."""
        self._world.step(WARM_UP)
        self._last = time.monotonic()
        try:
            self.endpoints = tuple(Endpoint(component, self._serve(component)) for component in self._components)
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close every port and wait for the threads behind them."""
        for server, thread in self._servers:
            server.shutdown()
            server.server_close()
            thread.join()
        self._servers.clear()

    def __enter__(self) -> 'Simulator':
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def _serve(self, component: Component) -> str:
        server = _Server(('127.0.0.1', 0), _handler(lambda: self._payload(component), component))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self._servers.append((server, thread))
        return f'http://127.0.0.1:{server.server_port}/metrics'

    def _payload(self, component: Component) -> str:
        with self._lock:
            now = time.monotonic()
            self._world.step((now - self._last) * self._speed)
            self._last = now
            return component.payload()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        # A client that went away is no event for whoever started the simulator.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(payload: Callable[[], str], component: Component) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.split('?', 1)[0] != '/metrics':
                self.send_error(404)
                return
            body = payload().encode()
            self.send_response(200)
            self.send_header('Content-Type', component.dialect.content_type)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Requests are not logged: stderr belongs to whoever started the simulator."""

    return Handler
