# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""HTTP as the components speak it: keep-alive, HEAD, gzip where they have it, TLS, and the faults of an endpoint."""

import gzip
import re
import selectors
import socket
import socketserver
import sys
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from reprlib import repr as shortened
from urllib.parse import SplitResult, urlsplit

from .answers import Answer, text
from .controls import Controls
from .sites import Site

CONTROL = '/-/'
# How long an answer under way may take to end when the port closes, and an idle connection stays open, in seconds.
GRACE = 1.0
IDLE = 60.0

# The weight of a coding that a client does not want, in Accept-Encoding.
REFUSED = re.compile(r'q\s*=\s*0(\.0*)?')

TLS_HANDSHAKE = b'\x16'
# Go's server says this to plain http on an https port.
PLAIN_TO_TLS = b'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'


class Port(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A listening socket and its connections, each in a thread. Raises `OSError` where it cannot listen."""

    allow_reuse_address = True
    # Two programs must not share a port without knowing of each other.
    allow_reuse_port = False
    request_queue_size = 128
    # So that `server_close` waits for the threads.
    daemon_threads = False
    # `handle_request` never waits: the acceptor knows that a connection is there.
    timeout = 0

    def __init__(self, family: socket.AddressFamily, address: tuple, site: Site, controls: Controls):
        self.address_family = family
        self.site = site
        self.controls = controls
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)
        self.socket.setblocking(False)

    @property
    def number(self) -> int:
        return self.server_address[1]

    def get_request(self) -> tuple[socket.socket, tuple]:
        connection, address = super().get_request()
        connection.settimeout(IDLE)
        if self.site.door.tls:
            # The handshake is left to the thread: a client that never begins it keeps nobody waiting.
            connection = self.site.door.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._connections.add(connection)
        return connection, address

    def finish_request(self, request: socket.socket, client_address: tuple) -> None:
        if self.site.door.tls:
            # Both methods are the plain socket's, below TLS.
            if socket.socket.recv(request, 1, socket.MSG_PEEK) != TLS_HANDSHAKE:
                socket.socket.send(request, PLAIN_TO_TLS)
                return
            request.do_handshake()
        super().finish_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def close(self) -> None:
        """Stop listening and end every connection. The acceptor must have stopped."""
        self.closing.set()
        # Nobody can ask any more, but what has been asked is answered.
        self._shut(socket.SHUT_RD)
        with self._changed:
            self._changed.wait_for(lambda: not self._connections, GRACE)
        self._shut(socket.SHUT_RDWR)
        self.server_close()

    def _shut(self, how: int) -> None:
        with self._changed:
            for connection in self._connections:
                try:
                    # Not the method of a TLS socket, which would take the TLS state from under its thread.
                    socket.socket.shutdown(connection, how)
                except OSError:
                    # The client was faster.
                    pass

    def handle_error(self, request: socket.socket, client_address: tuple) -> None:
        """A client that goes away or breaks the handshake is no event for whoever started the simulator."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Acceptor:
    """One thread that accepts the connections of all ports."""

    def __init__(self, ports: Iterable[Port]):
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        for port in ports:
            self._selector.register(port, selectors.EVENT_READ, port)
        self._thread = threading.Thread(target=self._accept, name='simulator-acceptor', daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                key.data.handle_request()

    def stop(self) -> None:
        self._wake.send(b'x')
        self._thread.join()
        self._selector.close()
        self._wake.close()
        self._woken.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    server: Port

    def do_GET(self) -> None:
        site = self.server.site
        target = self._target()
        if target is None:
            return
        path = target.path
        if path.startswith(CONTROL):
            self._send(text(HTTPStatus.METHOD_NOT_ALLOWED, f'{path} is asked for with POST', Allow='POST'))
            return
        if site.faults.delay and self.server.closing.wait(site.faults.delay):
            self.close_connection = True
            return
        self._send(self._answer(site, path), site.faults.length)

    do_HEAD = do_GET

    def _answer(self, site: Site, path: str) -> Answer:
        if site.faults.unavailable:
            return text(HTTPStatus.SERVICE_UNAVAILABLE, 'Service Unavailable')
        refusal = site.door.refusal(self.headers)
        if refusal is not None:
            return refusal
        if path != site.path:
            return text(HTTPStatus.NOT_FOUND, '404 page not found')
        return site.exposition()

    def do_POST(self) -> None:
        target = self._target()
        if target is None:
            return
        if not target.path.startswith(CONTROL):
            self._refuse()
            return
        # A body is not read, so nothing can follow it.
        self.close_connection = True
        request = target.path.removeprefix(CONTROL)
        self._send(self.server.controls.answer(self.server.site, request, target.query))

    def _refuse(self) -> None:
        self.close_connection = True
        self._send(text(HTTPStatus.METHOD_NOT_ALLOWED, 'Method Not Allowed', Allow='GET, HEAD'))

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse

    def _target(self) -> SplitResult | None:
        """What is asked for; None where that is no URL, and has been answered so."""
        try:
            return urlsplit(self.path)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, f'{shortened(self.path)} is no URL')
            return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class cannot read is answered in a line, where it would write a page."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(text(status, message or status.phrase))

    def _send(self, answer: Answer, length: int | None = None) -> None:
        """Send an answer, of its body no more than `length` bytes whatever was promised."""
        body, headers = answer.body, dict(answer.headers)
        # Not where it is cut, so that the length is one of the exposition.
        if answer.compressible and length is None and self._accepts_gzip():
            body = gzip.compress(body)
            headers['Content-Encoding'] = 'gzip'
        if self.close_connection:
            headers['Connection'] = 'close'
        self.send_response_only(answer.status)
        self.send_header('Date', self.date_time_string())
        self.send_header('Content-Type', answer.content_type)
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == 'HEAD':
            return
        if length is not None and length < len(body):
            self.close_connection = True
        self.wfile.write(body[:length])

    def _accepts_gzip(self) -> bool:
        for each in self.headers.get('Accept-Encoding', '').split(','):
            coding, _, weight = each.partition(';')
            if coding.strip() == 'gzip':
                return not REFUSED.fullmatch(weight.strip())
        return False

    def log_message(self, *_) -> None:
        """Requests are not logged: stderr belongs to whoever started the simulator."""
