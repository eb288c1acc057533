# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of dashboards and monitors, and what is said of one that cannot be evaluated."""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .query import QueryError

ASSETS = Path(__file__).parents[1] / 'kubeflow' / 'assets'


class AssetError(Exception):
    """A dashboard or a monitor that cannot be evaluated; one sentence that names the file and the place in it."""


def load(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises `AssetError`."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise AssetError(f'{path}: {error.strerror}') from None
    except ValueError as error:
        raise AssetError(f'{path}: not JSON: {error}') from None
    if not isinstance(content, dict):
        raise AssetError(f'{path}: not a JSON object')
    return content


@contextmanager
def placed(*places: str) -> Iterator[None]:
    """Say of an error in a query where it stands, from the file on."""
    try:
        yield
    except QueryError as error:
        raise AssetError(f'{": ".join(places)}: {error}') from None


def known(mapping: Any, *keys: Set[str], what: str, needed: Iterable[str] = ()) -> Mapping[str, Any]:
    """The mapping, if it has the keys `needed` and none beside these: what is not looked at would be ignored.

    Raises `QueryError`.
    """
    if not isinstance(mapping, dict):
        raise QueryError(f'{what} is no object')
    for key in mapping:
        if not any(key in each for each in keys):
            raise QueryError(f'{what} has {key!r}, which is not evaluated')
    for key in needed:
        if key not in mapping:
            raise QueryError(f'{what} has no {key!r}')
    return mapping
