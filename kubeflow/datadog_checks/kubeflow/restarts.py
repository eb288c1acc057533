# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Counts of programs that restart between two scrapes.

The Agent adds up the increases of a counter. Of one that is lower than before it takes what it says, and of one that is
as high again it sees no increase: a controller that failed one trial, restarted and failed one trial has failed one.
After a scrape that failed, which a restart causes, it does not even take what a lower or a new counter says.

But a counter begins at 0, and a process says when it started. So a 0 is submitted before what is known to have begun
since the last scrape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric

from .relabel import Counts
from .targets import Target

# Linux derives a start from the time of its boot, which it gives in whole seconds and moves when its clock is set.
VARIATION_SECONDS = 2
# To which the time since the boot is given; what two start times of one process differ by is whole seconds.
CLOCK_TICK_SECONDS = 0.01


@dataclass(frozen=True)
class Counted:
    """The last scrape of a program.

    `seen` is its time, `sampled` that at which the samples were taken (a Prometheus server does so earlier) and
    `started` the start times of the program's processes, all in seconds since the epoch. `targets` are those of a
    Prometheus server that the program was seen through; `counts` is what its families that count were made of, by their
    names.
    """

    seen: float = 0.0
    sampled: float = 0.0
    started: frozenset[float] = frozenset()
    targets: frozenset[Target] = frozenset()
    counts: Mapping[str, Counts] = field(default_factory=dict)

    def carried_over(self, names: Collection[str]) -> dict[str, Counts]:
        """What families counted that the next scrape has not told anything of."""
        return {name: counts for name, counts in self.counts.items() if name in names}

    def beginnings(
        self,
        started: frozenset[float],
        targets: Collection[Target],
        counts: Mapping[str, Counts],
        flush_first_value: bool,
    ) -> Iterator[Metric]:
        """Families of series at 0, to be submitted before those of the scrape that has `started` and `counts`.

        `flush_first_value` says that the Agent is told to take what a series says that it has never seen.
        """
        restarted = self._all_started_since(started)
        if restarted:
            yield from (count.zeros(name) for name, count in self.counts.items())
        if not flush_first_value and (restarted or self.targets.issuperset(targets) and self._are_the_same(started)):
            for name, count in counts.items():
                known = self.counts.get(name)
                zeros = count.zeros(name, but=known.children if known else ())
                if zeros is not None:
                    yield zeros

    def _all_started_since(self, started: frozenset[float]) -> bool:
        # Another replica that answers in its turn has been running already.
        return bool(self.started and started) and all(
            start > self.sampled - VARIATION_SECONDS and not self._has_process(start) for start in started
        )

    def _are_the_same(self, started: frozenset[float]) -> bool:
        return bool(started) and len(started) == len(self.started) and all(map(self._has_process, started))

    def _has_process(self, start: float) -> bool:
        return any(_is_one_process(start, each) for each in self.started)


def _is_one_process(start: float, other: float) -> bool:
    apart = abs(start - other)
    return apart <= VARIATION_SECONDS and abs(apart - round(apart)) < CLOCK_TICK_SECONDS
