# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""
That the check has not become slow: ratios to a stock check on the same machine, with a floor far below the targets.

In a program of its own, because what the tests hold in memory would cost both sides.
"""

import json

import pytest

from ..payloads import read
from .program import bench

PAYLOADS, _ = read()

# Once more where the machine had something else to do.
ATTEMPTS = 2


@pytest.mark.slow
@pytest.mark.parametrize('name', PAYLOADS)
def test_the_check_takes_less_cpu_than_a_stock_one(name):
    for _ in range(ATTEMPTS):
        program = bench(name, '--only', 'cpu', '--rounds', '7', '--json')
        assert program.returncode in (0, 1), program.stderr
        missed = [verdict['about'] for verdict in json.loads(program.stdout)['verdicts'] if verdict['bad']]
        if not missed:
            return
    pytest.fail(f'{missed}; the floors are in bench/payloads.yaml')


@pytest.mark.slow
@pytest.mark.parametrize('name', ['katib', 'queue-proxy', 'kserve'])
def test_runs_that_bring_nothing_new_leave_nothing(name):
    program = bench(name, '--only', 'still', '--json')

    assert program.returncode == 0, program.stderr + program.stdout
