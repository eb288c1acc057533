# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m bench`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from kubeflow.tests.live.environment import Unavailable, cache_directory
from kubeflow.tests.live.process import NotReady
from kubeflow.tests.live.prometheus import find_program
from runner.table import Printer
from simulator.parser import Parser, above_zero

from .bench import PARTS, Bench
from .payloads import read
from .report import print_report
from .server import Stage
from .sides import Failed, install
from .verdicts import verdicts

MISSED = 1
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the tables. Returns 0 if every target was reached."""
    options = _parser().parse_args(arguments)
    parts = options.only or PARTS
    payloads, _ = read()
    chosen = [payloads[name] for name in options.payloads or payloads]
    program = _program() if 'prometheus' in parts and any(each.prometheus for each in chosen) else None
    nowhere = install()
    results = []
    try:
        with Stage() as stage:
            bench = Bench(stage, nowhere, program)
            for payload in chosen:
                print(f'bench: {payload.title}', file=sys.stderr, flush=True)
                results.append(bench.measure(payload, parts, options.rounds))
    except (Failed, NotReady, OSError, RuntimeError) as error:
        print(f'bench: {error}', file=sys.stderr)
        return FAILED
    judged = [verdict for result in results for verdict in verdicts(result)]
    if options.json:
        print(
            json.dumps({'results': [asdict(each) for each in results], 'verdicts': [asdict(each) for each in judged]})
        )
    else:
        print_report(Printer(sys.stdout), results, judged)
    return 0 if all(verdict.held for verdict in judged) else MISSED


def _program() -> Path | None:
    try:
        return find_program(cache_directory())
    except Unavailable as error:
        print(f'bench: without a Prometheus server: {error}', file=sys.stderr)
        return None


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog='bench',
        description='Measure what a run of the check costs, beside a stock OpenMetrics check that maps the same '
        'families and beside a Prometheus server that keeps them.',
        epilog=f'Exit status: 0 if every target was reached, {MISSED} if one was missed, {FAILED} if something failed.',
    )
    parser.add_argument(
        'payloads', nargs='*', type=_payload, metavar='PAYLOAD', help=f'{", ".join(read()[0])} (default: all)'
    )
    parser.add_argument(
        '--only',
        action='append',
        choices=PARTS,
        help=f'measure this, may be repeated: {", ".join(PARTS)} (default: all)',
    )
    parser.add_argument('--rounds', type=above_zero, help='runs of each side (default: those of the payload)')
    parser.add_argument('--json', action='store_true', help='print JSON: times in seconds, memory in bytes')
    return parser


def _payload(text: str) -> str:
    if text not in read()[0]:
        raise argparse.ArgumentTypeError(f'{text!r} is no payload: choose from {", ".join(read()[0])}')
    return text
