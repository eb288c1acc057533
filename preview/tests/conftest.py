# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from ..dashboard import read_dashboard
from ..recording import record


@pytest.fixture
def dashboard(tmp_path):
    """Make a dashboard of entries of a file."""

    def make(*widgets, **content):
        path = tmp_path / 'overview.json'
        path.write_text(json.dumps({'title': 'Kubeflow', 'widgets': widgets, **content}))
        return read_dashboard(path)

    return make


@pytest.fixture(scope='session')
def record_apart():
    """Record in a process in which nothing has imported the base check yet."""
    with ProcessPoolExecutor(1, get_context('spawn')) as pool:
        yield lambda plan: pool.submit(record, plan).result()
