# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import sys
from functools import partial

import pytest

from datadog_checks.dev._env import e2e_active, e2e_testing

from .common import run_check
from .counting import Agent
from .kind.cluster import environment, missing
from .kind.plan import chosen


def pytest_addoption(parser):
    parser.addoption(
        '--update-golden', action='store_true', help='rewrite the expected.txt of every fixture instead of comparing'
    )


@pytest.fixture
def run(monkeypatch, aggregator):
    """Run the check once: `run(text, instance)`, see `common.run_check`."""
    return partial(run_check, monkeypatch, aggregator)


@pytest.fixture
def agent(monkeypatch, aggregator, mock_http_response, dd_run_check):
    """An Agent with one instance of these options: `agent(**options)`, see `counting.Agent`."""
    return partial(Agent, monkeypatch, aggregator, mock_http_response, dd_run_check)


def pytest_collection_modifyitems(config, items):
    """Leave the end-to-end tests out unless they are asked for: they need a cluster, which ddev makes."""
    if e2e_testing() or 'e2e' in (config.option.markexpr or ''):
        return
    left_out = [item for item in items if item.get_closest_marker('e2e')]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope='session')
def dd_environment(dd_save_state):
    """A kind cluster with the Kubeflow that the environment variables name, see kind/README.md.

    Skips where no cluster can be made. Raises `BadPlan` where the variables name nothing.
    """
    reason = missing()
    if not reason and not e2e_active():
        reason = 'the end-to-end tests run through ddev: `ddev env test kubeflow <environment>`'
    if reason:
        # ddev shows no reason of a skipped test.
        print(f'No end-to-end environment: {reason}', file=sys.stderr)
        pytest.skip(reason)

    with environment(chosen(), dd_save_state) as (config, metadata):
        yield config, metadata
