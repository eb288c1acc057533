# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How the state of a monitor's group follows from what was submitted."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .evaluate import UNGROUPED, WITHOUT, Frame, Group, Span, calculated, grouped, interval_of, reduced, rolled_up
from .query import CheckMonitor, MetricMonitor, QueryError, metric_queries
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

    Of a monitor on metrics, `missing` is the state of a group without data in the window. A service check stays as it
    was, and is OK after `resolved_after` without an answer.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    missing: State = State.NO_DATA
    full_window: bool = False
    new_group_delay: int = 0
    resolved_after: int | None = None


def metric_states(monitor: MetricMonitor, options: Options, recording: Recording) -> States:
    """The states of a monitor on metrics, evaluated once a minute on the intervals that ended in its window.

    Where all queries are counts, each is aggregated over the window before the arithmetic, else after it. Series that
    lack a tag of the grouping form no group: Datadog's monitors do not see them. Raises `QueryError`.
    """
    values_until = _values(monitor, recording)
    states: States = {}
    # When a group first had a value.
    first: dict[Group, int] = {}
    if not any(query.groups for query in metric_queries(monitor.expression)):
        first[UNGROUPED] = 0
    for now in range(MINUTE, recording.seconds + 1, MINUTE):
        if options.full_window and now < monitor.window:
            continue
        values = values_until(now)
        for group in filter(_tagged, values):
            first.setdefault(group, now)
        for group in first:
            if now - first[group] < options.new_group_delay:
                continue
            history = states.setdefault(group, {})
            before = history.get(now // MINUTE - 1, State.NO_DATA)
            if group in values:
                history[now // MINUTE] = _judged(values[group], before, monitor.comparison, options.thresholds)
            else:
                history[now // MINUTE] = options.missing
    return states


def check_states(monitor: CheckMonitor, options: Options, recording: Recording) -> States:
    """The states of a monitor on a service check: as many equal answers in a row as a threshold says change it."""
    statuses: dict[Group, dict[int, int]] = {}
    for status in recording.statuses:
        if status.check == monitor.check and (monitor.over == ('*',) or status.tags.issuperset(monitor.over)):
            for group in filter(_tagged, grouped(status.tags, monitor.groups)):
                answers = statuses.setdefault(group, {})
                answers[status.time] = max(status.status, answers.get(status.time, 0))
    return {group: _answered(answers, options, recording.seconds) for group, answers in sorted(statuses.items())}


def _values(monitor: MetricMonitor, recording: Recording) -> Callable[[int], dict[Group, float]]:
    """What gives the value of each group over the window that ends at a second."""
    queries = metric_queries(monitor.expression)
    span = Span(recording.seconds, interval_of(queries, MINUTE))
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


def _tagged(group: Group) -> bool:
    """Whether the group has all the tags that it is a group by."""
    return not any(tag.endswith(f':{WITHOUT}') for tag in group)


def _judged(value: float, before: State, comparison: str, thresholds: Mapping[str, float]) -> State:
    compare = COMPARISONS[comparison]
    for state, name in ((State.ALERT, 'critical'), (State.WARN, 'warning')):
        held = before == state and f'{name}_recovery' in thresholds
        bound = thresholds.get(f'{name}_recovery' if held else name)
        if bound is not None and compare(value, bound):
            return state
    return State.OK


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
        if options.resolved_after is not None and now - last > options.resolved_after:
            state = State.OK
        if now >= begin:
            history[now // MINUTE] = state
    return history
