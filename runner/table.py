# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Series, sketches, service checks and events as `agent check --table` prints them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .aggregator import CheckSampler


class Printer:
    """Writes text and tables. On a terminal long cells fold; elsewhere each row is one whole line without colour."""

    # Wider than any row, so that rich neither folds nor cuts.
    UNBOUNDED = 1_000_000

    def __init__(self, stream: TextIO):
        # Decided here, for rich would take FORCE_COLOR in the environment for a terminal.
        terminal = stream.isatty()
        width = None if terminal else self.UNBOUNDED
        # `:fire:` in a tag is a tag.
        self._console = Console(file=stream, force_terminal=terminal, width=width, emoji=False)

    def text(self, text: str = '', style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(box=None, pad_edge=False, header_style='bold')
        for column in columns:
            table.add_column(column, overflow='fold')
        for row in rows:
            # As `Text`, so that brackets in a tag are no markup.
            table.add_row(*(Text(cell) for cell in row))
        if self._console.is_terminal:
            self._console.print(table)
            return
        with self._console.capture() as capture:
            self._console.print(table)
        for line in capture.get().splitlines():
            self.text(line.rstrip())


def print_samples(printer: Printer, sampler: CheckSampler) -> None:
    """Everything one instance submitted. Sections without content are left out, save the series."""
    printer.text('=== Series ===', 'bold')
    printer.table(
        ('METRIC', 'TYPE', 'TIMESTAMP', 'VALUE', 'TAGS'),
        (
            (each['metric'], each['type'], str(timestamp), number(value), ', '.join(each['tags']))
            for each in sampler.series()
            for timestamp, value in each['points']
        ),
    )
    if sketches := sampler.sketches():
        printer.text('=== Sketches ===', 'bold')
        printer.text('The Agent makes a sketch of each of these sets of histogram buckets.')
        printer.table(
            ('METRIC', 'TIMESTAMP', 'BUCKETS (LOWER..UPPER=COUNT)', 'TAGS'),
            (
                (each['metric'], str(each['ts']), _buckets(each['buckets']), ', '.join(each['tags']))
                for each in sketches
            ),
        )
    for title, entries in (('Service Checks', sampler.service_checks), ('Events', sampler.events)):
        if entries:
            printer.text(f'=== {title} ===', 'bold')
            printer.text(json.dumps(entries, indent=2, default=str))


def number(value: float) -> str:
    """Whole numbers without a fraction, others with six digits."""
    return str(int(value)) if float(value).is_integer() else f'{value:.6g}'


def _buckets(buckets: list[list[Any]]) -> str:
    return ' '.join(f'{_bound(lower)}..{_bound(upper)}={count}' for lower, upper, count in buckets)


def _bound(bound: float | str) -> str:
    return bound if isinstance(bound, str) else number(bound)
