# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a fuzzing showed, for a reader."""

import yaml

from .loop import Findings, Found

SHOWN_OUTCOMES = 40


def print_report(findings: Findings) -> None:
    """Print the figures, one line each, and every failure as an entry of `regressions.yaml`."""
    print(f'answers    {findings.runs}, each twice and with a clean exposition before and after')
    print(f'seconds    {findings.seconds:.0f}, {findings.slowest:.2f} for the slowest four runs')
    print(f'kept       {findings.kept} answers that reached something new')
    print(f'steps      {findings.steps} from one line of the code to another')
    print(f'outcomes   {len(findings.outcomes)}')
    for outcome, count in findings.outcomes.most_common(SHOWN_OUTCOMES):
        print(f'  {count:>7}  {outcome.health}  {outcome.message}'.rstrip())
    print(f'failures   {len(findings.failures)}')
    for found in findings.failures:
        print(entry(found))


def entry(found: Found) -> str:
    """A failure as YAML."""
    return yaml.safe_dump(
        [{'reason': found.reason, 'options': found.options, 'answer': found.answer}], sort_keys=False, width=120
    )
