# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Bounds on what one scrape reads off its connections, from the first status line on.

The timeouts of the HTTP client are for one read from the socket: a byte a second never meets them, in headers no more
than in a body, and neither do answers that only announce another one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse, LineTooLong
from io import BufferedReader, RawIOBase
from typing import Any, TypeVar
from weakref import proxy

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool

from datadog_checks.base.utils.functions import no_op

from .client import Client
from .limits import Limits

# Larger reads pass it by; small answers cost more with a larger one.
BUFFER = 64 * 1024

# What comes over the wire may be larger than what is in it: headers, and the lengths of small chunks.
FRAMING = 2

# Of what frames an answer, as http.client has it for headers.
LONGEST_LINE = 64 * 1024

Owner = TypeVar('Owner')


class TooMuch(OSError):
    """More came than the watch allows."""


class Watch:
    """The time and the bytes that are left for one scrape; `start` begins the next one.

    `received` counts bytes as they come from the socket or, with TLS, out of it. `unread` are those that had come with
    the last answer and belong to none: its length was announced too short.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.start()

    def start(self) -> float:
        """Begin, and give the time of `time.monotonic` at which it was."""
        self.started = time.monotonic()
        self.received = self.unread = 0
        return self.started

    @property
    def remaining(self) -> float:
        """Seconds until the scrape has to end; 0 or less where it should have."""
        return self.started + self.limits.scrape_seconds - time.monotonic()

    @property
    def is_flooded(self) -> bool:
        """Whether more came than any answer has that meets the limits."""
        return self.received > FRAMING * self.limits.max_response_bytes

    def over(self, session: Session) -> Session:
        """Watch all connections of a session, whatever it opens them for."""
        _shadow(session, 'get_adapter', self._over_adapter)
        # Redirects are followed one by one. requests looks ahead all the same, and takes in the whole body for that.
        session.get_redirect_target = no_op
        return session

    def _over_adapter(self, adapter: HTTPAdapter) -> HTTPAdapter:
        return _shadow(adapter, 'get_connection_with_tls_context', self._over_pool)

    def _over_pool(self, pool: HTTPConnectionPool) -> HTTPConnectionPool:
        return _shadow(pool, '_new_conn', self._over_connection)

    def _over_connection(self, connection: HTTPConnection) -> HTTPConnection:
        connection.response_class = self._response
        return connection

    def _response(self, sock: socket.socket, *args, **kwargs) -> HTTPResponse:
        self.unread = 0
        response = HTTPResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = _Reader(_Source(sock, self), BUFFER)
        return response


def _shadow(owner: Owner, name: str, change: Callable[[Any], Any]) -> Owner:
    """Have `change` look at what a method of `owner` gives; once, for some owners are kept from scrape to scrape."""
    if name not in vars(owner):
        # A reference to itself would keep it, and its connections, until the garbage collector comes.
        itself, method = proxy(owner), getattr(type(owner), name)
        setattr(owner, name, lambda *args, **kwargs: change(method(itself, *args, **kwargs)))
    return owner


class _Source(RawIOBase):
    """What a socket receives while a watch lasts."""

    def __init__(self, sock: socket.socket, watch: Watch):
        self._sock = sock
        self._watch = watch
        self._raw = sock.makefile('rb', buffering=0)
        self._received = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._received

    def readinto(self, buffer) -> int | None:
        remaining = self._watch.remaining
        if remaining <= 0:
            raise TimeoutError('the time of the scrape is over')
        timeout = self._sock.gettimeout()
        if timeout is None or timeout > remaining:
            self._sock.settimeout(remaining)
        count = self._raw.readinto(buffer)
        self._received += count or 0
        self._watch.received += count or 0
        if self._watch.is_flooded:
            raise TooMuch('more than the scrape may read')
        return count

    def leave(self, position: int) -> None:
        """The client is done and has read up to `position`."""
        self._watch.unread = self._received - position

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reader(BufferedReader):
    """Tells the watch, when the client closes it, how much more had come than the client read."""

    def readline(self, size: int | None = -1) -> bytes:
        # urllib3 asks for the length of a chunk without a bound in release 2.6.3.
        if size is not None and size >= 0:
            return super().readline(size)
        line = super().readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise LineTooLong('the length of a chunk')
        return line

    def close(self) -> None:
        if not self.closed:
            self.raw.leave(self.tell())
        super().close()


class WatchedClient(Client):
    """A client whose connections are read under a watch."""

    def __init__(self, watch: Watch, *args, **kwargs):
        self._watch = watch
        super().__init__(*args, **kwargs)

    def _create_session(self) -> Session:
        return self._watch.over(super()._create_session())
