# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import os

import pytest

from .environment import NoInterpreter, Unavailable, provide
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
    try:
        return provide(program)
    except NoInterpreter as error:
        pytest.skip(f'{program.name} cannot be installed: {error}')
    except Unavailable as error:
        if os.environ.get('CI'):
            pytest.fail(str(error))
        pytest.skip(str(error))


def running(server):
    with server:
        yield server
    assert server.listening() == [], 'the server outlived its test'
