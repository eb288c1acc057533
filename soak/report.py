# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a soak showed, for a reader, and what of it must not be."""

from collections.abc import Iterable

from .soak import Difference, Findings
from .usage import Usage

MEBIBYTE = 1024 * 1024
# What the second half of the measures may hold more than the first, as a ratio. Expositions grow and shrink.
FLAT = 1.05
SHOWN = 10


def print_report(findings: Findings) -> None:
    """Print the figures, one line each."""
    print(f'runs                 {findings.runs}, {findings.errors} of them failed as they should')
    print(f'restarts             {findings.restarts}')
    endpoints = f'{findings.comparisons} of {len(findings.compared)} endpoints'
    print(f'counts compared      {endpoints}, {findings.counted:.0f} events in all')
    print(f'differences          {len(findings.differences)}')
    print(f'unknowable           {findings.untold:.0f} events of components that do not tell when they started')
    for difference in findings.differences[:SHOWN]:
        print(f'  {_sentence(difference)}')
    if findings.measures:
        print('round    Python blocks  resident MiB  descriptors  threads')
        for number, held in findings.measures.items():
            print(
                f'{number:<7}  {held.blocks:>13,}  {held.resident / MEBIBYTE:>12.1f}  {held.descriptors:>11}'
                f'  {held.threads:>7}'
            )


def verdict(findings: Findings) -> list[str]:
    """What did not hold, a sentence each; empty where everything did."""
    reasons = []
    if findings.unexpected_errors:
        reasons.append(f'{len(findings.unexpected_errors)} runs went wrong, the first: {findings.unexpected_errors[0]}')
    if findings.negative:
        reasons.append(f'counts decreased: {", ".join(sorted(findings.negative))}')
    if findings.differences:
        reasons.append(f'{len(findings.differences)} of {findings.comparisons} counts are not what happened')
    if without := [endpoint for endpoint, compared in findings.compared.items() if not compared]:
        reasons.append(f'no count was compared of {", ".join(without)}')
    reasons += _growth(list(findings.measures.values()))
    return reasons


def _growth(measures: list[Usage]) -> Iterable[str]:
    if len(measures) < 2:
        return
    earlier, later = measures[: len(measures) // 2], measures[len(measures) // 2 :]
    for name in ('blocks', 'resident'):
        before, after = (max(getattr(each, name) for each in half) for half in (earlier, later))
        if after > before * FLAT:
            yield f'memory grew: {name} from {before:,} to {after:,}'
    for name in ('descriptors', 'threads'):
        before, after = (max(getattr(each, name) for each in half) for half in (earlier, later))
        if after > before:
            yield f'{name} were left: {before}, then {after}'


def _sentence(difference: Difference) -> str:
    series = ' '.join((f'{difference.endpoint}: {difference.metric}', *difference.tags))
    return f'{series}: {difference.submitted:g} counted, {difference.expected:g} happened'
