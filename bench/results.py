# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was measured of a payload. Times are seconds of CPU, and memory is in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .measure import Memory
from .payloads import Payload
from .server import Figures


@dataclass(frozen=True)
class Run:
    """What a run takes of this check, and of the stock one."""

    check: float
    stock: float

    @property
    def times(self) -> float:
        """How many times more the stock check takes."""
        return self.stock / self.check


@dataclass(frozen=True)
class Size:
    """A payload in one of its sizes; `peak` is that of this check."""

    lines: int
    run: Run
    peak: int


@dataclass
class Result:
    """
    Of one payload, as far as it was measured.

    `samples` is how many the check and the stock one submit in a run. `runs` and `prometheus`, what a scrape takes the
    server, are by the form of the answer. `left` is in memory blocks.
    """

    payload: Payload
    figures: Figures
    samples: Mapping[str, int]
    runs: dict[str, Run] = field(default_factory=dict)
    prometheus: dict[str, float] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    left: int | None = None
    sizes: dict[int, Size] = field(default_factory=dict)
