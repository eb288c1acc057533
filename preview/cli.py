# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m preview`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.clock import Stopped
from simulator.incidents import UnknownIncident, known
from simulator.parser import BAD_USAGE, Parser, above_zero, whole
from simulator.releases import RELEASES, UnknownRelease
from simulator.server import StartError

from .assets import AssetError
from .dashboard import read_dashboard
from .monitors import fired, read_monitors
from .panels import panels
from .recording import MINUTE, Incident, Plan, Recording, record
from .report import print_monitors, print_widgets

FAILED = 1
# What passes before an incident begins, in minutes.
QUIET = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Record, evaluate, print and draw. Returns 0 if no widget is empty and no monitor fired that should not."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.incident and options.minutes <= QUIET:
        parser.error(f'an incident begins after {QUIET} minutes, so --minutes has to be more')
    try:
        return _run(options)
    except (AssetError, UnknownIncident, UnknownRelease) as error:
        sentence, status = str(error), BAD_USAGE
    except OSError as error:
        sentence, status = f'{error.filename or "stdout"}: {error.strerror}', BAD_USAGE
    except (RuntimeError, StartError, Stopped) as error:
        sentence, status = str(error), FAILED
    print(f'preview: {sentence}', file=sys.stderr)
    return status


def _run(options: argparse.Namespace) -> int:
    if options.incident:
        known(options.incident)
    dashboard, monitors = read_dashboard(), read_monitors()
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    recording = _record(options)
    shown = panels(dashboard, recording)
    episodes = {monitor.name: monitor.episodes(recording) for monitor in monitors}
    print_widgets(shown)
    print()
    print_monitors(episodes, options.minutes)
    if options.out:
        # Imported here because it takes long, and nothing else needs it.
        from .pictures import write_page, write_picture

        print()
        print(write_picture(shown, options.out))
        print(write_page(dashboard.title, shown, options.out))
    failed = any(panel.empty for panel in shown)
    failed |= not options.incident and any(fired(each) for each in episodes.values())
    return FAILED if failed else 0


def _record(options: argparse.Namespace) -> Recording:
    incident = Incident(options.incident, QUIET, options.minutes) if options.incident else None
    plan = Plan(options.kubeflow, options.minutes, options.interval, options.seed, incident=incident)

    def tell(minute: int) -> None:
        if minute % 10 == 0:
            print(f'minute {minute} of {options.minutes}', file=sys.stderr, flush=True)

    return record(plan, tell)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog='preview',
        description='Run the check on a simulated Kubeflow, tell what each widget of the dashboard and each monitor '
        'makes of what it submits, and draw the dashboard.',
        epilog='Exit status: 0 if no widget is empty and, without an incident, no monitor fires, else 1; 2: bad usage.',
    )
    newest = RELEASES[-1]
    parser.add_argument('--kubeflow', metavar='RELEASE', default=newest, help=f'(default: {newest})')
    parser.add_argument('--out', metavar='DIR', type=Path, help='where to put the picture and the page (default: none)')
    parser.add_argument('--seed', metavar='N', type=whole, default=0, help='of the simulated world (default: 0)')
    parser.add_argument('--minutes', metavar='N', type=above_zero, default=60, help='how long to record (default: 60)')
    parser.add_argument(
        '--interval',
        metavar='S',
        type=_interval,
        default=15,
        help='seconds between two runs (default: 15, the Agent\'s)',
    )
    parser.add_argument('--incident', metavar='NAME', help=f'one of the simulator, which begins after {QUIET} minutes')
    return parser


def _interval(text: str) -> int:
    seconds = above_zero(text)
    if MINUTE % seconds:
        raise argparse.ArgumentTypeError(f'{text!r} seconds do not divide a minute')
    return seconds
