# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a port may do to who scrapes it, by name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from .server import Peer

Behaviour = Callable[[Peer], None]

STATUS = b'HTTP/1.1 200 OK\r\n'
TEXT = b'Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n'
CHUNKED = b'Transfer-Encoding: chunked\r\n'
GZIP = b'Content-Encoding: gzip\r\n'

# Half of a sample line is a whole one of another value.
EXPOSITION = (
    b'# TYPE katib_experiment_created_total counter\n'
    b'katib_experiment_created_total{namespace="team-a"} %d\n'
    b'# TYPE katib_trials_current gauge\n'
    b'katib_trials_current{namespace="team-a",status="Running"} 30\n'
)
FIRST = EXPOSITION % 100

# Of a family that nobody asked for.
FOREIGN = b'# TYPE a_total counter\n', b'a_total 1\n'


def exposing(created: int, size: int = 0) -> Behaviour:
    """A component that behaves well and has created as many experiments.

    `size` is that of the exposition in bytes, if it has to be larger; what fills it nobody asked for.
    """
    wanted = EXPOSITION % created
    header, sample = FOREIGN
    missing = max(size - len(wanted) - len(header), 0)
    filler = header + sample * (missing // len(sample)) + b'\n' * (missing % len(sample)) if size else b''
    answer = _answer(filler + wanted)

    def behave(peer: Peer) -> None:
        answer(peer)
        peer.stays = True

    return behave


def _length(length: object) -> bytes:
    return b'Content-Length: %s\r\n' % str(length).encode()


def _answer(body: bytes, *headers: bytes, status: bytes = STATUS) -> Behaviour:
    return lambda peer: peer.say(b''.join((status, TEXT, *headers, _length(len(body)), b'\r\n', body)))


def _raw(*parts: bytes) -> Behaviour:
    return lambda peer: peer.say(b''.join(parts))


def _chunk(data: bytes) -> bytes:
    return b'%x\r\n%s\r\n' % (len(data), data)


def _drip_of_body(headers: bytes, body: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(STATUS + TEXT + headers + b'\r\n')
        peer.drip(body, 0.05)

    return behave


def _stall_after(*parts: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(*parts)
        peer.wait(60)

    return behave


def _reset_after(*parts: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(*parts)
        # What was said has to arrive before the reset does.
        peer.wait(0.2)
        peer.reset()

    return behave


def _flood_of(start: bytes, data: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(start)
        peer.flood(data)

    return behave


def _bomb() -> bytes:
    """A gibibyte of samples, 2 MiB compressed. What ends it never comes to be read."""
    header, sample = FOREIGN
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    start = compressor.compress(header) + compressor.flush(zlib.Z_FULL_FLUSH)
    # What follows a full flush stands for itself, so it may be repeated.
    block = compressor.compress(sample * 100_000) + compressor.flush(zlib.Z_FULL_FLUSH)
    return start + block * 1074


def _redirect(location: Callable[[Peer], str], body: bytes = b'') -> Behaviour:
    def behave(peer: Peer) -> None:
        target = location(peer).encode()
        peer.say(b'HTTP/1.1 302 Found\r\nLocation: ' + target + b'\r\n' + _length(len(body)) + b'\r\n', body)

    return behave


def _redirect_with_endless_body(peer: Peer) -> None:
    peer.say(b'HTTP/1.1 302 Found\r\nLocation: /metrics/\r\n\r\n')
    peer.flood(b'a_total 1\n')


COMPRESSED = gzip.compress(FIRST)
BOMB = _bomb()

BEHAVIOURS: dict[str, Behaviour] = {
    'drip of the body': _drip_of_body(_length(10**6), FIRST * 100),
    'drip of the body in chunks': _drip_of_body(CHUNKED, _chunk(b'a_total 1\n') * 1000),
    'drip of the body until the end': _drip_of_body(b'Connection: close\r\n', FIRST * 100),
    'drip of the body compressed': _drip_of_body(GZIP, COMPRESSED * 100),
    'drip of a refusal': lambda peer: (
        peer.say(b'HTTP/1.1 403 Forbidden\r\n' + _length(10**6) + b'\r\n'),
        peer.drip(b'RBAC: access denied ' * 1000, 0.05),
    )[0],
    'drip of the status line': lambda peer: peer.drip(b'HTTP/1.1 200 ' + b'O' * 10_000, 0.05),
    'drip of the headers': lambda peer: peer.drip(STATUS + b'X-Header: x\r\n' * 1000, 0.05),
    'drip of redirects': lambda peer: (peer.wait(0.15), _redirect(lambda peer: f'{peer.path}/')(peer))[0],
    'stall before the headers': _stall_after(),
    'stall in the headers': _stall_after(STATUS, b'X-Hea'),
    'stall before the body': _stall_after(STATUS + TEXT + _length(len(FIRST)) + b'\r\n'),
    'stall in the body': _stall_after(STATUS + TEXT + _length(len(FIRST)) + b'\r\n', FIRST[:100]),
    'reset before the headers': lambda peer: peer.reset(),
    'reset in the headers': _reset_after(STATUS + b'X-Hea'),
    'reset in the body': _reset_after(STATUS + TEXT + _length(len(FIRST)) + b'\r\n', FIRST[:100]),
    'closed at once': lambda peer: None,
    'endless body': _flood_of(STATUS + TEXT + b'\r\n' + FOREIGN[0], FOREIGN[1]),
    'endless body in chunks': _flood_of(
        STATUS + TEXT + CHUNKED + b'\r\n' + _chunk(FOREIGN[0]), _chunk(FOREIGN[1] * 100)
    ),
    'endless chunk': _flood_of(STATUS + TEXT + CHUNKED + b'\r\n' + b'f' * 100 + b'\r\n' + FOREIGN[0], FOREIGN[1]),
    'endless body in small chunks': _flood_of(
        STATUS + TEXT + CHUNKED + b'\r\n' + _chunk(FOREIGN[0]), _chunk(FOREIGN[1] * 5)
    ),
    'endless blank lines': _flood_of(STATUS + TEXT + b'\r\n', b' ' * 60 + b'\n'),
    'endless line': _flood_of(STATUS + TEXT + b'\r\n', b'a'),
    'endless line after a sample': _flood_of(STATUS + TEXT + b'\r\n' + FIRST, b'a'),
    'endless length of a chunk': _flood_of(STATUS + TEXT + CHUNKED + b'\r\n', b'0'),
    'endless trailers': _flood_of(STATUS + TEXT + CHUNKED + b'\r\n' + _chunk(FIRST) + b'0\r\n', b'X-Trailer: x\r\n'),
    'endless header': _flood_of(STATUS + b'X-Header: ', b'x'),
    'endless headers': _flood_of(STATUS, b'X-Header: x\r\n'),
    'endless status line': _flood_of(b'HTTP/1.1 200 ', b'O'),
    'endless answers that announce another': _flood_of(b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
    'endless answers that announce headers': _flood_of(b'', b'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'),
    'bomb with a length': _answer(BOMB, GZIP),
    'bomb in one chunk': _raw(STATUS, TEXT, GZIP, CHUNKED, b'\r\n', _chunk(BOMB), b'0\r\n\r\n'),
    'bomb in many chunks': _raw(
        STATUS, TEXT, GZIP, CHUNKED, b'\r\n', *(_chunk(BOMB[at : at + 2048]) for at in range(0, len(BOMB), 2048))
    ),
    'bomb in a bomb': _answer(gzip.compress(BOMB), b'Content-Encoding: gzip, gzip\r\n'),
    'bomb in a refusal': _answer(BOMB, GZIP, status=b'HTTP/1.1 403 Forbidden\r\n'),
    'bomb in a redirect': _answer(BOMB, GZIP, b'Location: /metrics\r\n', status=b'HTTP/1.1 302 Found\r\n'),
    'redirect to itself': _redirect(lambda peer: peer.path),
    'redirect to a path that grows': _redirect(lambda peer: peer.path + 'x' * 1000),
    'redirect to a query that grows': _redirect(lambda peer: f'{peer.path}?{"x" * 1000}'),
    'redirect with an endless body': _redirect_with_endless_body,
    'redirect to no address': _redirect(lambda peer: 'http://[::1'),
    'redirect without a location': _raw(b'HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n'),
    'length that is too long': _raw(STATUS, TEXT, _length(len(FIRST) + 50), b'\r\n', FIRST),
    'length that is too short': _raw(STATUS, TEXT, _length(len(FIRST) - 2), b'\r\n', FIRST),
    'chunks without an end': _raw(STATUS, TEXT, CHUNKED, b'\r\n', _chunk(FIRST)),
    'chunk that is cut': _raw(STATUS, TEXT, CHUNKED, b'\r\n', _chunk(FIRST)[:100]),
    'chunk with no length': _raw(STATUS, TEXT, CHUNKED, b'\r\n', b'no length\r\n', FIRST),
    'chunk with a negative length': _raw(STATUS, TEXT, CHUNKED, b'\r\n', b'-5\r\n', FIRST),
    'lengths that differ': _raw(STATUS, TEXT, _length('10, 20'), b'\r\n', FIRST),
    'compressed data that is cut': _answer(COMPRESSED[:-20], GZIP),
    'compressed data that is plain': _answer(FIRST, GZIP),
    'compressed data that is damaged': _answer(COMPRESSED[:40] + b'\xff' * 20 + COMPRESSED[60:], GZIP),
    'compressed data with more behind it': _answer(COMPRESSED + FIRST, GZIP),
    'encoding that nobody asked for': _answer(FIRST, b'Content-Encoding: br\r\n'),
    'status line of another protocol': _raw(b'SSH-2.0-OpenSSH_9.6\r\n'),
    'status line without a number': _raw(b'HTTP/1.1 OK\r\n\r\n'),
    'answer without headers': _raw(FIRST),
    'answer of another version': _raw(b'HTTP/2.0 200 OK\r\n\r\n', FIRST),
    'thousands of headers': _raw(STATUS, b'X-Header: x\r\n' * 5000, b'\r\n', FIRST),
    'switch of protocols': _raw(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', FIRST),
}

# Odd, and an exposition all the same.
TOLERATED: dict[str, Behaviour] = {
    'length that is no number': _raw(STATUS, TEXT, _length('many'), b'\r\n', FIRST),
    'negative length': _raw(STATUS, TEXT, _length(-5), b'\r\n', FIRST),
    'length beside chunks': _raw(STATUS, TEXT, CHUNKED, _length(5), b'\r\n', _chunk(FIRST), b'0\r\n\r\n'),
    'until the end': _raw(STATUS, TEXT, b'\r\n', FIRST),
    'chunks of one byte': _raw(
        STATUS, TEXT, CHUNKED, b'\r\n', b''.join(_chunk(bytes([byte])) for byte in FIRST), b'0\r\n\r\n'
    ),
    'announced before': _raw(b'HTTP/1.1 100 Continue\r\n\r\n', STATUS, TEXT, _length(len(FIRST)), b'\r\n', FIRST),
    'compressed': _answer(COMPRESSED, GZIP),
    'compressed with zlib': _answer(zlib.compress(FIRST), b'Content-Encoding: deflate\r\n'),
    'compressed in two members': _answer(gzip.compress(FIRST[:60]) + gzip.compress(FIRST[60:]), GZIP),
    'compressed in chunks': _raw(
        STATUS, TEXT, GZIP, CHUNKED, b'\r\n', _chunk(COMPRESSED[:9]), _chunk(COMPRESSED[9:]), b'0\r\n\r\n'
    ),
    'charset utf-16': _raw(STATUS, b'Content-Type: text/plain; charset=utf-16\r\n\r\n', FIRST),
    'unknown charset': _raw(STATUS, b'Content-Type: text/plain; charset=klingon\r\n\r\n', FIRST),
    'mark of UTF-8': _answer(b'\xef\xbb\xbf' + FIRST),
}
