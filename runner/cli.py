# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The command line: `python -m runner [URL ...]`."""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from simulator.parser import BAD_USAGE, Parser, above_zero

from . import agent
from .configuration import ConfigurationError, Instance, distinct, from_file, from_url
from .coverage import coverage, print_coverage
from .execution import Execution
from .json_report import json_report
from .redaction import redacted
from .status import status_block
from .table import Printer, print_samples

FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check as the arguments say. Returns 0 if the last run of each instance succeeded."""
    try:
        return _run(_parser().parse_args(arguments))
    except ConfigurationError as error:
        print(f'check: {error}', file=sys.stderr)
        return BAD_USAGE
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python flushes stdout once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog='check',
        description='Run the kubeflow check without an Agent and print what the Agent prints. '
        'Without URL and --config, run it on simulated Kubeflow components.',
        epilog='Exit status: 0 if the last run of each instance succeeded, 1 if one failed, 2 for bad usage.',
    )
    parser.add_argument('urls', metavar='URL', nargs='*', type=_url, help='an endpoint to run one instance on')
    parser.add_argument('--config', metavar='FILE', type=Path, help='a conf.yaml, as the Agent takes it')
    parser.add_argument(
        '--kubeflow',
        metavar='RELEASE',
        help='simulate the components of that Kubeflow release (default: every component in each of its forms)',
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument('--table', action='store_true', help='print tables and the status (the default)')
    form.add_argument('--json', action='store_true', help='print only a JSON list; the coverage goes to stderr')
    parser.add_argument('--times', metavar='N', type=above_zero, default=2, help='runs of each instance (default: 2)')
    parser.add_argument('--pause', metavar='SECONDS', type=_seconds, default=1.0, help='between two runs (default: 1)')
    return parser


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ('http', 'https') and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(f'{redacted(text)!r} is no http:// or https:// URL')
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f'{text!r} is no number of seconds')
    return seconds


def _run(options: argparse.Namespace) -> int:
    if sum(map(bool, (options.urls, options.config, options.kubeflow))) > 1:
        raise ConfigurationError('give URLs, --config or --kubeflow, and no two of them')
    with ExitStack() as stack:
        instances, remark = _instances(options, stack)
        # Imported here because the stand-in for the Agent must be there first.
        aggregator, datadog_agent = agent.install()
        from datadog_checks.kubeflow import KubeflowCheck, __version__
        from datadog_checks.kubeflow.catalogue import load_catalogue

        executions = [
            Execution(instance, KubeflowCheck, __version__, aggregator, datadog_agent)
            for instance in distinct(instances)
        ]
        for number in range(options.times):
            if number:
                time.sleep(options.pause)
            for execution in executions:
                execution.run()
    _report(options, executions, load_catalogue(), remark)
    return FAILED if any(execution.failed for execution in executions) else 0


def _instances(options: argparse.Namespace, stack: ExitStack) -> tuple[list[Instance], str]:
    """The instances to run, and a sentence on what is left out of them, which may be empty."""
    if options.config:
        return from_file(options.config), ''
    if options.urls:
        return [from_url(url) for url in options.urls], ''
    # Imported here because nothing else needs what it needs.
    from .simulation import simulated

    return simulated(options.kubeflow, stack)


def _report(options: argparse.Namespace, executions: list[Execution], catalogue, remark: str) -> None:
    rows = coverage(catalogue, executions)
    if options.json:
        json.dump([json_report(execution) for execution in executions], sys.stdout, indent=2, default=str)
        print(flush=True)
        printer = Printer(sys.stderr)
        if remark:
            printer.text(remark)
        print_coverage(printer, rows)
        return
    printer = Printer(sys.stdout)
    if remark:
        printer.text(remark)
    if len(executions) > 1:
        printer.text('Multiple check instances found, running each of them')
    for execution in executions:
        printer.text()
        printer.text(execution.instance.heading, 'bold')
        printer.text()
        print_samples(printer, execution.sampler)
        printer.text()
        printer.text(status_block(execution))
    printer.text()
    print_coverage(printer, rows)
    if options.times == 1:
        printer.text()
        printer.text('The check has run only once: with --times 2 there are counts too.', 'yellow')
