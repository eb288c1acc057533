# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A component to serve in tests, and clients."""

import socket
from urllib.parse import urlsplit

import requests

from ..components.component import Component
from ..exposition import GO, RawCounter
from ..releases import Deployment
from ..server import Simulator

PERIOD = 10.0


class Ticker(Component):
    """Counts one tick every ten seconds of the world."""

    id = 'ticker'
    program = 'Ticker'
    dialect = GO

    def __init__(self, world, release):
        super().__init__(world, release)
        self._ticks = RawCounter('ticks_total', 'Ticks', registry=self.registry)
        self.closed = False
        world.schedule(PERIOD, self._tick)

    def _tick(self):
        self._ticks.inc()
        self.world.schedule(PERIOD, self._tick)

    def close(self):
        super().close()
        self.closed = True


def deployment(component=Ticker, name='ticker', door='http', note=''):
    return Deployment(name, component, '1', door, note)


def stepped(*deployments, **options):
    """A simulator of these deployments, by default of a ticker, in which time passes by `step` alone."""
    return Simulator(deployments=deployments or (deployment(),), **{'speed': None, 'warm_up': 0, **options})


def control(endpoint, request, method='POST'):
    """Ask the port of an endpoint for `/-/<request>`."""
    parts = urlsplit(endpoint.url)
    return requests.request(method, f'{parts.scheme}://{parts.netloc}/-/{request}', verify=False, timeout=10)


def fetch(endpoint, **headers):
    """GET with the headers that the options of the instance make, and these."""
    token = endpoint.instance.get('auth_token')
    if token is not None:
        with open(token['reader']['path']) as file:
            headers = {'Authorization': token['writer']['value'].replace('<TOKEN>', file.read()), **headers}
    verify = endpoint.instance.get('tls_verify', True)
    return requests.get(endpoint.instance['openmetrics_endpoint'], headers=headers, verify=verify, timeout=10)


def ticks(endpoint):
    """What the ticker of that endpoint has counted."""
    lines = [line for line in fetch(endpoint).text.splitlines() if line.startswith('ticks_total ')]
    assert len(lines) == 1
    return float(lines[0].split()[1])


def is_open(url):
    """Whether something listens where that URL leads."""
    parts = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((parts.hostname, parts.port)) == 0


def free_ports(number):
    """The first of so many ports in a row on which nothing listens."""
    return next(
        base
        for base in range(20_000, 60_000, 50)
        if not any(is_open(f'http://127.0.0.1:{port}') for port in range(base, base + number))
    )
