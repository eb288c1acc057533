# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a check submits over many runs, added up, so that memory does not grow with their number."""

from collections import Counter
from collections.abc import Iterable

from runner.aggregator import CheckSampler, Context, Count, MonotonicCount


class Totals(CheckSampler):
    """Adds up the counts of each series instead of keeping a point for each run.

    `negative` has the series that once decreased, `health` the last status of the service check.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.negative: set[str] = set()
        self.health: int | None = None

    def keep(self, context: Context, timestamp: float, value: float) -> None:
        if context.type not in (Count, MonotonicCount):
            return
        self.counts[context.name, context.tags] += value
        if value < 0:
            self.negative.add(context.name)

    def add_service_check(self, name: str, status: int, tags: Iterable[str], hostname: str, message: str) -> None:
        self.health = int(status)

    def by(self, name: str, keys: Iterable[str]) -> Counter[tuple[str, ...]]:
        """The counts of one metric by the tags of these keys alone, sorted."""
        prefixes = tuple(f'{key}:' for key in keys)
        counts: Counter[tuple[str, ...]] = Counter()
        for (metric, tags), value in self.counts.items():
            if metric == name:
                counts[tuple(sorted(tag for tag in tags if tag.startswith(prefixes)))] += value
        return counts
