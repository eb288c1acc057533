# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The body of an answer, read within limits that hold whatever a port sends."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from http.client import HTTPException

from requests import Response
from urllib3.exceptions import HTTPError

from ..diagnosis import another_kind, shown
from .answers import Kind, is_declared, kind_of
from .failures import Refused, failed, too_large, too_long_a_line
from .limits import KIB, Limits
from .watch import Watch

# What is in memory at once. Four times as much is hardly faster to read.
CHUNK = 64 * KIB

# What is smaller is gathered, what is larger would be copied for little.
WORTH_HANDLING = 32 * KIB

# Of a refusal.
PEEKED = 8 * KIB

# zlib's own header or that of gzip, told apart by zlib.
ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
ENCODINGS = ('gzip', 'x-gzip', 'deflate')


class Body:
    """The decoded body of `response`, in chunks.

    `endpoint` is shown in messages as it is. `watch` is what the connection is read under, begun with the request.
    `size` is the number of decoded bytes so far.
    """

    def __init__(self, response: Response, limits: Limits, endpoint: str, watch: Watch):
        self.response = response
        self.headers = response.headers
        self.size = 0
        self._limits = limits
        self._endpoint = endpoint
        self._watch = watch

    @property
    def content_type(self) -> str:
        return self.headers.get('Content-Type', '')

    def chunks(self) -> Iterator[bytes]:
        """Non-empty chunks, none but the last smaller than WORTH_HANDLING.

        A byte order mark of UTF-8 is left out. Raises `Refused` where the answer exceeds a limit or is no exposition,
        and a `RequestException` where its transfer fails or takes too long; one sentence in either.
        """
        is_judged = False
        for number, chunk in enumerate(self._gathered(self._bounded(self._read(CHUNK)))):
            if number == 0:
                chunk = chunk.removeprefix(BOM_UTF8)
            if not is_judged and chunk.strip():
                is_judged = True
                self._judge(chunk)
            if chunk:
                yield chunk
        if not is_judged and not is_declared(self.content_type):
            self._judge(b'')

    def peek(self) -> Kind | None:
        """What the answer is, as its beginning shows; None where that cannot be read or shows nothing."""
        try:
            return kind_of(next(self._read(PEEKED), b''), self.content_type)
        except (Refused, OSError):
            return None

    def _judge(self, start: bytes) -> None:
        if kind := kind_of(start, self.content_type):
            url = str(self.response.url or self._endpoint)
            raise Refused(another_kind(self._endpoint, url, self.content_type, kind))

    def _read(self, most: int) -> Iterator[bytes]:
        """Decoded pieces of `most` bytes or fewer."""
        # No piece may hold a line that is too long, see `_bounded`.
        step = min(most, self._limits.max_line_bytes)
        raw = self.response.raw
        try:
            if hasattr(raw, 'stream'):
                yield from self._decoded(raw.stream(step, decode_content=False), step)
            else:
                yield from self.response.iter_content(step)
        except Refused:
            raise
        # http.client takes a chunk's length for a number without looking at its sign.
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise failed(error, self._endpoint, self._watch, self.size) from None
        if self._watch.unread:
            reason = f'{self._watch.unread} bytes came beyond the announced length'
            raise failed(HTTPException(reason), self._endpoint, self._watch, self.size)

    def _decoded(self, pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
        """`pieces` without their Content-Encoding; the client would make one of them a thousand times as large."""
        encoding = self.headers.get('Content-Encoding', '').strip().lower()
        if encoding in ('', 'identity'):
            yield from pieces
            return
        if encoding not in ENCODINGS:
            raise Refused(
                f'What {self._endpoint} answered is encoded as {shown(encoding)}, which the check does not read: ask '
                'for gzip or nothing in the header `Accept-Encoding`, which `headers` or `extra_headers` set'
            )
        decoder = zlib.decompressobj(ZLIB_OR_GZIP)
        begun = False
        try:
            for piece in pieces:
                begun = True
                while piece:
                    if decoder.eof:
                        decoder = zlib.decompressobj(ZLIB_OR_GZIP)
                    if data := decoder.decompress(piece, most):
                        yield data
                    piece = decoder.unconsumed_tail or decoder.unused_data
            while not decoder.eof and (data := decoder.decompress(b'', most)):
                yield data
        except zlib.error as error:
            raise Refused(
                f'What {self._endpoint} answered is not encoded as its header `Content-Encoding: {encoding}` says: '
                f'{error}, after {self.size} bytes. Likely cause: a proxy that changes headers or bodies.'
            ) from None
        if begun and not decoder.eof:
            raise HTTPException(f'the {encoding} data has no end')

    def _bounded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """`pieces` as long as they meet the limits. No piece is longer than a line may be."""
        limits = self._limits
        open_line = 0
        for piece in pieces:
            self.size += len(piece)
            if self.size > limits.max_response_bytes:
                raise too_large(self._endpoint, limits.max_response_bytes)
            if self._watch.remaining <= 0:
                raise failed(TimeoutError(), self._endpoint, self._watch, self.size)
            end = piece.find(b'\n')
            longest = open_line + (end if end >= 0 else len(piece))
            open_line = longest if end < 0 else len(piece) - piece.rfind(b'\n') - 1
            if longest > limits.max_line_bytes:
                raise too_long_a_line(self._endpoint, limits.max_line_bytes)
            yield piece

    @staticmethod
    def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
        """`pieces` in chunks that are worth their handling: servers send as little as 2 KiB at a time."""
        # No list of them: one of single bytes is a hundred times what is in it.
        gathered = bytearray()
        for piece in pieces:
            if len(piece) >= WORTH_HANDLING and not gathered:
                yield piece
                continue
            gathered += piece
            if len(gathered) >= CHUNK:
                yield bytes(gathered)
                gathered.clear()
        if gathered:
            yield bytes(gathered)
