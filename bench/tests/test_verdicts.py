# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from dataclasses import replace

import pytest

from ..payloads import Bound, read
from ..results import Result, Run, Size
from ..server import Figures
from ..verdicts import verdicts

PAYLOAD = replace(
    read()[0]['foreign'], title='P', still=7, stock=Bound(20, 10), than_prometheus=Bound(1, 0.5), peak=1.25
)
FIGURES = Figures(lines=1000, size=1, changed=0.5)


def judged(**measured):
    result = Result(PAYLOAD, FIGURES, {'check': 1, 'stock': 1}, **measured)
    return [(verdict.about, verdict.target, verdict.held, verdict.bad) for verdict in verdicts(result)]


def size(peak):
    return Size(1, Run(1, 1), peak)


@pytest.mark.parametrize('stock, held, bad', [(0.20, True, False), (0.19, False, False), (0.09, False, True)])
def test_the_ratio_to_stock_is_judged_for_each_form(stock, held, bad):
    about = f'P, gzip: the stock check takes {stock * 100:.1f} times more CPU'

    assert judged(runs={'gzip': Run(0.01, stock)}) == [(about, 'at least 20', held, bad)]


@pytest.mark.parametrize('seconds, held, bad', [(0.01, True, False), (0.009, False, False), (0.004, False, True)])
def test_the_ratio_to_prometheus_is_judged_where_both_were_measured(seconds, held, bad):
    runs = {'plain': Run(0.01, 1)}

    assert judged(runs=runs, prometheus={'gzip': seconds})[1:] == []
    about = f'P, plain: Prometheus takes {seconds * 100:.1f} times more CPU'
    assert judged(runs=runs, prometheus={'plain': seconds})[1:] == [(about, 'at least 1', held, bad)]


@pytest.mark.parametrize('left, held', [(-3, True), (0, True), (1, False)])
def test_nothing_may_be_left(left, held):
    about = f'P: each of 8 times 7 runs that brought nothing new left {left} memory blocks or more'

    assert judged(left=left) == [(about, 'none', held, not held)]


@pytest.mark.parametrize('largest, times, held', [(125, '1.25', True), (126, '1.26', False)])
def test_the_peak_may_not_grow_with_the_payload(largest, times, held):
    about = f'P: the largest takes {times} times more memory at its peak than the smallest'

    assert judged(sizes={1: size(100), 2: size(200), 3: size(largest)}) == [(about, 'at most 1.25', held, not held)]


def test_what_was_not_measured_is_not_judged():
    assert judged() == []
