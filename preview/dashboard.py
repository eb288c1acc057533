# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The overview dashboard: its widgets, their places, and what is chosen for its template variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assets import ASSETS, AssetError, load, placed
from .filters import EVERYTHING
from .query import QueryError

OVERVIEW = ASSETS / 'dashboards' / 'kubeflow_overview.json'

# Columns of the grid, and the rows that the title of a group takes.
COLUMNS = 12
TITLE_ROWS = 1

GROUP, NOTE, CHECK_STATUS = 'group', 'note', 'check_status'
OF_METRICS = ('timeseries', 'query_value', 'toplist', 'query_table')
KINDS = (GROUP, NOTE, CHECK_STATUS, *OF_METRICS)


@dataclass(frozen=True)
class Place:
    """Columns and rows of the grid, from the top left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Widget:
    """`definition` is that of the file. A group is the line of its title."""

    kind: str
    title: str
    place: Place
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Dashboard:
    """`widgets` are in the order of the file, those of a group after it; `chosen` is by template variable."""

    file: str
    title: str
    widgets: Sequence[Widget]
    chosen: Mapping[str, str]


def read_dashboard(path: Path = OVERVIEW) -> Dashboard:
    """The dashboard in a file. Raises `AssetError`."""
    content = load(path)
    widgets = content.get('widgets')
    if not isinstance(widgets, list) or not widgets:
        raise AssetError(f'{path.name}: there are no widgets')
    with placed(path.name):
        chosen = {each['name']: _default(each) for each in content.get('template_variables') or ()}
        return Dashboard(path.name, content.get('title', ''), [*_widgets(widgets)], chosen)


def _default(variable: Mapping[str, Any]) -> str:
    values = variable.get('defaults') or [EVERYTHING]
    if len(values) > 1:
        raise QueryError(f'template variable {variable["name"]!r}: several defaults are not evaluated')
    return EVERYTHING if values == [EVERYTHING] else f'{variable["prefix"]}:{values[0]}'


def _widgets(entries: Sequence[Mapping[str, Any]], section: str = '', top: int = 0) -> Iterator[Widget]:
    for number, entry in enumerate(entries, 1):
        definition = entry.get('definition') or {}
        kind, title = definition.get('type'), definition.get('title', '')
        where = f'{title!r}' if title else f'{number} of {section or "the dashboard"}'
        if kind not in KINDS:
            raise QueryError(f'widget {where}: the type {kind!r} is not evaluated')
        layout = entry.get('layout') or {}
        try:
            x, y, width, height = (int(layout[key]) for key in ('x', 'y', 'width', 'height'))
        except KeyError as error:
            raise QueryError(f'widget {where}: its layout has no {error}') from None
        if x < 0 or x + width > COLUMNS:
            raise QueryError(f'widget {where}: it is not within the {COLUMNS} columns')
        if kind == GROUP:
            yield Widget(kind, title, Place(x, top + y, width, TITLE_ROWS), definition)
            yield from _widgets(definition.get('widgets') or (), title, top + y + TITLE_ROWS)
        else:
            yield Widget(kind, title, Place(x, top + y, width, height), definition)
