# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An environment with a released KServe, made once and kept, and model servers that run in it."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / 'requirements.txt'
SERVER = HERE / 'toy_server.py'

# What the pinned kserve runs on, best first.
SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 10))

INSTALL_TIMEOUT = 900
START_TIMEOUT = 90
STOP_TIMEOUT = 15


class KServe:
    """
    A running model server.

    Attributes:
        url: where it listens for HTTP, without a path
        grpc: `host:port` where it listens for gRPC
    """

    def __init__(self, python, log):
        http_port, grpc_port = free_ports(2)
        self.url = f'http://127.0.0.1:{http_port}'
        self.grpc = f'127.0.0.1:{grpc_port}'
        self._log = log
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                [str(python), str(SERVER), '--http_port', str(http_port), '--grpc_port', str(grpc_port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self):
        """Return once the model can be asked; fails the test with the server's log when that takes too long."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f'{self.url}/v1/models/toy', timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)

        pytest.fail(f'the model server did not become ready\n{self._log.read_text(errors="replace")[-4000:]}')

    def stop(self):
        """End the process and wait for its end, by force if it does not listen; does nothing the second time."""
        if self._process.poll() is not None:
            return

        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope='session')
def kserve_python():
    """
    The interpreter of an environment that holds the pinned kserve and its dependencies.

    It is made on first use and kept in the user's cache directory, under a name that changes with the requirements and
    the interpreter. Where it cannot be made the tests are skipped, in CI they fail.
    """
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip(f'no Python that {REQUIREMENTS.read_text().strip()} supports was found')

    executable, version = interpreter
    seed = b'\0'.join((REQUIREMENTS.read_bytes(), executable.encode(), version.encode()))
    cache = cache_directory()
    environment = cache / f'kserve-{hashlib.sha256(seed).hexdigest()[:16]}'

    if not usable(environment):
        try:
            make_environment(executable, environment)
        except (OSError, subprocess.SubprocessError) as error:
            reason = f'cannot make an environment with kserve: {error}\n{getattr(error, "stderr", None) or ""}'
            if os.environ.get('CI'):
                pytest.fail(reason)
            pytest.skip(reason)

    return python_of(environment)


@pytest.fixture
def kserve(kserve_python, tmp_path):
    """A fresh model server that serves `toy`, ready; ended with the test."""
    server = KServe(kserve_python, tmp_path / 'kserve.log')
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def find_interpreter():
    """The path and full version of a supported Python, the running one before others on PATH; None without any."""
    candidates = [sys.executable]
    candidates += filter(None, (shutil.which(f'python{major}.{minor}') for major, minor in SUPPORTED))
    candidates += filter(None, [shutil.which('python3')])

    for candidate in candidates:
        # Asked rather than trusted by name: a version manager's stand-in may exist and still not run.
        program = 'import sys; print(sys._base_executable, "%d.%d.%d" % sys.version_info[:3])'
        answer = subprocess.run([candidate, '-c', program], capture_output=True, text=True, check=False)
        if answer.returncode:
            continue
        executable, _, version = answer.stdout.strip().rpartition(' ')
        if tuple(map(int, version.split('.')[:2])) in SUPPORTED:
            return executable, version

    return None


def cache_directory():
    """The directory below the user's caches that is this project's own, as an existing path."""
    root = os.environ.get('XDG_CACHE_HOME') or os.environ.get('LOCALAPPDATA') or Path.home() / '.cache'
    directory = Path(root) / 'datadog-kubeflow'
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def python_of(environment):
    """The path of the interpreter in a virtual environment."""
    return environment / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')


def usable(environment):
    """Whether an environment is there and its interpreter, which may have been removed since, still finds kserve."""
    python = python_of(environment)
    if not python.exists():
        return False

    program = 'from importlib.metadata import version; version("kserve")'
    return subprocess.run([python, '-c', program], capture_output=True, check=False).returncode == 0


def make_environment(executable, environment):
    """
    Make a virtual environment with the requirements at the path `environment`.

    It appears there complete or not at all, also when two sessions make it at once.

    Raises:
        OSError, subprocess.SubprocessError: the environment could not be made
    """
    draft = Path(tempfile.mkdtemp(prefix='draft-', dir=environment.parent))
    try:
        for command in (
            [executable, '-m', 'venv', draft],
            [python_of(draft), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS],
        ):
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_TIMEOUT)

        # A broken one stands in the way of the new, a good one means another session was faster.
        if environment.exists() and not usable(environment):
            shutil.rmtree(environment)
        if not environment.exists():
            draft.rename(environment)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def free_ports(count):
    """That many different TCP ports of loopback that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
