# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The endpoint that both sides scrape, in a process of its own: what it works is not in anybody's figures."""

from __future__ import annotations

import gzip
import multiprocessing
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from simulator.exposition import GO

from .exposition import Exposition
from .payloads import Payload, read

# In seconds.
TIMEOUT = 300
STOP_TIMEOUT = 30

# As Go's servers cut an answer of unknown length: by the buffer of the text's writer, and of the server where what
# comes is compressed.
TEXT_CHUNK = 4096
GZIP_CHUNK = 2048
GO_GZIP_LEVEL = 6

# Forms of an answer: with its length; the same, that of the last scrape again; one that is empty.
PLAIN = 'plain'
STILL = 'still'
EMPTY = 'empty'


@dataclass(frozen=True)
class Figures:
    """Of an exposition: lines, bytes, and the share of the samples that a step changes or adds."""

    lines: int
    size: int
    changed: float


class Stage:
    """An HTTP server on loopback; a context manager. Raises `RuntimeError` where it does not do what is asked."""

    def __init__(self) -> None:
        # Not forked: a copy of this process would hold what this process holds.
        context = multiprocessing.get_context('spawn')
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name='endpoint', daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._port = self._receive()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and wait for its end."""
        self._connection.close()
        self._process.join(STOP_TIMEOUT)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()

    def show(self, payload: Payload) -> Figures:
        """Answer with the exposition of this payload from now on."""
        return self._call('show', payload)

    def url(self, form: str) -> str:
        """Where the exposition is answered in this form."""
        return f'http://127.0.0.1:{self._port}/{form}'

    def scrapes(self, form: str) -> int:
        """How often it was asked for in this form since `show`."""
        return self._call('scrapes', form)

    def _call(self, *request: Any) -> Any:
        self._connection.send(request)
        return self._receive()

    def _receive(self) -> Any:
        if not self._connection.poll(TIMEOUT):
            raise RuntimeError(f'the endpoint did not answer within {TIMEOUT} seconds')
        try:
            answer = self._connection.recv()
        except EOFError:
            self._process.join(STOP_TIMEOUT)
            raise RuntimeError(f'the endpoint ended with exit status {self._process.exitcode}') from None
        if isinstance(answer, Exception):
            raise RuntimeError(f'the endpoint: {answer}')
        return answer


class Shown:
    """The exposition that is answered now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scrapes: Counter[str] = Counter()

    def show(self, payload: Payload) -> Figures:
        with self._lock:
            self._scrapes.clear()
            self._exposition = Exposition(payload, read()[1], int(time.time()))
            before, self._still = self._exposition.scrape(), self._exposition.scrape()
            samples = [line for line in self._still.splitlines() if not line.startswith(b'#')]
            known = set(before.splitlines())
            changed = sum(line not in known for line in samples) / len(samples)
            return Figures(self._still.count(b'\n'), len(self._still), changed)

    def scrapes(self, form: str) -> int:
        return self._scrapes[form]

    def answer(self, form: str) -> bytes:
        with self._lock:
            self._scrapes[form] += 1
            if form == EMPTY:
                return b''
            return self._still if form == STILL else self._exposition.scrape()


def _serve(connection: Connection) -> None:
    """Do what the other end asks, until it hangs up."""
    # Whoever ends the group of both ends the other end, which then hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shown = Shown()
    with ThreadingHTTPServer(('127.0.0.1', 0), _handler(shown)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection.send(server.server_port)
        with suppress(EOFError):
            while True:
                name, *arguments = connection.recv()
                try:
                    connection.send(getattr(shown, name)(*arguments))
                except Exception as error:
                    connection.send(error)
        server.shutdown()


def _handler(shown: Shown) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self) -> None:
            form = self.path.removeprefix('/')
            body = shown.answer(form)
            self.send_response(200)
            self.send_header('Content-Type', GO.content_type)
            if form not in ('chunked', 'gzip'):
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            chunk = TEXT_CHUNK
            if form == 'gzip':
                body, chunk = gzip.compress(body, GO_GZIP_LEVEL), GZIP_CHUNK
                self.send_header('Content-Encoding', 'gzip')
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            parts = (body[begin : begin + chunk] for begin in range(0, len(body), chunk))
            self.wfile.write(b''.join(b'%x\r\n%s\r\n' % (len(part), part) for part in (*parts, b'')))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
