# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Recordings made by hand."""

from ..recording import MINUTE, Recording, Series, Status

CHECK = 'kubeflow.openmetrics.health'


def series(kind, tags, *values, interval=MINUTE):
    """One value a run from the beginning on, None for no point."""
    points = [(number * interval, value) for number, value in enumerate(values) if value is not None]
    return Series(kind, frozenset(tags.split()), points)


def recording(metrics, minutes=None, interval=MINUTE, statuses=()):
    """A recording of these series by metric, as long as the longest of them."""
    every = [each for members in metrics.values() for each in members]
    seconds = minutes * MINUTE if minutes else max(each.points[-1][0] for each in every) + interval
    return Recording(interval, seconds, metrics, list(statuses))


def statuses(tags, *answers, interval=MINUTE):
    """The answers of the health check, one a run."""
    return [Status(CHECK, frozenset(tags.split()), number * interval, answer) for number, answer in enumerate(answers)]


def scalar(query, aggregator='sum', **formula):
    """A request for one value of a group, with a single query."""
    query = {'name': 'query1', 'data_source': 'metrics', 'query': query, 'aggregator': aggregator}
    return {'response_format': 'scalar', 'queries': [query], 'formulas': [{'formula': 'query1', **formula}]}


def timeseries(*queries, formulas=None, **looks):
    """A request for values over time; the queries are called query1 and so on."""
    named = [
        {'name': f'query{number}', 'data_source': 'metrics', 'query': query} for number, query in enumerate(queries, 1)
    ]
    formulas = formulas or [{'formula': each['name']} for each in named]
    return {'response_format': 'timeseries', 'queries': named, 'formulas': formulas, **looks}


def widget(kind, title='', x=0, y=0, width=4, height=3, **definition):
    """An entry of a dashboard's file."""
    layout = {'x': x, 'y': y, 'width': width, 'height': height}
    return {'definition': {'type': kind, 'title': title, **definition}, 'layout': layout}
