# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m simulator`."""

import argparse
import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from reprlib import repr as shortened

from .clock import FASTEST, SLOWEST, Stopped
from .faults import BadFault, Fault, from_text
from .incidents import INCIDENTS, UnknownIncident, known
from .parser import BAD_USAGE, Parser, above_zero, whole
from .releases import RELEASES, UnknownRelease
from .server import Endpoint, Simulator, StartError

BROKEN = 1

# Slower than for a single run: whoever scrapes every 15 seconds sees every counter move all the same, and the families
# that grow by one series for each pipeline run grow less.
SPEED = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the simulation breaks (returns 1), or a signal handler raises `SystemExit`.

    Returns 2 for what cannot be started.
    """
    options = _parser().parse_args(arguments)
    try:
        simulator = Simulator(
            options.kubeflow,
            options.seed,
            options.speed,
            options.namespaces,
            options.models,
            options.host,
            options.base_port,
            token_file=options.token_file,
        )
        for name, fault in options.faults:
            if name not in simulator.names:
                known = ', '.join(simulator.names)
                return _say(f'argument --fault: there is no endpoint {name!r}; there are {known}', BAD_USAGE)
            simulator.apply(name, fault)
        for name in options.incidents:
            simulator.incident(name)
        with simulator:
            _print(_introduction(options, simulator.endpoints))
            failure = simulator.wait()
    except (UnknownRelease, StartError) as error:
        return _say(str(error), BAD_USAGE)
    except Stopped as error:
        failure = str(error)
    return _say(failure, BROKEN)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog='simulator',
        description='Serve the expositions of a simulated Kubeflow, each component on a port of its own, until Ctrl-C.',
        epilog='Exit status: 0 after Ctrl-C or SIGTERM, 1 if a component died, 2 for bad usage.',
    )
    parser.add_argument(
        '--kubeflow',
        metavar='RELEASE',
        help=f'the components of that release: {", ".join(RELEASES)} (default: every component in each of its forms)',
    )
    parser.add_argument(
        '--seed', metavar='N', type=whole, default=0, help='another one makes another world (default: 0)'
    )
    parser.add_argument(
        '--speed',
        metavar='X',
        type=_speed,
        default=SPEED,
        help=f'seconds of the world in one second, from {SLOWEST:g} to {FASTEST:g} (default: {SPEED:g})',
    )
    parser.add_argument('--namespaces', metavar='N', type=above_zero, default=3, help='profiles (default: 3)')
    parser.add_argument(
        '--models', metavar='N', type=above_zero, default=1, help='models of each way of serving (default: 1)'
    )
    parser.add_argument(
        '--host', metavar='ADDR', default='127.0.0.1', help='the address to listen on (default: 127.0.0.1)'
    )
    parser.add_argument(
        '--base-port',
        metavar='P',
        type=whole,
        help='the port of the first endpoint, the others follow (default: free ports)',
    )
    parser.add_argument(
        '--token-file',
        metavar='PATH',
        type=Path,
        help='the bearer token, written there if the file is not there (default: a new one in a temporary directory)',
    )
    parser.add_argument(
        '--fault',
        metavar='NAME=KIND[:VALUE]',
        dest='faults',
        action='append',
        type=_fault,
        default=[],
        help='what is wrong with an endpoint from the start: slow:SECONDS, cut:BYTES or unavailable; repeatable',
    )
    parser.add_argument(
        '--incident',
        metavar='NAME',
        dest='incidents',
        action='append',
        type=_incident,
        default=[],
        help=f'what goes wrong in the cluster from the start: {", ".join(INCIDENTS)}; repeatable',
    )
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not SLOWEST <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f'{shortened(text)} is no number from {SLOWEST:g} to {FASTEST:g}')
    return speed


def _fault(text: str) -> tuple[str, Fault]:
    name, _, fault = text.partition('=')
    if not name or not fault:
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=KIND[:VALUE], as in katib-controller=slow:3')
    try:
        return name, from_text(fault)
    except BadFault as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _incident(text: str) -> str:
    try:
        return known(text)
    except UnknownIncident as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _introduction(options: argparse.Namespace, endpoints: Sequence[Endpoint]) -> str:
    release = f'Kubeflow {options.kubeflow}' if options.kubeflow else 'every component of Kubeflow'
    rows = [('NAME', 'COMPONENT', 'URL', 'HOW TO SCRAPE IT')]
    rows += [(each.name, each.title, each.url, each.how) for each in endpoints]
    return '\n'.join(
        (
            f'Simulating {release}: seed {options.seed}, {options.speed:g} seconds of the cluster in one second.',
            '',
            *_columns(rows),
            '',
            'Faults: POST /-/restart, /-/slow?seconds=3, /-/cut?bytes=2000, /-/unavailable or /-/recover to any port.',
            'Incidents of the cluster: POST /-/incident/NAME and /-/end/NAME to any port.',
            'Ctrl-C ends it.',
        )
    )


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever read the table has seen enough. Python flushes stdout once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(sentence: str, status: int) -> int:
    print(f'simulator: {sentence}', file=sys.stderr, flush=True)
    return status
