# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What Prometheus stores of the simulated Kubeflow with the monitors of `deploy/prometheus`."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Collection, Iterator
from functools import cache
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from deploy.endpoints import read
from preview.pods import pod_of
from simulator.server import Endpoint, Simulator

from .monitored import Scrape, scrapes
from .promtool import Stored

ROWS = read()

# In seconds.
TIMEOUT = 10

# The monitors that scrape what the simulator has under one name, where they are not of the component's.
QUEUE_PROXY = ('queue-proxy',)
JOBS = {
    'queue-proxy-opencensus': QUEUE_PROXY,
    'queue-proxy-otel': QUEUE_PROXY,
    # The aggregated port has what both ports of a pod have.
    'qpext': ('queue-proxy', 'kserve-server'),
}


class Recorder:
    """Scrapes a simulator each minute of its world and keeps what Prometheus would."""

    def __init__(self, simulator: Simulator, kubeflow: str, names: Collection[str]):
        """
        Args:
            kubeflow: the release whose pods the endpoints are of
            names: the metrics to keep
        """
        self._simulator = simulator
        self._names = frozenset(names)
        self._minutes = 0
        self._stored: dict[frozenset[tuple[str, str]], list[float | None]] = {}
        self._targets = [
            (endpoint, [(scrape, _labels(endpoint, scrape, kubeflow, simulator)) for scrape in _scrapes(endpoint)])
            for endpoint in simulator.endpoints
        ]

    def record(self, minutes: int) -> None:
        """Let so many minutes pass, with a scrape at the beginning of each."""
        for _ in range(minutes):
            for endpoint, scraped in self._targets:
                self._scrape(endpoint, scraped)
            self._minutes += 1
            self._simulator.step(60)

    @property
    def stored(self) -> Stored:
        """Every series with a sample for each minute."""
        return {labels: _filled(values, self._minutes) for labels, values in self._stored.items()}

    def _scrape(self, endpoint: Endpoint, scraped: list[tuple[Scrape, dict[str, str]]]) -> None:
        try:
            page = _fetch(endpoint)
        except OSError:
            page = None
        for _, target in scraped:
            self._keep({'__name__': 'up', **target}, float(page is not None))
        for line in (page or '').splitlines():
            name = line.partition('{')[0].partition(' ')[0]
            if name not in self._names:
                continue
            series, _, value = line.rpartition(' ')
            for scrape, target in scraped:
                if scrape.kept.fullmatch(name):
                    own = _sample_labels(series)
                    if not scrape.honors_labels:
                        own = {f'exported_{label}' if label in target else label: own[label] for label in own}
                    self._keep({**target, **own, '__name__': name}, float(value))

    def _keep(self, labels: dict[str, str], value: float) -> None:
        series = frozenset((label, text) for label, text in labels.items() if text)
        values = self._stored.setdefault(series, [])
        # Of a sample that comes twice in one scrape the first is stored.
        if len(values) <= self._minutes:
            self._stored[series] = [*_filled(values, self._minutes), value]


def _filled(values: list[float | None], minutes: int) -> list[float | None]:
    return values + [None] * (minutes - len(values))


def _scrapes(endpoint: Endpoint) -> Iterator[Scrape]:
    for job in JOBS.get(endpoint.name, (endpoint.component.id,)):
        yield next(each for each in scrapes() if each.job == f'kubeflow/{job}')


def _labels(endpoint: Endpoint, scrape: Scrape, kubeflow: str, simulator: Simulator) -> dict[str, str]:
    pod = pod_of(endpoint, kubeflow, simulator.world)
    # Both forms of the sidecar are in the same container and at the same port.
    row = next(each for each in ROWS if f'kubeflow/{each.component}'.startswith(scrape.job))
    labels = {
        'job': scrape.job,
        'instance': f'{urlsplit(pod.url).hostname}:{row.port}',
        'namespace': pod.namespace,
        'pod': pod.name,
        'container': row.container,
    }
    return labels | ({'inferenceservice': pod.name.partition('-predictor')[0]} if scrape.by_service else {})


def _fetch(endpoint: Endpoint) -> str:
    """The exposition. Raises `OSError`, also for an answer that is none."""
    request = urllib.request.Request(endpoint.url)
    if token := endpoint.instance.get('auth_token'):
        with open(token['reader']['path'], encoding='utf-8') as file:
            request.add_header('Authorization', f'Bearer {file.read().strip()}')
    with urllib.request.urlopen(request, timeout=TIMEOUT, context=_untrusting()) as answer:
        return answer.read().decode()


@cache
def _untrusting() -> ssl.SSLContext:
    return ssl._create_unverified_context()


@cache
def _sample_labels(series: str) -> dict[str, str]:
    (family,) = text_string_to_metric_families(f'{series} 0\n')
    return family.samples[0].labels
