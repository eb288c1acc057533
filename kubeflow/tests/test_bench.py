# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""
What a run costs beside one of a stock check, for `ddev test --bench kubeflow`; other runs of the tests skip it.

`python -m bench` measures more and better: it is no program that holds all tests in memory.
"""

import time

import pytest

from bench.payloads import read
from bench.server import PLAIN, Stage
from bench.sides import Nowhere, ours, stock

PAYLOADS, _ = read()

ROUNDS = 5


@pytest.fixture(scope='module')
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def nowhere(monkeypatch):
    nowhere = Nowhere()
    monkeypatch.setattr('datadog_checks.base.checks.base.aggregator', nowhere)
    return nowhere


@pytest.fixture(params=PAYLOADS.values(), ids=PAYLOADS)
def sides(request, stage, nowhere):
    """The check and the stock one on a payload."""
    stage.show(request.param)
    url = stage.url(PLAIN)
    check = ours(url)
    check.run()
    return {'check': check, 'stock': stock(url, check.sources)}


@pytest.mark.slow
@pytest.mark.benchmark(group='CPU of a run', timer=time.process_time)
@pytest.mark.parametrize('side', ['check', 'stock'])
def test_a_run(benchmark, nowhere, sides, side):
    benchmark.pedantic(sides[side].run, rounds=ROUNDS, warmup_rounds=2)

    with nowhere.counting() as names:
        sides[side].run()
    assert len(names) > 100
