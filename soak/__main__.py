# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m soak`."""

import argparse
import sys
import time
from collections.abc import Sequence

from runner import agent
from simulator.parser import Parser, above_zero, whole
from simulator.releases import RELEASES

from .report import print_report, verdict
from .soak import INTERVAL, Plan, Soak
from .stage import Stage

FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak the check and print what that showed. Returns 0 if everything held."""
    options = _parser().parse_args(arguments)
    aggregator, _ = agent.install()
    # Imported here because the stand-in for the Agent must be there first.
    from datadog_checks.kubeflow import KubeflowCheck

    begin = time.monotonic()

    def tell(number: int) -> None:
        if number % max(1, options.rounds // 10) == 0:
            print(f'round {number} of {options.rounds}, {time.monotonic() - begin:.0f} s', file=sys.stderr, flush=True)

    plan = Plan(options.rounds, options.restart, options.fault)
    with Stage(options.seed, options.kubeflow) as stage:
        findings = Soak(stage, plan, KubeflowCheck, aggregator).run(tell)
    print_report(findings)
    reasons = verdict(findings)
    for reason in reasons:
        print(f'soak: {reason}', file=sys.stderr)
    return FAILED if reasons else 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog='soak',
        description='Run the check on every endpoint of a simulated Kubeflow, whose components restart and fail on the '
        f'way, {INTERVAL:.0f} seconds of the world apart, and compare what it counted with what happened.',
        epilog='Exit status: 0 if memory, descriptors and threads stayed flat and every count is exact, else 1.',
    )
    parser.add_argument('--rounds', type=above_zero, default=500, help='runs on each endpoint (default: 500)')
    parser.add_argument(
        '--restart', type=above_zero, default=10, metavar='N', help='a restart each N rounds (default: 10)'
    )
    parser.add_argument('--fault', type=above_zero, default=7, metavar='N', help='a fault each N rounds (default: 7)')
    parser.add_argument('--seed', type=whole, default=0, help='of the world (default: 0)')
    parser.add_argument('--kubeflow', type=_release, metavar='RELEASE', help='(default: every component in each form)')
    return parser


def _release(text: str) -> str:
    if text not in RELEASES:
        raise argparse.ArgumentTypeError(f'{text!r} is no release: choose from {", ".join(RELEASES)}')
    return text


if __name__ == '__main__':
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f'soak: {error}')
    except KeyboardInterrupt:
        sys.exit('soak: interrupted')
