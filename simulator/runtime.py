# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Families about the process itself, as client_golang writes them. The Python ones come from prometheus_client."""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector


class GoRuntime:
    """A few of the go_* and process_* families of every Go program."""

    def __init__(self, registry: CollectorRegistry, release: str = 'go1.25.3'):
        self._release = release
        self._start = time.time()
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        yield _single('go_info', 'The Go release', 'gauge', 1, {'version': self._release})
        yield _single('go_goroutines', 'Goroutines now', 'gauge', 84)
        yield _single('process_start_time_seconds', 'Start, in Unix seconds', 'gauge', self._start)
        yield _single('process_cpu_seconds_total', 'CPU time', 'counter', (time.time() - self._start) / 50)
        yield _single('process_resident_memory_bytes', 'Resident memory', 'gauge', 61_000_000)
        yield _single('process_open_fds', 'Open file descriptors', 'gauge', 12)


def python_runtime(registry: CollectorRegistry) -> None:
    """Register what prometheus_client tells about a Python process on its default registry."""
    for collector in (GCCollector, PlatformCollector, ProcessCollector):
        collector(registry=registry)


def _single(name: str, text: str, kind: str, value: float, labels: dict[str, str] | None = None) -> Metric:
    family = Metric(name, text, kind)
    family.add_sample(name, labels or {}, value)
    return family
