# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How many endpoints one Agent carries."""

from __future__ import annotations

from dataclasses import dataclass

# The Agent's default, in seconds.
INTERVAL = 15
# The Agent's default of `check_runners`: so many runs go on at once. Python works on one of them at a time.
RUNNERS = 4
# Of a core, for those who have other use for it.
SHARE = 0.25
# What a run waits for the endpoint and the network, in seconds: an assumption.
WAIT = 0.05


@dataclass(frozen=True)
class Capacity:
    """Endpoints that are scraped each `INTERVAL`: for `SHARE` of a core, for a whole one, and by `RUNNERS`."""

    share: int
    core: int
    runners: int


def capacity(seconds: float) -> Capacity:
    """That of endpoints of which a run takes so many seconds of CPU."""
    return Capacity(
        int(SHARE * INTERVAL / seconds), int(INTERVAL / seconds), int(RUNNERS * INTERVAL / (seconds + WAIT))
    )
