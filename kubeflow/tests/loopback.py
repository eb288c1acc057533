# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Ports that answer what a test says, byte for byte, and what an Agent makes of the check that scrapes them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from datadog_checks.kubeflow import KubeflowCheck
from runner.aggregator import Aggregator, CheckSampler, Context, Count, MonotonicCount
from runner.watched import Watched

from .common import OPENMETRICS, TEXT

STATUSES = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')


@dataclass(frozen=True)
class Answer:
    """What a port answers.

    `is_cut` sends half the body and resets the connection. `content_type` is by default that of the format of the body.
    """

    body: bytes = b''
    status: int = 200
    is_cut: bool = False
    content_type: str = ''

    @property
    def header(self) -> str:
        return self.content_type or (OPENMETRICS if self.body.endswith(b'# EOF\n') else TEXT)


class Ports:
    """One port; `answers` has what each of its paths answers, by the path."""

    def __init__(self, url: str):
        self._url = url
        self.answers: dict[str, Answer] = {}

    def url(self, path: str) -> str:
        return f'{self._url}{path}'


@contextmanager
def serving() -> Iterator[Ports]:
    """Serve on loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self):
            answer = ports.answers[self.path]
            self.send_response(answer.status)
            self.send_header('Content-Type', answer.header)
            self.send_header('Content-Length', str(len(answer.body)))
            self.end_headers()
            if not answer.is_cut:
                self.wfile.write(answer.body)
                return
            self.wfile.write(answer.body[: len(answer.body) // 2])
            # A close that lingers for no time is a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.close_connection = True

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        ports = Ports(f'http://127.0.0.1:{server.server_address[1]}')
        thread = Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        thread.start()
        try:
            yield ports
        finally:
            server.shutdown()
            thread.join()


class Recorder(CheckSampler):
    """Keeps what the last run submitted, in its order, and the last status of the service check.

    A sample is a line: its name without the namespace, its tags without the endpoint's, its value, and behind the last
    one of a count what the Agent counts of it, if anything.
    """

    def start_run(self) -> None:
        super().start_run()
        self._lines: list[tuple[str, str]] = []
        self._counted: dict[str, str] = {}
        self.health = ''

    @property
    def submitted(self) -> list[str]:
        last = {series: number for number, (series, _) in enumerate(self._lines)}
        return [
            f'{series} = {value}' + (self._counted.get(series, '') if number == last[series] else '')
            for number, (series, value) in enumerate(self._lines)
        ]

    def add_metric(self, kind, name, value, tags, hostname, flush_first_value) -> None:
        super().add_metric(kind, name, value, tags, hostname, flush_first_value)
        self._lines.append((_series(name, tags), _number(value)))

    def keep(self, context: Context, timestamp: float, value: float) -> None:
        if context.type in (Count, MonotonicCount) and value:
            self._counted[_series(context.name, context.tags)] = f', {"+" if value > 0 else ""}{_number(value)}'

    def add_service_check(self, name, status, tags, hostname, message) -> None:
        super().add_service_check(name, status, tags, hostname, message)
        self.health = STATUSES[status]


def observed(name: str, options: Mapping, aggregator: Aggregator) -> Watched[Recorder]:
    """An instance with these options that submits to `aggregator` under this check id."""
    return Watched(name, options, Recorder(), KubeflowCheck, aggregator)


def _series(name: str, tags: Iterable[str]) -> str:
    own = sorted(tag for tag in tags if not tag.startswith('endpoint:'))
    return ' '.join(filter(None, (name.removeprefix('kubeflow.'), ','.join(own))))


def _number(value: float) -> str:
    return repr(value).removesuffix('.0')
