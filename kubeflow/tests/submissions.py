# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What runs of the check submit, whole and in its order, and answers for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple
from unittest.mock import patch

from requests import Response
from urllib3 import HTTPResponse

from datadog_checks.base.checks.base import aggregator, datadog_agent
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.kubeflow.catalogue import NAMESPACE, load_catalogue
from datadog_checks.kubeflow.fetch.body import Body

from .common import ENDPOINT

try:
    from datadog_checks.base.checks.openmetrics import parser_optimizations
except ImportError:
    # Older base packages leave prometheus_client as it comes.
    parser_optimizations = None

CATALOGUE_NAMES = {
    name
    for entry in load_catalogue().metrics
    for each in (entry.name, entry.alias)
    if each
    # Without a suffix where they are distributions.
    for name in (*entry.submitted(each), f'{NAMESPACE}.{each}')
}

# The Agent's option `patch_prometheus_client`: with the base check's faster functions, the default, and without.
PARSERS = {'fast': 'true', 'strict': 'false'} if parser_optimizations else {'strict': 'false'}

TYPES = AggregatorStub.METRIC_ENUM_MAP_REV


class Submission(NamedTuple):
    """A submitted sample. `type` is the submission's (`monotonic_count`, `gauge`…); a bucket's value has its bounds."""

    name: str
    type: str
    value: Any
    tags: tuple[str, ...]
    hostname: str = ''
    flush_first_value: bool = False


class Health(NamedTuple):
    """A service check."""

    status: int
    message: str


@dataclass
class Submitted:
    """All that was submitted, in its order."""

    samples: list[Submission] = field(default_factory=list)
    health: list[Health] = field(default_factory=list)

    def by_metric(self) -> dict[str, list[Submission]]:
        metrics: dict[str, list[Submission]] = {}
        for sample in self.samples:
            metrics.setdefault(sample.name, []).append(sample)
        return metrics


@contextmanager
def recorded() -> Iterator[Submitted]:
    """Record what checks submit instead of handing it to the aggregator's stub, which refuses some tags."""
    submitted = Submitted()

    def metric(check, check_id, mtype, name, value, tags, hostname, flush_first_value):
        submitted.samples.append(Submission(name, TYPES[mtype], value, tuple(tags), hostname or '', flush_first_value))

    def bucket(check, check_id, name, value, lower, upper, monotonic, hostname, tags, flush_first_value, *rest):
        submitted.samples.append(
            Submission(name, 'bucket', (value, lower, upper), tuple(tags), hostname or '', flush_first_value)
        )

    def service_check(check, check_id, name, status, tags, hostname, message, *rest):
        submitted.health.append(Health(int(status), message or ''))

    with (
        patch.object(aggregator, 'submit_metric', metric),
        patch.object(aggregator, 'submit_histogram_bucket', bucket),
        patch.object(aggregator, 'submit_service_check', service_check),
    ):
        yield submitted


def answer(content: bytes, content_type: str) -> Response:
    """An answer of status 200 from the endpoint of the fixtures."""
    response = Response()
    response.status_code = 200
    response.url = ENDPOINT
    response.headers['Content-Type'] = content_type
    response.headers['Content-Length'] = str(len(content))
    response.raw = HTTPResponse(BytesIO(content), preload_content=False)
    return response


@contextmanager
def in_pieces(size: int | None) -> Iterator[None]:
    """Let what is read of an answer come in chunks of so many bytes, be it one; None leaves it as it is."""
    if size is None:
        yield
        return
    chunks = Body.chunks

    def pieces(body: Body) -> Iterator[bytes]:
        for chunk in chunks(body):
            yield from (chunk[at : at + size] for at in range(0, len(chunk), size))

    with patch.object(Body, 'chunks', pieces):
        yield


@contextmanager
def parsed_by(parser: str) -> Iterator[None]:
    """Let checks that are made until the end of the block take this one of `PARSERS`."""
    if parser_optimizations is None:
        yield
        return
    with patch.object(datadog_agent, 'get_config', {'patch_prometheus_client': PARSERS[parser]}.get):
        parser_optimizations.init_from_agent_config()
        yield
    parser_optimizations.init_from_agent_config()
