# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What was measured, for a reader."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import pairwise

from runner.table import Printer

from .capacity import INTERVAL, RUNNERS, SHARE, WAIT, capacity
from .results import Result
from .server import PLAIN
from .verdicts import Verdict

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
MEGABYTE = 1_000_000


def environment() -> str:
    """What the figures depend on besides the code: the interpreter and the base package."""
    return f'Python {platform.python_version()}, datadog-checks-base {version("datadog-checks-base")}'


def print_report(printer: Printer, results: Sequence[Result], verdicts: Iterable[Verdict]) -> None:
    """Print the tables of what was measured, and the targets."""
    printer.text(environment())
    _print(
        printer,
        'CPU of a run in ms, the median',
        ('PAYLOAD', 'FORM', 'LINES', 'MB', 'CHANGED', 'CHECK', 'STOCK', 'PROMETHEUS', 'STOCK/CHECK', 'LINES/S'),
        _runs(results),
    )
    _print(
        printer,
        'Samples submitted by a run, and its memory in KiB',
        ('PAYLOAD', 'SAMPLES', 'OF STOCK', 'PEAK', 'OF STOCK', 'HELD BETWEEN RUNS', 'OF STOCK', 'BLOCKS LEFT'),
        _memory(results),
    )
    _print(
        printer,
        'Growth: CPU in ms, memory in KiB; the exponents are those of the step from the row above',
        ('PAYLOAD', 'SIZE', 'LINES', 'CHECK', 'EXPONENT', 'STOCK', 'EXPONENT', 'PEAK'),
        _growth(results),
    )
    _print(
        printer,
        f'Endpoints of one Agent, each scraped every {INTERVAL} s',
        (
            'PAYLOAD',
            'CPU MS',
            f'{SHARE:.0%} OF A CORE',
            'THEIR MEMORY IN MIB',
            'A CORE',
            f'{RUNNERS} RUNNERS, {WAIT * 1000:.0f} MS OF WAITING',
        ),
        _capacity(results),
    )
    for verdict in verdicts:
        printer.text(f'{"PASS" if verdict.held else "FAIL"}  {verdict.about} (target: {verdict.target})')


def _print(printer: Printer, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    if rows:
        printer.text(f'\n=== {title} ===')
        printer.table(columns, rows)
        printer.text()


def _runs(results: Iterable[Result]) -> Iterator[Sequence[str]]:
    for result in results:
        figures = result.figures
        for form, run in result.runs.items():
            scrape = result.prometheus.get(form)
            yield (
                result.payload.title,
                form,
                f'{figures.lines:,}',
                f'{figures.size / MEGABYTE:.2f}',
                f'{figures.changed:.0%}',
                _milliseconds(run.check),
                _milliseconds(run.stock),
                '-' if scrape is None else _milliseconds(scrape),
                f'{run.times:.2f}',
                f'{figures.lines / run.check:,.0f}',
            )


def _memory(results: Iterable[Result]) -> Iterator[Sequence[str]]:
    for result in results:
        if not result.memory and result.left is None:
            continue
        check, stock = result.memory.get('check'), result.memory.get('stock')
        yield (
            result.payload.title,
            f'{result.samples["check"]:,}',
            f'{result.samples["stock"]:,}',
            *(_kibibytes(getattr(each, name, None)) for name in ('peak', 'retained') for each in (check, stock)),
            '-' if result.left is None else f'{result.left:,} of {result.payload.still} runs',
        )


def _growth(results: Iterable[Result]) -> Iterator[Sequence[str]]:
    for result in results:
        sizes = list(result.sizes.items())
        for (_, before), (number, size) in pairwise([(None, None), *sizes]):
            wider = math.log(size.lines / before.lines) if before else 0

            def exponent(now: float, then: float | None, wider: float = wider) -> str:
                return f'{math.log(now / then) / wider:.2f}' if then else '-'

            yield (
                result.payload.title,
                f'{number:,}',
                f'{size.lines:,}',
                _milliseconds(size.run.check),
                exponent(size.run.check, before and before.run.check),
                _milliseconds(size.run.stock),
                exponent(size.run.stock, before and before.run.stock),
                _kibibytes(size.peak),
            )


def _capacity(results: Iterable[Result]) -> Iterator[Sequence[str]]:
    for result in results:
        if run := result.runs.get(PLAIN):
            carried = capacity(run.check)
            held = result.memory.get('check')
            yield (
                result.payload.title,
                _milliseconds(run.check),
                f'{carried.share:,}',
                f'{carried.share * held.retained / MEBIBYTE:,.0f}' if held else '-',
                f'{carried.core:,}',
                f'{carried.runners:,}',
            )


def _milliseconds(seconds: float) -> str:
    return f'{seconds * 1000:,.1f}'


def _kibibytes(size: int | None) -> str:
    return '-' if size is None else f'{size / KIBIBYTE:,.0f}'
