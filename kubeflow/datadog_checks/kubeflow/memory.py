# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What earlier scrapes of an endpoint settled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .relabel import Ranked, Remembered
from .restarts import Counted
from .targets import Pod, Scrape, Target

# Pods come and go. One that stayed away as long has gone, or is as good as new.
FORGOTTEN_AFTER_SECONDS = 3600


@dataclass
class Settled:
    """What is settled for one pod, or for the endpoint itself.

    `overruled` are sources that stood back once, `ranks` the position of the source that feeds each family: see
    `Relabeller`. `counted` is the last scrape that held it. `left_out` are the families that were not fed then: what
    they count has not been reported, and is old. `relabelled` is what the relabeller made of it.
    """

    overruled: set[Ranked] = field(default_factory=set)
    ranks: dict[str, int] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counted)
    left_out: set[str] = field(default_factory=set)
    relabelled: Remembered = field(default_factory=Remembered)


class Memory:
    """What is settled for the endpoint itself (None) and for each pod it federates. Pods are forgotten in time."""

    def __init__(self):
        self._settled: dict[Pod | None, Settled] = {None: Settled()}
        self._targets: Collection[Target] = frozenset()
        self._forgotten = 0.0

    def of(self, pod: Pod | None) -> Settled:
        return self._settled.setdefault(pod, Settled())

    def has_seen(self, targets: set[Target]) -> bool:
        """Whether the last scrape held all these targets. A target is away while Prometheus cannot scrape it."""
        return targets <= self._targets

    def reported_until(self, pod: Pod) -> float:
        """The time up to which counts of a pod may have been reported, in seconds since the epoch."""
        settled = self._settled.get(pod)
        return settled.counted.sampled if settled and settled.counted.seen else self._forgotten

    def keep(self, scrape: Scrape, now: float) -> None:
        """Remember the targets of a scrape that was submitted at `now`, and forget the pods that have gone."""
        self._targets = frozenset(scrape.targets)
        for pod, settled in list(self._settled.items()):
            seen = settled.counted.seen
            if pod is not None and now - seen > FORGOTTEN_AFTER_SECONDS:
                self._forgotten = max(self._forgotten, seen)
                del self._settled[pod]
