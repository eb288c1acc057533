# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What runs cost in time and memory."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from .sides import Side

# Runs before anything is measured: the first ones fill what a check remembers.
WARM_UP = 3

SPANS = 8


@dataclass(frozen=True)
class Memory:
    """In bytes: the most that a run held beyond what was there before it, and what an instance holds between runs."""

    peak: int
    retained: int


def cpu(sides: Mapping[str, Side], rounds: int) -> dict[str, float]:
    """
    The median of the seconds of CPU that a run of each takes, over so many rounds of one run each.

    Garbage is collected before each run, so that none pays for what another has left.
    """
    for side in sides.values():
        for _ in range(WARM_UP):
            side.run()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            gc.collect()
            begin = time.process_time()
            side.run()
            seconds[name].append(time.process_time() - begin)
    return {name: median(each) for name, each in seconds.items()}


def memory(make: Callable[[], Side]) -> Memory:
    """What an instance holds that is made and run now. One of its kind must have run before, for what all share."""
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        side = make()
        peaks = []
        for _ in range(WARM_UP):
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            side.run()
            peaks.append(tracemalloc.get_traced_memory()[1] - held)
        gc.collect()
        return Memory(median(peaks), tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


def left(side: Side, runs: int) -> int:
    """
    The memory blocks that `SPANS` times so many runs leave, in the span that leaves least.

    What each run leaves is in every span. Blocks that come and go are in some and missing in others, about 15 of them,
    so that of 50 runs a block in three is seen.
    """
    for _ in range(runs):
        side.run()
    grown = []
    for _ in range(SPANS):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(runs):
            side.run()
        gc.collect()
        grown.append(sys.getallocatedblocks() - before)
    return min(grown)
