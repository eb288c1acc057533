# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which of the documented metrics came, from where, and why the others did not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .execution import Execution
from .table import Printer


@dataclass(frozen=True)
class Row:
    """A documented Datadog name; `text` is its source where it came and the reason where it did not."""

    name: str
    came: bool
    text: str


def coverage(catalogue: Any, executions: Sequence[Execution]) -> list[Row]:
    """One row for each documented name, in the order of the catalogue of the check."""
    names = [{each['metric'] for each in execution.sampler.series()} for execution in executions]
    sampled = {name for execution in executions for name in execution.sampler.submitted_names()}
    fed = [_fed(execution) for execution in executions]
    rows = []
    for entry in catalogue.metrics:
        if not entry.documented:
            continue
        families = _distinct(sources.get(entry.name, ()) for sources in fed)
        for name in entry.submitted_names():
            origin = _distinct(
                sources.get(entry.name, ()) for sources, came in zip(fed, names, strict=True) if name in came
            )
            if any(name in came for came in names):
                rows.append(Row(name, True, _origin(catalogue, entry, origin)))
            elif name in sampled:
                rows.append(Row(name, False, 'sampled once; a count is the difference of two runs'))
            elif families:
                rows.append(Row(name, False, f'left out by the instance options; {", ".join(families)} is there'))
            else:
                rows.append(Row(name, False, _reason(catalogue, entry)))
    return rows


def _fed(execution: Execution) -> dict[str, list[str]]:
    """The raw families that fed each entry, by the entry's name."""
    fed: dict[str, list[str]] = {}
    for report in execution.reports:
        for name, families in report.sources.items():
            fed.setdefault(name, []).extend(families)
    return fed


def _distinct(groups: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(family for group in groups for family in group))


def _origin(catalogue: Any, entry: Any, families: list[str]) -> str:
    """The raw families that fed an entry, grouped by the component that exposes them."""
    groups: dict[str, list[str]] = {}
    for family in families:
        titles = [
            catalogue.components[source.component].title
            for source in entry.component_sources
            if family in source.families or family in source.zero
        ]
        groups.setdefault(titles[0] if titles else '', []).append(family)
    return '; '.join(
        f'{" + ".join(group)} of {title}' if title else ' + '.join(group) for title, group in groups.items()
    )


def _reason(catalogue: Any, entry: Any) -> str:
    sources = entry.component_sources
    if not sources:
        return 'no release of any component exposes it'
    if all(source.opt_in for source in sources):
        return f'opt-in: {"; ".join(dict.fromkeys(source.opt_in for source in sources))}'
    origins: dict[str, list[str]] = {}
    for source in sources:
        origins.setdefault(catalogue.components[source.component].title, []).append(source.family)
    texts = [f'{", ".join(dict.fromkeys(families))} of {title}' for title, families in origins.items()]
    return f'not in these payloads; comes from {"; ".join(texts)}'


def print_coverage(printer: Printer, rows: Sequence[Row]) -> None:
    came = [row for row in rows if row.came]
    missing = [row for row in rows if not row.came]
    printer.text('=== Documented Metrics ===', 'bold')
    printer.text(f'{len(came)} of {len(rows)} came.')
    if came:
        printer.table(('METRIC', 'FROM'), ((row.name, row.text) for row in came))
    if missing:
        printer.text()
        printer.text(f'{len(missing)} did not come.')
        printer.table(('METRIC', 'WHY'), ((row.name, row.text) for row in missing))
