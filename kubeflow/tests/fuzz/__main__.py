# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m kubeflow.tests.fuzz`."""

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from simulator.parser import Parser, above_zero, whole

from .loop import Findings, Fuzzing
from .report import print_report

FAILED = 1
# Between two lines of progress, in seconds.
TOLD_EACH = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the check and print what that showed. Returns 0 if everything held."""
    options = _parser().parse_args(arguments)
    # What the check logs of so many bad answers is part of none of the findings.
    logging.disable(logging.CRITICAL)
    end = time.monotonic() + options.seconds
    told = time.monotonic()

    def goes_on(findings: Findings) -> bool:
        nonlocal told
        if time.monotonic() - told > TOLD_EACH:
            told = time.monotonic()
            print(
                f'{findings.runs} answers, {findings.steps} steps, {len(findings.failures)} failures, '
                f'{findings.seconds:.0f} of {options.seconds} s',
                file=sys.stderr,
                flush=True,
            )
        return time.monotonic() < end

    findings = Fuzzing(options.seed, options.corpus).run(goes_on)
    print_report(findings)
    return FAILED if findings.failures else 0


def _parser() -> Parser:
    parser = Parser(
        prog='fuzz',
        description='Answer the check with bytes that change at random, from a port on loopback, and keep those that '
        'reach lines which none reached before.',
        epilog='Exit status: 0 if everything held, else 1.',
    )
    parser.add_argument('--seconds', type=above_zero, default=60, help='(default: 60)')
    parser.add_argument('--seed', type=whole, default=0, help='of what is random (default: 0)')
    parser.add_argument(
        '--corpus', type=Path, metavar='DIRECTORY', help='takes the answers that are kept, and gives them'
    )
    return parser


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('fuzz: interrupted')
