# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

PLAIN = 'text/plain; charset=utf-8'


@dataclass(frozen=True)
class Answer:
    """What a port answers to one HTTP request. `compressible`: sent with gzip to who accepts that."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    compressible: bool = False


def text(status: HTTPStatus, sentence: str, **headers: str) -> Answer:
    """A line of plain text, as Go's `http.Error` writes it."""
    return Answer(status, PLAIN, f'{sentence}\n'.encode(), headers)
