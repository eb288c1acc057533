# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .process import NotReady, Server, free_ports

# Two processes that do not listen to requests to end, and that listen on a port each.
STUBBORN = '''
import signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

signal.signal(signal.SIGTERM, signal.SIG_IGN)
# Where a test fails they end all the same, later.
signal.alarm(120)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


first, *rest = sys.argv[1:]
server = HTTPServer(('127.0.0.1', int(first)), Handler)
if rest:
    subprocess.Popen([sys.executable, __file__, *rest])
server.serve_forever()
'''

# Starts a server and waits to be killed.
TESTS = '''
import sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from process import Server

directory, program, *ports = sys.argv[2:]
server = Server([sys.executable, program, *ports], map(int, ports), f'http://127.0.0.1:{ports[-1]}', Path(directory))
server.start()
print('ready', flush=True)
time.sleep(600)
'''

PATIENCE = 30


@pytest.fixture
def stubborn(tmp_path):
    path = tmp_path / 'stubborn.py'
    path.write_text(STUBBORN)
    return path


def server(program, ports, directory):
    """The one listening on the last port is the last to start."""
    return Server([sys.executable, program, *ports], ports, f'http://127.0.0.1:{ports[-1]}', directory)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_what_does_not_end_when_asked_is_ended_with_its_children(stubborn, tmp_path):
    running = server(stubborn, free_ports(2), tmp_path)
    with running:
        assert running.listening() == list(running.ports)
        running.stop(patience=0.5)
        assert wait_for(lambda: running.listening() == [])


def test_a_server_starts_anew_on_its_ports(stubborn, tmp_path):
    with server(stubborn, free_ports(1), tmp_path) as running:
        running.stop(patience=0.1)
        assert running.listening() == []
        running.start()
        assert running.listening() == list(running.ports)
        running.stop(patience=0.1)
    assert running.listening() == []


def test_a_server_that_ends_at_its_start_is_explained_by_what_it_printed(tmp_path):
    program = tmp_path / 'broken.py'
    program.write_text('raise SystemExit("no such model")')

    with pytest.raises(NotReady, match=r'(?s)broken\.py.* ended with 1\n.*no such model'):
        server(program, free_ports(1), tmp_path).start()


def test_a_server_ends_when_the_tests_are_killed(stubborn, tmp_path):
    ports = free_ports(2)
    place = Path(__file__).parent
    tests = subprocess.Popen(
        [sys.executable, '-c', TESTS, place, tmp_path, stubborn, *map(str, ports)], stdout=subprocess.PIPE
    )
    watched = server(stubborn, ports, tmp_path)
    try:
        assert tests.stdout.readline() == b'ready\n'
        assert watched.listening() == ports
    finally:
        tests.kill()
        tests.communicate()

    assert wait_for(lambda: watched.listening() == [])
