# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the state of a monitor's group follows from what was submitted."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .evaluate import UNGROUPED, Frame, Group, Span, calculated, grouped, interval_of, reduced, rolled_up
from .query import CheckMonitor, DefaultZero, Expression, MetricMonitor, Operation, QueryError, metric_queries
from .recording import MINUTE, Recording

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    '>': operator.gt,
    '>=': operator.ge,
    '<': operator.lt,
    '<=': operator.le,
}


class State(StrEnum):
    OK = 'OK'
    WARN = 'WARN'
    ALERT = 'ALERT'
    NO_DATA = 'NO DATA'


# By the status of a service check, and the thresholds of a monitor on one.
STATUSES = {0: (State.OK, 'ok'), 1: (State.WARN, 'warning'), 2: (State.ALERT, 'critical')}

# The states of each group by minute, the minute at whose end it was in that state.
States = dict[Group, dict[int, State]]


@dataclass(frozen=True)
class Options:
    """Options of a monitor that its states depend on; times are in seconds.

    `on_missing` is what a window without data means: 'default', 'resolve', 'show_no_data' or
    'show_and_notify_no_data'. `no_data_after` tells instead after how long without data a group has none; until then,
    and for ever where it is None, it stays as it was. After `resolved_after` without data it is OK.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    on_missing: str = 'default'
    no_data_after: int | None = None
    resolved_after: int | None = None
    full_window: bool = False
    evaluation_delay: int = 0
    new_group_delay: int = 0


def metric_states(monitor: MetricMonitor, options: Options, recording: Recording) -> States:
    """The states of a monitor on metrics, evaluated once a minute on the intervals that ended in its window.

    Where all queries are counts, each is aggregated over the window before the arithmetic, else after it. Raises
    `QueryError`.
    """
    values_until = _values(monitor, recording)
    zero = options.no_data_after is None and options.on_missing == 'default' and _missing_is_zero(monitor.expression)
    states: States = {}
    # When a group first had a value, and when last.
    first: dict[Group, int] = {}
    last: dict[Group, int] = {}
    if not any(query.groups for query in metric_queries(monitor.expression)):
        first[UNGROUPED] = last[UNGROUPED] = 0
    for now in range(MINUTE, recording.seconds + 1, MINUTE):
        end = now - options.evaluation_delay
        if options.full_window and end < monitor.window:
            continue
        values = values_until(end)
        for group in values:
            first.setdefault(group, now)
            last[group] = now
        for group in first:
            if now - first[group] < options.new_group_delay:
                continue
            history = states.setdefault(group, {})
            before = history.get(now // MINUTE - 1, State.NO_DATA)
            value = values.get(group, 0.0 if zero else None)
            if value is not None:
                history[now // MINUTE] = _judged(value, before, monitor.comparison, options.thresholds)
            else:
                history[now // MINUTE] = _missing(before, now - last[group] + monitor.window, options)
    return states


def check_states(monitor: CheckMonitor, options: Options, recording: Recording) -> States:
    """The states of a monitor on a service check: as many equal answers in a row as a threshold says change it."""
    statuses: dict[Group, dict[int, int]] = {}
    for status in recording.statuses:
        if status.check == monitor.check and (monitor.over == ('*',) or status.tags.issuperset(monitor.over)):
            for group in grouped(status.tags, monitor.groups):
                answers = statuses.setdefault(group, {})
                answers[status.time] = max(status.status, answers.get(status.time, 0))
    return {group: _answered(answers, options, recording.seconds) for group, answers in sorted(statuses.items())}


def _values(monitor: MetricMonitor, recording: Recording) -> Callable[[int], dict[Group, float]]:
    """What gives the value of each group over the window that ends at a second."""
    queries = metric_queries(monitor.expression)
    span = Span(0, recording.seconds, interval_of(queries, MINUTE))
    frames = {query: rolled_up(query, recording, span, {}) for query in queries}
    counts = {query.modifier == 'as_count' for query in queries}
    if len(counts) > 1:
        raise QueryError('it has queries with .as_count() and others')
    after = counts == {True}
    whole = None if after else calculated(monitor.expression, frames.__getitem__, span.instants)

    def values(end: int) -> dict[Group, float]:
        def over_window(frame: Frame) -> Frame:
            return reduced(_cut(frame, end - monitor.window, end - span.seconds), monitor.method)

        if after:
            result = calculated(monitor.expression, lambda query: over_window(frames[query]), [0])
        else:
            result = over_window(whole)
        return {group: points[0] for group, points in result.groups.items()}

    return values


def _cut(frame: Frame, begin: int, last: int) -> Frame:
    """The values of the intervals that begin from second `begin` to second `last`."""
    groups = {
        group: {instant: value for instant, value in points.items() if begin <= instant <= last}
        for group, points in frame.groups.items()
    }
    return Frame(frame.keys, groups)


def _missing_is_zero(expression: Expression) -> bool:
    """Whether a window without data counts as 0 by default: with counts, and without `default_zero`."""
    match expression:
        case DefaultZero():
            return False
        case Operation(_, left, right):
            return _missing_is_zero(left) and _missing_is_zero(right)
        case _:
            return all(query.modifier == 'as_count' for query in metric_queries(expression))


def _judged(value: float, before: State, comparison: str, thresholds: Mapping[str, float]) -> State:
    compare = COMPARISONS[comparison]
    for state, name in ((State.ALERT, 'critical'), (State.WARN, 'warning')):
        held = before == state and f'{name}_recovery' in thresholds
        bound = thresholds.get(f'{name}_recovery' if held else name)
        if bound is not None and compare(value, bound):
            return state
    return State.OK


def _missing(before: State, seconds: int, options: Options) -> State:
    """The state of a group whose last data is so many seconds old, and not in the window."""
    if late := _late(seconds, options):
        return late
    if options.no_data_after is not None or options.on_missing == 'default':
        return before
    return State.OK if options.on_missing == 'resolve' else State.NO_DATA


def _late(seconds: int, options: Options) -> State | None:
    """What a group is whose last data is so old that the state does not stay as it was."""
    if options.resolved_after is not None and seconds > options.resolved_after:
        return State.OK
    if options.no_data_after is not None and seconds > options.no_data_after:
        return State.NO_DATA
    return None


def _answered(answers: Mapping[int, int], options: Options, seconds: int) -> dict[int, State]:
    """The state by minute of a group that gave these answers, by second."""
    history: dict[int, State] = {}
    state, last, row = State.NO_DATA, min(answers), 0
    begin = last + options.new_group_delay
    for now in range(MINUTE, seconds + 1, MINUTE):
        for time in sorted(each for each in answers if now - MINUTE <= each < now):
            row = row + 1 if answers[time] == answers[last] else 1
            last = time
            name, threshold = STATUSES[answers[time]]
            if row >= options.thresholds.get(threshold, 1):
                state = name
        state = _late(now - last, options) or state
        if now >= begin:
            history[now // MINUTE] = state
    return history
