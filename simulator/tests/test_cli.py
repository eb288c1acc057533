# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The program as a user starts and ends it."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
import requests

from ..clock import FASTEST
from ..incidents import INCIDENTS, incident
from ..releases import RELEASES, UnknownRelease, deployments
from ..workloads.common import NAMES
from ..world import World
from .serving import free_ports, is_open

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, '-m', 'simulator')
RELEASE = RELEASES[-1]
LAST_LINE = 'Ctrl-C ends it.'
OBSTACLES = ['notebook-controller-istio', 'login-page']


class Program:
    """The running program and what it has printed. Lines are read up to the last of the introduction."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        for line in process.stdout:
            self.lines.append(line.rstrip('\n'))
            if self.lines[-1] == LAST_LINE:
                break

    @property
    def table(self):
        """The cells of each endpoint, by its name."""
        start = next(number for number, line in enumerate(self.lines) if line.startswith('NAME '))
        end = self.lines.index('', start)
        rows = [re.split(r'\s{2,}', line) for line in self.lines[start + 1 : end]]
        return {row[0]: row[1:] for row in rows}

    @property
    def urls(self):
        return [row[1] for row in self.table.values()]

    def end(self, number):
        """Send a signal and give exit status, the rest of stdout, and stderr."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output, errors


@contextmanager
def running(*arguments, command=COMMAND, **options):
    process = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    # A program that prints nothing for so long is ended, and the test sees that.
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        with process:
            try:
                yield Program(process)
            finally:
                process.kill()
    finally:
        watchdog.cancel()


def get(url, **options):
    return requests.get(url, verify=False, timeout=10, **options)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_leaves_nothing(number, tmp_path):
    environment = {**os.environ, 'TMPDIR': str(tmp_path)}
    with running('--kubeflow', RELEASE, env=environment) as program:
        assert program.lines[0] == f'Simulating Kubeflow {RELEASE}: seed 0, 10 seconds of the cluster in one second.'
        assert list(program.table) == [each.name for each in deployments(RELEASE)] + OBSTACLES
        for name, (title, url, how) in program.table.items():
            assert get(url).status_code in (200, 401, 403), name
            assert title
            assert how
        (directory,) = tmp_path.iterdir()
        token = (directory / 'token').read_text()
        assert token not in '\n'.join(program.lines)
        # A slow scrape, an idle connection and one that is silent are no reason to stay.
        requests.post(program.urls[0].replace('/metrics', '/-/slow?seconds=3600'), timeout=10)
        with socket.create_connection(('127.0.0.1', urlsplit(program.urls[0]).port)) as client:
            client.sendall(b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
            with socket.create_connection(('127.0.0.1', urlsplit(program.urls[-1]).port)):
                assert program.end(number) == (0, '', '')
    assert not [url for url in program.urls if is_open(url)]
    assert list(tmp_path.iterdir()) == []


def test_every_component_without_a_release():
    with running('--seed', '5', '--speed', '0.5') as program:
        assert program.lines[0] == (
            'Simulating every component of Kubeflow: seed 5, 0.5 seconds of the cluster in one second.'
        )
        assert list(program.table) == [each.name for each in deployments(None)] + OBSTACLES
        assert program.end(signal.SIGTERM)[0] == 0


def test_a_second_signal_does_not_interrupt_the_end():
    with running('--kubeflow', RELEASE) as program:
        program.process.send_signal(signal.SIGINT)
        assert program.end(signal.SIGINT) == (0, '', '')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_fastest_ends_as_soon(number):
    arguments = ['--speed', f'{FASTEST:g}', '--namespaces', '50', '--models', '20']
    with running('--kubeflow', RELEASE, *arguments) as program:
        # The world, which cannot keep up, has begun to run.
        time.sleep(1.5)
        assert get(program.table['katib-controller'][1]).status_code == 200
        program.process.send_signal(number)
        output, errors = program.process.communicate(timeout=10)
    assert (program.process.returncode, output, errors) == (0, '', '')


STRUCK = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == 'simulator.cli':
            strike()

def send():
    os.kill(os.getpid(), signal.SIGTERM)

def strike():
    {}

sys.meta_path.insert(0, Finder())
runpy.run_module('simulator', run_name='__main__')
"""


@pytest.mark.parametrize(
    'strike',
    [
        # As in the making of a dataclass. Python ends itself by SIGINT once KeyboardInterrupt passed through there.
        pytest.param("exec('send()')", id='in a string'),
        # As in the lock of an import. What is raised there is lost.
        pytest.param("type('Dead', (), {'__del__': lambda _: send()})()", id='in a finalizer'),
    ],
)
def test_a_signal_in_the_midst_of_an_import(strike, tmp_path):
    # With `-m`, as users start the program; with `-c` Python ends in another way.
    (tmp_path / 'struck.py').write_text(STRUCK.format(strike))
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    command = [sys.executable, '-m', 'struck']
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


def handles_signals(process):
    """Whether the process has a handler for SIGTERM, as no Python has by itself; Linux tells."""
    status = Path(f'/proc/{process.pid}/status').read_text()
    caught = re.search(r'^SigCgt:\s*(\w+)$', status, re.MULTILINE)
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='nothing tells when the program handles signals')
def test_a_signal_at_any_time_of_the_start():
    random = Random(0)
    for attempt in range(16):
        number = (signal.SIGINT, signal.SIGTERM)[attempt % 2]
        with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            try:
                while process.poll() is None and not handles_signals(process):
                    time.sleep(0.001)
                time.sleep(random.uniform(0, 0.8))
                process.send_signal(number)
                _, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        assert (process.returncode, errors) == (0, b''), (attempt, number)


def test_a_signal_during_the_warm_up(tmp_path):
    # So many that the warm-up takes longer than a signal.
    command = [*COMMAND, '--namespaces', '1000']
    environment = {**os.environ, 'TMPDIR': str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            # The ports open first of all, and before them there is a place for the token.
            while process.poll() is None and not any(tmp_path.iterdir()):
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, output) == (0, '')
    assert list(tmp_path.iterdir()) == []


def test_ports_sizes_and_faults_of_the_command_line(tmp_path):
    token = tmp_path / 'token'
    number = len(deployments(RELEASE)) + len(OBSTACLES)
    base = free_ports(number)
    arguments = ['--namespaces', '5', '--models', '2', '--token-file', str(token), '--base-port', str(base)]
    faults = [
        *('--fault', 'katib-controller=slow:0.1'),
        *('--fault', 'katib-controller=unavailable'),
        *('--fault', 'kserve-server=cut:10'),
    ]
    with running('--kubeflow', RELEASE, *arguments, *faults) as program:
        assert [urlsplit(url).port for url in program.urls] == list(range(base, base + number))
        assert get(program.table['katib-controller'][1]).status_code == 503
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match='10 bytes read'):
            get(program.table['kserve-server'][1])
        requests.post(program.table['katib-controller'][1].replace('/metrics', '/-/recover'), timeout=10)
        created = get(program.table['katib-controller'][1]).text.count('\nkatib_experiment_created_total{')
        assert created == 5
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert program.end(signal.SIGINT)[0] == 0


def test_incidents_of_the_command_line():
    arguments = ['--incident', 'katib-trials-failing', '--incident', 'endpoint-not-scrapable']
    with running('--kubeflow', RELEASE, *arguments) as program:
        url = program.table['katib-controller'][1]
        assert get(url).status_code == 503
        answer = requests.post(url.replace('/metrics', '/-/end/endpoint-not-scrapable'), timeout=10)
        assert answer.text == 'endpoint-not-scrapable: over\n'
        succeeded = re.findall(r'^katib_trial_succeeded_total\{namespace="(.*)"\}', get(url).text, re.MULTILINE)
        culprit = incident('katib-trials-failing', World()).culprits[0]['namespace']
        assert sorted([*succeeded, culprit]) == sorted(NAMES)
        assert program.end(signal.SIGINT)[0] == 0


def refused(*arguments):
    """What the program says about arguments that it cannot accept."""
    result = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ''
    assert result.stderr.count('\n') == 1
    assert result.stderr.startswith('simulator: ')
    return result.stderr.removeprefix('simulator: ').rstrip('\n')


def test_a_port_that_is_taken():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        sentence = f'port {port} of 127.0.0.1 is taken; choose another base port'
        assert refused('--kubeflow', RELEASE, '--base-port', str(port)) == sentence


def test_an_unknown_release():
    with pytest.raises(UnknownRelease) as caught:
        deployments('1.2')
    assert all(release in str(caught.value) for release in RELEASES)
    assert refused('--kubeflow', '1.2') == str(caught.value)
    assert refused('--kubeflow', '').startswith("Kubeflow '' is not simulated: ")


def test_a_token_file_that_is_none(tmp_path):
    assert refused('--token-file', str(tmp_path)) == f'token file {tmp_path}: Is a directory'


@pytest.mark.parametrize(
    'arguments, sentence',
    [
        (['--seed', 'x'], "argument --seed: 'x' is no whole number"),
        (['--seed', '1.5'], "argument --seed: '1.5' is no whole number"),
        (['--speed', '0'], "argument --speed: '0' is no number from 0.001 to 86400"),
        (['--speed', '1e300'], "argument --speed: '1e300' is no number from 0.001 to 86400"),
        (['--speed', 'inf'], "argument --speed: 'inf' is no number from 0.001 to 86400"),
        (['--speed', 'fast'], "argument --speed: 'fast' is no number from 0.001 to 86400"),
        (['--namespaces', '0'], "argument --namespaces: '0' is no whole number above 0"),
        (['--seed', '9' * 5000], "argument --seed: '999999999999...9999999999999' is no whole number"),
        (['--models', '9' * 5000], "argument --models: '999999999999...9999999999999' is no whole number above 0"),
        (['--namespaces=-3'], "argument --namespaces: '-3' is no whole number above 0"),
        (['--models', 'many'], "argument --models: 'many' is no whole number above 0"),
        (['--base-port', 'x'], "argument --base-port: 'x' is no whole number"),
        (['--host', '192.0.2.1'], "host '192.0.2.1' is no address of this machine"),
        (['--host', 'kubeflow.invalid'], "host 'kubeflow.invalid' has no address"),
        (['--fault', 'slow:3'], "argument --fault: 'slow:3' is not NAME=KIND[:VALUE], as in katib-controller=slow:3"),
        (['--fault', 'katib-controller=slow'], 'argument --fault: slow needs seconds, as in slow:3'),
        (['--fault', 'katib-controller=slow:x'], "argument --fault: 'x' is no number of seconds"),
        (
            ['--kubeflow', RELEASE, '--fault', 'nobody=unavailable'],
            "argument --fault: there is no endpoint 'nobody'; there are "
            + ', '.join([each.name for each in deployments(RELEASE)] + OBSTACLES),
        ),
        (
            ['--incident', 'no-coffee'],
            f"argument --incident: there is no incident 'no-coffee'; there are {', '.join(INCIDENTS)}",
        ),
        (['--what'], 'unrecognized arguments: --what'),
    ],
)
def test_bad_arguments(arguments, sentence):
    assert refused(*arguments) == sentence


DYING = """
import sys
from simulator.components import Katib
from simulator.cli import main

class Unlucky(Katib):
    def payload(self):
        raise LookupError('no such shard')

import simulator.components
simulator.components.Katib = Unlucky
sys.exit(main(sys.argv[1:]))
"""


def test_a_component_that_dies():
    with running('--kubeflow', RELEASE, command=[sys.executable, '-c', DYING]) as program:
        title, url, _ = program.table['katib-controller']
        sentence = f'{title} (katib-controller) died while it answered: LookupError: no such shard'
        answer = get(url)
        assert (answer.status_code, answer.text) == (500, f'{sentence}\n')
        assert program.ended() == (1, '', f'simulator: {sentence}\n')
    assert not [url for url in program.urls if is_open(url)]


def test_a_reader_that_has_seen_enough():
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([*COMMAND, '--kubeflow', RELEASE], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    with process:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, b'')
