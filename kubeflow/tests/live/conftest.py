# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from .availability import available
from .environment import NoInterpreter, provide
from .servers import KServe, MLServer


@pytest.fixture(scope='session')
def kserve_python():
    """The interpreter of an environment with the pinned kserve."""
    return python_with(KServe.program)


@pytest.fixture(scope='session')
def mlserver_python():
    """The interpreter of an environment with the pinned mlserver."""
    return python_with(MLServer.program)


@pytest.fixture
def kserve(kserve_python, tmp_path):
    """A fresh KServe model server, ready; ended with the test."""
    yield from running(KServe(kserve_python, tmp_path))


@pytest.fixture
def mlserver(mlserver_python, tmp_path):
    """A fresh MLServer, ready; ended with the test."""
    yield from running(MLServer(mlserver_python, tmp_path))


def python_with(program):
    """`provide` the program; where that cannot be the test is skipped, in CI it fails unless a Python is missing."""

    def provided():
        try:
            return provide(program)
        except NoInterpreter as error:
            pytest.skip(f'{program.name} cannot be installed: {error}')

    return available(provided)


def running(server):
    with server:
        yield server
    assert server.listening() == [], 'the server outlived its test'
