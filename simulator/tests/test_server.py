# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from ..components import COMPONENTS, Katib
from ..server import Simulator
from .samples import total

ROOT = Path(__file__).parents[2]


def is_open(url):
    parts = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((parts.hostname, parts.port)) == 0


def fetch(url):
    with urlopen(url, timeout=10) as response:
        return response.headers['Content-Type'], response.read().decode()


def test_each_component_has_a_port_that_stop_closes():
    with Simulator() as simulator:
        urls = [endpoint.url for endpoint in simulator.endpoints]
        assert len(set(urls)) == len(COMPONENTS)
        for endpoint in simulator.endpoints:
            content_type, payload = fetch(endpoint.url)
            assert content_type == endpoint.component.dialect.content_type
            assert '# TYPE ' in payload
    assert not any(map(is_open, urls))


def test_values_move_between_scrapes():
    with Simulator(components=[Katib], speed=10_000) as simulator:
        url = simulator.endpoints[0].url
        before = total(fetch(url)[1], 'katib_trial_created_total')
        time.sleep(0.05)
        assert total(fetch(url)[1], 'katib_trial_created_total') > before


def test_another_path_is_not_found():
    with Simulator(components=[Katib]) as simulator:
        with pytest.raises(HTTPError, match='404'):
            fetch(simulator.endpoints[0].url.replace('/metrics', '/'))


def test_the_program_lists_its_endpoints():
    with subprocess.Popen([sys.executable, '-m', 'simulator'], cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            lines = [program.stdout.readline() for _ in COMPONENTS]
            for component, line in zip(COMPONENTS, lines, strict=True):
                assert line.startswith(component.title)
                fetch(line.split()[-1])
        finally:
            program.terminate()
