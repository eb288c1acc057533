# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The monitors of the check, and what becomes of them in a recording."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from .assets import ASSETS, AssetError, known, load, placed
from .evaluate import Group
from .query import SECONDS, CheckMonitor, MetricMonitor, QueryError, parse_check_monitor, parse_metric_monitor
from .recording import Recording
from .states import COMPARISONS, Options, State, check_states, metric_states

MONITORS = ASSETS / 'monitors'

# What has no influence on a state.
_STATELESS = frozenset(
    'avalanche_window escalation_message group_retention_duration include_tags locked new_host_delay '
    'notification_preset_name notify_audit notify_by renotify_interval renotify_occurrences renotify_statuses '
    'silenced'.split()
)
_COMMON = frozenset({'new_group_delay', 'thresholds'})
_OF_METRICS = frozenset({'on_missing_data', 'require_full_window'})
_OF_CHECKS = frozenset({'notify_no_data', 'timeout_h'})
_METRIC_THRESHOLDS = frozenset({'critical', 'critical_recovery', 'warning', 'warning_recovery'})
_CHECK_THRESHOLDS = frozenset({'critical', 'ok', 'warning'})
_ON_MISSING = {'resolve': State.OK, 'show_no_data': State.NO_DATA, 'show_and_notify_no_data': State.NO_DATA}


@dataclass(frozen=True)
class Episode:
    """A group was in `state` from minute `begin` to minute `end`, at whose ends it was looked at."""

    group: Group
    state: State
    begin: int
    end: int


@dataclass(frozen=True)
class Monitor:
    """`name` is that of its file without the ending."""

    name: str
    query: MetricMonitor | CheckMonitor
    options: Options

    def episodes(self, recording: Recording) -> list[Episode]:
        """The states of every group in turn. Raises `AssetError`."""
        with placed(f'{self.name}.json', 'query'):
            if isinstance(self.query, CheckMonitor):
                states = check_states(self.query, self.options, recording)
            else:
                states = metric_states(self.query, self.options, recording)
        return [
            Episode(group, state, minutes[0], minutes[-1])
            for group, history in sorted(states.items())
            for state, run in groupby(history.items(), key=lambda each: each[1])
            for minutes in [[minute for minute, _ in run]]
        ]


def fired(episodes: list[Episode]) -> list[Episode]:
    """The episodes in which somebody was notified of a fault."""
    return [episode for episode in episodes if episode.state in (State.ALERT, State.WARN)]


def read_monitors(directory: Path = MONITORS) -> list[Monitor]:
    """The monitors in a directory, by name. Raises `AssetError`."""
    if paths := sorted(directory.glob('*.json')):
        return [read_monitor(path) for path in paths]
    raise AssetError(f'{directory}: there are no monitors')


def read_monitor(path: Path) -> Monitor:
    """The monitor in a file, in the format of recommended monitors. Raises `AssetError`."""
    definition = load(path).get('definition')
    with placed(path.name, 'definition'):
        if not isinstance(definition, dict):
            raise QueryError('it is missing')
        kind, text = definition.get('type'), str(definition.get('query', ''))
        options = definition.get('options')
    with placed(path.name, f'query {text!r}'):
        if kind == 'service check':
            query = parse_check_monitor(text)
        elif kind == 'query alert':
            query = parse_metric_monitor(text)
        else:
            raise QueryError(f'the type {kind!r} is not evaluated')
    with placed(path.name, 'options'):
        if isinstance(query, CheckMonitor):
            return Monitor(path.stem, query, _check_options(options, query))
        return Monitor(path.stem, query, _metric_options(options, query))


def _metric_options(options: Any, query: MetricMonitor) -> Options:
    options = known(options, _STATELESS, _COMMON, _OF_METRICS, what='an option')
    thresholds = known(options.get('thresholds'), _METRIC_THRESHOLDS, what='thresholds')
    if thresholds.get('critical') != query.threshold:
        raise QueryError(f'the threshold critical is not the {query.threshold:g} of the query')
    compare = COMPARISONS[query.comparison]
    for name in ('critical', 'warning'):
        recovery = thresholds.get(f'{name}_recovery')
        if recovery is not None and (name not in thresholds or not compare(thresholds[name], recovery)):
            raise QueryError(f'{name}_recovery is not on the other side of the threshold {name}')
    on_missing = options.get('on_missing_data')
    if on_missing not in _ON_MISSING:
        raise QueryError(f'the on_missing_data {on_missing!r} is not evaluated')
    return Options(
        thresholds,
        _ON_MISSING[on_missing],
        options.get('require_full_window', False),
        options.get('new_group_delay', 0),
    )


def _check_options(options: Any, query: CheckMonitor) -> Options:
    options = known(options, _STATELESS, _COMMON, _OF_CHECKS, what='an option')
    thresholds = known(options.get('thresholds'), _CHECK_THRESHOLDS, what='thresholds')
    if options.get('notify_no_data'):
        raise QueryError('notify_no_data is not evaluated')
    if query.last <= max(thresholds.values(), default=1):
        raise QueryError(f'the last {query.last} answers are not more than a threshold wants')
    hours = options.get('timeout_h')
    return Options(
        thresholds,
        new_group_delay=options.get('new_group_delay', 0),
        resolved_after=hours * SECONDS['h'] if hours else None,
    )
