# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The `Running Checks` block of `agent status`."""

import json
from datetime import datetime, timezone

from .execution import CHECK, Execution

INDENT = ' ' * 6


def status_block(execution: Execution) -> str:
    """The block of one instance, metadata below it."""
    stats, last, total = execution.stats, execution.stats.last_run, execution.stats.total
    title = f'{CHECK} ({execution.version})'
    lines = [
        *_heading('Running Checks', '='),
        '',
        f'    {title}',
        f'    {"-" * len(title)}',
        f'{INDENT}Instance ID: {execution.check_id} [{_state(execution)}]',
        f'{INDENT}Configuration Source: {execution.instance.source}',
        f'{INDENT}Total Runs: {stats.total_runs:,}',
        _submitted('Metric Samples', last.metric_samples, total.metric_samples),
        _submitted('Events', last.events, total.events),
        _submitted('Service Checks', last.service_checks, total.service_checks),
    ]
    if total.histogram_buckets:
        lines.append(_submitted('Histogram Buckets', last.histogram_buckets, total.histogram_buckets))
    lines += [
        f'{INDENT}First Execution Time : {_date(stats.first_date)}',
        f'{INDENT}Average Execution Time : {_duration(stats.average_time)}',
        f'{INDENT}Last Execution Date : {_date(stats.last_date)}',
        f'{INDENT}Last Successful Execution Date : {_date(stats.last_success_date)}',
    ]
    if execution.metadata:
        lines.append(f'{INDENT}metadata:')
        lines += [f'{INDENT}  {name}: {value}' for name, value in sorted(execution.metadata.items())]
    lines += _error(stats.last_error)
    lines += [f'{INDENT}Warning: {warning}' for warning in stats.last_warnings]
    lines += ['', *_heading('Metadata', '=')]
    lines += [f'    {name}: {value}' for name, value in inventory(execution).items()]
    return '\n'.join(lines)


def inventory(execution: Execution) -> dict[str, str]:
    """What the Agent tells about an instance in its inventory."""
    return {
        'config.hash': execution.check_id,
        'config.provider': execution.instance.source.partition(':')[0],
        **dict(sorted(execution.metadata.items())),
    }


def _heading(text: str, rule: str) -> list[str]:
    return [f'  {text}', f'  {rule * len(text)}']


def _state(execution: Execution) -> str:
    if execution.failed:
        return 'ERROR'
    return 'WARNING' if execution.stats.last_warnings else 'OK'


def _submitted(what: str, last: int, total: int) -> str:
    return f'{INDENT}{what}: Last Run: {last:,}, Total: {total:,}'


def _date(seconds: int) -> str:
    if not seconds:
        return 'Never'
    return f'{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC ({seconds * 1000})'


def _duration(milliseconds: int) -> str:
    return f'{milliseconds}ms' if milliseconds < 1000 else f'{milliseconds / 1000:g}s'


def _error(report: str) -> list[str]:
    lines = []
    for error in json.loads(report) if report else ():
        lines.append(f'{INDENT}Error: {error["message"]}')
        lines += [f'{INDENT}{line}' for line in error['traceback'].splitlines()]
    return lines
