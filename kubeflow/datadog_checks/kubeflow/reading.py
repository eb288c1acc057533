# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An exposition read: what is wanted of it, parsed, and what had to be left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics

from .cardinality import too_many_samples
from .diagnosis import malformed_lines
from .parsing import Malformed, Parse, Parser, strictly
from .selection import Block, Explosion, Selection
from .wanted import Wanted

# Of a family with too many samples.
EXAMINED_SAMPLES = 1000


@dataclass
class Reading:
    """What became of an exposition besides its families.

    `dropped` are the samples that were not parsed. `left_out` are families that were wanted and are left out whole:
    with half of its samples a sum would shrink, and count twice when it grows back. `problems` has a sentence for each
    reason.
    """

    dropped: int = 0
    left_out: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)


class Reader:
    """Reads the expositions of one endpoint, which is shown as `endpoint`, scrape after scrape.

    `max_samples` is what one family may have (0: any number).
    """

    def __init__(self, endpoint: str, wanted: Wanted, parser: Parser, max_samples: int = 0):
        self._endpoint = endpoint
        self._wanted = wanted
        self._parser = parser
        self._max_samples = max_samples
        self._selection = Selection(wanted)
        self._malformed: list[Malformed] = []

    def blocks(self, chunks: Iterable[bytes], parse: Parse) -> Iterator[Block]:
        """Select from an exposition what `parse` is to read."""
        self._selection = Selection(self._wanted, parse is parse_openmetrics, self._max_samples)
        self._malformed = []
        self._parser.forget()
        return self._selection.blocks(chunks)

    def families(self, blocks: Iterable[Block], parse: Parse) -> Iterator[Metric]:
        """Parse what was selected.

        Raises `ValueError` for a line that breaks a rule of OpenMetrics, whose rules are about the whole.
        """
        if parse is parse_openmetrics:
            yield from strictly(blocks, parse)
            return
        for block in blocks:
            families, malformed = self._parser(block, parse)
            self._malformed += malformed
            yield from families

    @property
    def names_passed_over(self) -> list[str]:
        """The families of which nothing was wanted."""
        return self._selection.names

    def conclude(self) -> Reading:
        """What became of the exposition whose blocks and families have been taken."""
        explosions, malformed = self._selection.explosions, self._malformed
        problems = [self._too_many(name, explosion) for name, explosion in explosions.items()]
        if malformed:
            problems.append(malformed_lines(self._endpoint, malformed))
        return Reading(
            self._selection.dropped,
            frozenset(explosions).union(*(each.families for each in malformed)),
            problems,
        )

    def _too_many(self, name: str, explosion: Explosion) -> str:
        lines = explosion.lines.decode('utf-8', 'replace').split('\n')
        first = list(islice(filter(None, lines), EXAMINED_SAMPLES))
        return too_many_samples(self._endpoint, name, explosion.samples, self._max_samples, first)
