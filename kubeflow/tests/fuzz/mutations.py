# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Changes to an exposition, and to bytes of any kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]

# What formats, parsers and decoders give a meaning.
TOKENS = (
    *(
        b'\n',
        b'\r\n',
        b'\r',
        b'\t',
        b' ',
        b'  ',
        b'\x00',
        b'\xff',
        b'\xef\xbb\xbf',
        b'\xe2\x80\xa8',
        b'\xc2\x85',
        b'\x0b',
    ),
    *(b'#', b'# ', b'# EOF\n', b'# TYPE ', b'# HELP ', b'# UNIT ', b'#TYPE', b' # {a="b"} 1', b'# TYPE a gauge\n'),
    *(
        b'{',
        b'}',
        b'{}',
        b',',
        b',,',
        b'=',
        b'"',
        b'\\',
        b'\\"',
        b'\\n',
        b'{"a.b"}',
        b'{a="b"}',
        b'U__a_2e_b',
        b'__name__',
    ),
    *(b'counter', b'gauge', b'histogram', b'summary', b'untyped', b'unknown', b'info', b'stateset', b'gaugehistogram'),
    *(b'_total', b'_bucket', b'_count', b'_sum', b'_created', b'_info', b'_gcount', b'_gsum'),
    *(b'le="+Inf"', b'le=""', b'le="x"', b'quantile="0.5"', b'quantile="x"', b'instance="a"', b'job="b"', b'le="-1"'),
    *(
        b'NaN',
        b'-NaN',
        b'+Inf',
        b'-Inf',
        b'1e308',
        b'1e400',
        b'-1',
        b'-0',
        b'0x1p3',
        b'1_0',
        b'1e',
        b'9' * 400,
        b'\xd9\xa1',
    ),
    *(b'<html>', b'{"a": 1}', b'\x1f\x8b\x08\x00', b'process_start_time_seconds', b'target_info', b'up', b'a' * 2000),
)
NUMBER = re.compile(rb'(?<=[ =:])-?[0-9][0-9.e+-]*')


def mutated(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """A body with one change or a few; some take parts of the others."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        body = random.choice(MUTATIONS)(random, body, others)
    return body


def scratched(random: Random, data: bytes) -> bytes:
    """Bytes with one to three of them changed, gone or new, wherever they are."""
    for _ in range(random.randint(1, 3)):
        data = random.choice(BYTE_MUTATIONS)(random, data, ())
    return data


def _on_lines(change: Callable[[Random, list[bytes], Sequence[bytes]], None]) -> Mutation:
    def mutation(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
        lines = body.splitlines(keepends=True) or [b'']
        change(random, lines, others)
        return b''.join(lines)

    return mutation


def _drop(random, lines, others):
    at = random.randrange(len(lines))
    del lines[at : at + random.choice((1, 1, 5))]


def _repeat(random, lines, others):
    lines.insert(random.randint(0, len(lines)), random.choice(lines))


def _swap(random, lines, others):
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _move(random, lines, others):
    at = random.randrange(len(lines))
    block = lines[at : at + random.randint(1, 8)]
    del lines[at : at + len(block)]
    to = random.randint(0, len(lines))
    lines[to:to] = block


def _take(random, lines, others):
    other = random.choice(others).splitlines(keepends=True)
    at, to = random.randint(0, len(other)), random.randint(0, len(lines))
    lines[to:to] = other[at : at + random.randint(1, 12)]


def _multiply(random, lines, others):
    line = random.choice(lines)
    to = random.randint(0, len(lines))
    lines[to:to] = [
        NUMBER.sub(b'%d' % number, line) if random.random() < 0.5 else line.replace(b'="', b'="%d' % number, 1)
        for number in range(random.choice((3, 30)))
    ]


def _rename(random, lines, others):
    """Give a line the name of another one."""
    names = [match for line in lines if (match := re.match(rb'(?:# \w+ )?([\w:]+)', line))]
    if names:
        at = random.randrange(len(lines))
        lines[at] = re.sub(rb'^((?:# \w+ )?)[\w:]+', rb'\g<1>' + random.choice(names)[1], lines[at])


def _number(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    found = list(NUMBER.finditer(body))
    if not found:
        return body
    match = random.choice(found)
    value = random.choice((b'0', b'1', b'NaN', b'+Inf', b'-1', b'1e300', b'%d' % random.getrandbits(70), b'', b'1.5'))
    return body[: match.start()] + value + body[match.end() :]


def _token(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(body))
    return body[:at] + random.choice(TOKENS) + body[at + random.choice((0, 0, 1, 5)) :]


def _cut(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    return body[: random.randint(0, len(body))]


def _flip(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    if not body:
        return body
    at = random.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << random.randrange(8)]) + body[at + 1 :]


def _insert(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(body))
    return body[:at] + random.randbytes(random.choice((1, 1, 4, 16))) + body[at:]


def _remove(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(body))
    return body[:at] + body[at + random.choice((1, 1, 4, 64)) :]


def _copy(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at, to = random.randint(0, len(body)), random.randint(0, len(body))
    return body[:to] + body[at : at + random.choice((1, 8, 64))] + body[to:]


BYTE_MUTATIONS: tuple[Mutation, ...] = (_flip, _insert, _remove, _copy, _token)
MUTATIONS: tuple[Mutation, ...] = (
    *map(_on_lines, (_drop, _repeat, _swap, _move, _take, _multiply, _rename)),
    *(_number, _number, _token, _token, _cut),
    *BYTE_MUTATIONS,
)
