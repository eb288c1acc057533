# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Sockets, and the threads that answer on them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from threading import Event, Thread, current_thread


class Peer:
    """One connection that a client opened; `path` is that of its request. `stays` waits for another one."""

    def __init__(self, sock: socket.socket, stop: Event):
        self._sock = sock
        self._stop = stop
        self.path = ''
        self.stays = True
        self.sent = 0

    def hear(self) -> None:
        """Read the request."""
        heard = b''
        while b'\r\n\r\n' not in heard:
            part = self._sock.recv(65536)
            if not part:
                raise ConnectionError('the client left')
            heard += part
        self.path = heard.split(b' ', 2)[1].decode()

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self._sock.sendall(part)
            self.sent += len(part)

    def wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise ConnectionError('the server stops')

    def drip(self, data: bytes, seconds: float) -> None:
        """Say it a byte at a time."""
        for byte in data:
            self.say(bytes([byte]))
            self.wait(seconds)

    def flood(self, data: bytes) -> None:
        """Say it again and again until the client leaves."""
        block = data * (65536 // len(data) + 1)
        while not self._stop.is_set():
            self.say(block)

    def reset(self) -> None:
        # A close that lingers for no time is a reset.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


class Server:
    """What listens. `behaviour` answers each connection; `connections` and `sent` (in bytes) count."""

    def __init__(self, listener: socket.socket, tls: SSLContext | None):
        self._listener = listener
        self._tls = tls
        self._stop = Event()
        self._open: dict[Thread, socket.socket] = {}
        self.behaviour: Callable[[Peer], None] = lambda peer: None
        self.connections = 0
        self.sent = 0

    @property
    def url(self) -> str:
        return f'{"https" if self._tls else "http"}://127.0.0.1:{self._listener.getsockname()[1]}/metrics'

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = Thread(target=self._answer, args=(sock,), daemon=True)
            self._open[thread] = sock
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread, sock in list(self._open.items()):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _answer(self, sock: socket.socket) -> None:
        # A client that leaves is what most of it is about.
        with suppress(OSError):
            if self._tls:
                # The wrapped socket takes over from the one that `end` knows.
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._open[current_thread()] = sock
                sock.do_handshake()
            peer = Peer(sock, self._stop)
            try:
                while peer.stays:
                    peer.stays = False
                    peer.hear()
                    self.behaviour(peer)
            finally:
                self.sent += peer.sent
                sock.close()


@contextmanager
def serving(tls: SSLContext | None = None) -> Iterator[Server]:
    """Serve on loopback until the end of the block."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        # How soon it ends.
        listener.settimeout(0.05)
        server = Server(listener, tls)
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.end()
            thread.join()
