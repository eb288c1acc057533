# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The measurements of one payload."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from . import measure
from .payloads import Payload
from .prometheus import cpu_of_scrapes
from .results import Result, Run, Size
from .server import PLAIN, STILL, Stage
from .sides import Nowhere, Side, ours, stock

# What can be measured, in the order of the tables.
PARTS = ('cpu', 'prometheus', 'memory', 'still', 'growth')

# Rounds at each size, of which the largest takes a stock check many seconds.
GROWTH_ROUNDS = 2


class Bench:
    """Measures with the endpoint of `stage`, and what has to with the Prometheus server `program`."""

    def __init__(self, stage: Stage, nowhere: Nowhere, program: Path | None):
        self._stage = stage
        self._nowhere = nowhere
        self._program = program

    def measure(self, payload: Payload, parts: Collection[str], rounds: int | None = None) -> Result:
        """
        Measure these `PARTS` of a payload; `rounds` in place of its own.

        Raises:
            Failed: a run had an error
            NotReady: the Prometheus server does not scrape
            RuntimeError: the endpoint has ended
        """
        figures = self._stage.show(payload)
        check, other, families = self._sides(PLAIN)
        result = Result(payload, figures, {'check': self._samples(check), 'stock': self._samples(other)})
        if 'cpu' in parts:
            for form in payload.forms:
                result.runs[form] = self._run(form, rounds or payload.rounds)
        if 'prometheus' in parts and payload.prometheus and self._program:
            for form, seconds in cpu_of_scrapes(self._program, self._stage, payload.forms, families).items():
                result.prometheus[form] = seconds
        if 'memory' in parts:
            url = self._stage.url(PLAIN)
            result.memory = {
                'check': measure.memory(lambda: ours(url)),
                'stock': measure.memory(lambda: stock(url, families)),
            }
        if 'still' in parts:
            result.left = measure.left(ours(self._stage.url(STILL)), payload.still)
        if 'growth' in parts:
            result.sizes = {size: self._size(sized) for size, sized in payload.sizes().items()}
        return result

    def _sides(self, form: str) -> tuple[Side, Side, set[str]]:
        """The check and the stock one for an answer in this form, and the raw families that the second maps."""
        url = self._stage.url(form)
        check = ours(url)
        check.run()
        return check, stock(url, check.sources), check.sources

    def _samples(self, side: Side) -> int:
        with self._nowhere.counting() as names:
            side.run()
        return len(names)

    def _run(self, form: str, rounds: int) -> Run:
        check, other, _ = self._sides(form)
        return Run(**measure.cpu({'check': check, 'stock': other}, rounds))

    def _size(self, payload: Payload) -> Size:
        figures = self._stage.show(payload)
        run = self._run(PLAIN, GROWTH_ROUNDS)
        return Size(figures.lines, run, measure.memory(lambda: ours(self._stage.url(PLAIN))).peak)
