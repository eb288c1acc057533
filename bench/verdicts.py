# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether what was measured is what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .measure import SPANS
from .payloads import Bound
from .results import Result


@dataclass(frozen=True)
class Verdict:
    """
    Of one target.

    Attributes:
        about: a sentence with what was measured
        target: a sentence with what was aimed at
        held: whether it is
        bad: whether it is not even what the tests ask for
    """

    about: str
    target: str
    held: bool
    bad: bool


def verdicts(result: Result) -> Iterator[Verdict]:
    """One for each target of the payload of which something was measured."""
    payload = result.payload
    for form, run in result.runs.items():
        about = f'{payload.title}, {form}: the stock check takes {run.times:.1f} times more CPU'
        yield _ratio(about, run.times, payload.stock)
    for form, seconds in result.prometheus.items():
        if run := result.runs.get(form):
            times = seconds / run.check
            about = f'{payload.title}, {form}: Prometheus takes {times:.1f} times more CPU'
            yield _ratio(about, times, payload.than_prometheus)
    if result.left is not None:
        runs = f'{SPANS} times {payload.still} runs that brought nothing new'
        about = f'{payload.title}: each of {runs} left {result.left:,} memory blocks or more'
        held = result.left <= 0
        yield Verdict(about, 'none', held, not held)
    if payload.peak and result.sizes:
        peaks = [size.peak for size in result.sizes.values()]
        times = peaks[-1] / peaks[0]
        about = f'{payload.title}: the largest takes {times:.2f} times more memory at its peak than the smallest'
        held = times <= payload.peak
        yield Verdict(about, f'at most {payload.peak}', held, not held)


def _ratio(about: str, times: float, bound: Bound) -> Verdict:
    return Verdict(about, f'at least {bound.target:g}', times >= bound.target, times < bound.floor)
