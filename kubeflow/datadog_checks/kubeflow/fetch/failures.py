# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to tell about a transfer that failed, in one sentence and a bounded one: libraries repeat what a port sent."""

from __future__ import annotations

from collections.abc import Iterator

from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3.exceptions import InvalidChunkLength, InvalidHeader, ProtocolError, ReadTimeoutError

from ..diagnosis import shown
from .limits import KIB, MIB
from .watch import Watch

# What urllib3 raises once it waits for an answer.
OF_ANSWERS = (ProtocolError, ReadTimeoutError, InvalidHeader)


class Refused(ValueError):
    """What makes a whole answer useless. Its text is the sentence that the user reads."""


def too_large(endpoint: str, limit: int) -> Refused:
    """`limit` is in bytes."""
    return Refused(
        f'{endpoint} sent more than the {limit / MIB:g} MiB that `max_response_size` allows for one answer: look at '
        'what it exposes, and raise the option if so much is meant'
    )


def too_long_a_line(endpoint: str, limit: int) -> Refused:
    """`limit` is in bytes."""
    return Refused(
        f'{endpoint} sent a line that is longer than the {limit / KIB:g} KiB that `max_line_size` allows: that is no '
        'exposition of a component of Kubeflow; check port and path of `openmetrics_endpoint`'
    )


def failed(error: Exception, endpoint: str, watch: Watch, size: int | None = None) -> Exception:
    """The error to raise instead of `error`, which ended the transfer under `watch`.

    `size` is how many bytes of the body had been read, None before it began. Gives `error` itself where the client says
    well what is wrong: before the connection stood, and where it is no failure of the transfer.
    """
    causes = tuple(causes_of(error))
    if size is None:
        read = 'before the headers of its answer were complete'
    else:
        read = f'after {max(size, watch.received)} bytes, headers included'
    if watch.remaining <= 0:
        return ReadTimeout(
            f'{endpoint} took more than the {watch.limits.scrape_seconds:g} s that `scrape_timeout` allows for a whole '
            f'scrape, and was left {read}: look at what slows it down, or raise the option'
        )
    if watch.is_flooded:
        return too_large(endpoint, watch.limits.max_response_bytes)
    if size is None and not any(isinstance(cause, OF_ANSWERS) for cause in causes):
        return error
    if any(isinstance(cause, (ReadTimeoutError, TimeoutError)) for cause in causes):
        return ReadTimeout(
            f'Read timed out: {endpoint} sent nothing for as long as `read_timeout` or `timeout` allow, {read}'
        )
    if size is None:
        return RequestsConnectionError(
            f'{endpoint} gave no answer in HTTP ({_said(causes)}): check scheme and port of `openmetrics_endpoint`, '
            'and whether the component is up'
        )
    return ChunkedEncodingError(
        f'{endpoint} broke off {read} ({_said(causes)}): the component has stopped or been restarted, or what stands '
        'before it'
    )


def incomplete(families: int) -> str:
    """What to add about an answer that failed once as many metric families had been read."""
    return (
        f'. Of {families} metric families read so far, those of `extra_metrics` alone were submitted'
        if families
        else ''
    )


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was made from, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [part for part in (*cause.args, cause.__cause__) if isinstance(part, BaseException)]


def _said(causes: tuple[BaseException, ...]) -> str:
    innermost = causes[-1]
    if isinstance(innermost, InvalidChunkLength):
        # It repeats what it took for a length.
        return 'invalid length of a chunk'
    return shown(str(innermost) or type(innermost).__name__)
