# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Programs on loopback that answer as a test says, with TLS or without, and remember what they were asked with."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from datadog_checks.kubeflow import KubeflowCheck

from .common import TEXT

EXPOSITION = (
    b'# TYPE katib_experiments_current gauge\nkatib_experiments_current{namespace="team-a",status="Running"} 1\n'
)


@dataclass(frozen=True)
class Reply:
    """What is answered; the body is the exposition of one gauge unless it is said."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {'Content-Type': TEXT})
    body: bytes = EXPOSITION
    reason: str | None = None


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status, {'Location': location}, b'')


@dataclass
class Origin:
    """`reply` is called with the path and the headers of a request; `asked` has these, in their order."""

    url: str
    reply: Callable[[str, Mapping[str, str]], Reply]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f'{self.url}/metrics'


def told(check: KubeflowCheck) -> str:
    """Run the check once; the message of its error, or an empty string."""
    error = check.run()
    return json.loads(error)[0]['message'] if error else ''


@contextmanager
def origin(
    reply: Callable[[str, Mapping[str, str]], Reply] = lambda path, headers: Reply(),
    context: ssl.SSLContext | None = None,
) -> Iterator[Origin]:
    """Serve until the end of the block, with TLS where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        timeout = 5

        def setup(self):
            if context:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def do_GET(self):
            served.asked.append((self.path, self.headers))
            answer = served.reply(self.path, self.headers)
            self.send_response(answer.status, answer.reason)
            for name, value in {**answer.headers, 'Content-Length': str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_):
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            """A handshake that fails is what a test is about."""

    with Server(('127.0.0.1', 0), Handler) as server:
        served = Origin(f'{"https" if context else "http"}://127.0.0.1:{server.server_address[1]}', reply)
        thread = Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def port(answer: bytes) -> Iterator[str]:
    """The URL of a port that sends these bytes to whoever says something, with it where `{asked}` stands, and hangs up.

    It does so for two connections.
    """
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(5)

        def serve():
            for _ in range(2):
                try:
                    connection, _ = server.accept()
                except OSError:
                    # Nobody came any more.
                    return
                with connection:
                    connection.sendall(answer.replace(b'{asked}', connection.recv(65536)))

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f'http://127.0.0.1:{server.getsockname()[1]}/metrics'
