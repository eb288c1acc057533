# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the fuzzing starts from, and how a body goes over the wire."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import yaml

from ..common import FIXTURES, OPENMETRICS, TEXT, exposition

# Of one family of a seed.
MOST_SAMPLES = 5

CORPUS = Path(__file__).parent.parent / 'openmetrics'

# The check may take a content type at its word, ignore it, or refuse the answer for it.
CONTENT_TYPES = (
    *(TEXT, 'text/plain', 'text/plain; charset=utf-16', 'text/plain; charset=latin-1', 'application/json', 'text/html'),
    *('application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited', '', ';', '\x00'),
)


def seeds() -> list[bytes]:
    """The fixtures, each with a few samples of every family, and the cases of the two formats."""
    bodies = [reduced(exposition(fixture)) for fixture in FIXTURES]
    for path in sorted(CORPUS.glob('*.yaml')):
        bodies += [case['exposition'].encode() for case in yaml.safe_load(path.read_text()) if 'exposition' in case]
    return bodies


def reduced(text: str) -> bytes:
    """An exposition with the first few samples of each family, or the first histogram without most of its buckets."""
    kept: list[str] = []
    samples = 0
    for line in text.splitlines(keepends=True):
        if line.startswith('#'):
            samples = 0
        elif 'le="' in line and samples >= 2 and '+Inf' not in line or samples >= MOST_SAMPLES:
            continue
        else:
            samples += 1
        kept.append(line)
    return ''.join(kept).encode()


def content_type_of(random: Random, body: bytes) -> str:
    """Mostly that of the body's format."""
    own = OPENMETRICS if body.rstrip().endswith(b'# EOF') else TEXT
    return random.choice((*[own] * 8, OPENMETRICS, *CONTENT_TYPES[random.randrange(len(CONTENT_TYPES)) :][:1]))


def on_the_wire(random: Random, body: bytes) -> bytes:
    """The whole answer, in one of the ways that HTTP knows to send a body."""
    head = [b'HTTP/1.1 200 OK', b'Content-Type: ' + content_type_of(random, body).encode()]
    framing = random.choice(('length', 'length', 'length', 'close', 'chunked', 'gzip', 'gzip in chunks'))
    if 'gzip' in framing:
        head.append(b'Content-Encoding: gzip')
        body = gzip.compress(body, compresslevel=1, mtime=0)
    if 'chunk' in framing:
        head.append(b'Transfer-Encoding: chunked')
        body = _chunked(random, body)
    elif framing != 'close':
        head.append(b'Content-Length: %d' % len(body))
    return b'\r\n'.join((*head, b'', body))


def _chunked(random: Random, body: bytes) -> bytes:
    parts, at = [], 0
    while at < len(body):
        piece = body[at : at + random.choice((1, 2, 7, 100, 1000, 10_000))]
        parts.append(b'%x\r\n%s\r\n' % (len(piece), piece))
        at += len(piece)
    return b''.join((*parts, b'0\r\n\r\n'))
