# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from functools import partial

import pytest

from .common import run_check


def pytest_addoption(parser):
    parser.addoption(
        '--update-golden', action='store_true', help='rewrite the expected.txt of every fixture instead of comparing'
    )


@pytest.fixture
def run(monkeypatch, aggregator):
    """Run the check once: `run(text, instance)`, see `common.run_check`."""
    return partial(run_check, monkeypatch, aggregator)
