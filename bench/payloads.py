# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The payloads, from `payloads.yaml`, whose head says what each key means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_suffix('.yaml')


@dataclass(frozen=True)
class Bound:
    """A ratio that is aimed at, and the one below which the tests fail."""

    target: float
    floor: float


@dataclass(frozen=True)
class Payload:
    """A row of the table; the head of `payloads.yaml` says what each field means."""

    name: str
    title: str
    component: str
    release: str
    seed: int
    seconds: float
    step: float
    rounds: int
    still: int
    stock: Bound
    namespaces: int = 1
    models: int = 1
    foreign: int = 0
    forms: tuple[str, ...] = ('plain',)
    grows: Mapping[str, list[int]] = field(default_factory=dict)
    prometheus: bool = False
    than_prometheus: Bound | None = None
    peak: float | None = None

    def sizes(self) -> dict[int, Payload]:
        """The payload in each of its sizes, the smallest first."""
        return {size: replace(self, **{name: size}) for name, sizes in self.grows.items() for size in sizes}


@dataclass(frozen=True)
class Foreign:
    """The application whose lines nobody asked for."""

    share: float
    families: Mapping[str, str]
    bounds: list[str]
    labels: Mapping[str, list[str]]


@lru_cache(maxsize=1)
def read() -> tuple[dict[str, Payload], Foreign]:
    """The payloads by their names, and the foreign application."""
    data = yaml.safe_load(DATA.read_text(encoding='utf-8'))
    return {name: _payload(name, row) for name, row in data['payloads'].items()}, Foreign(**data['foreign'])


def _payload(name: str, row: Mapping[str, Any]) -> Payload:
    bounds = {key: Bound(**row[key]) for key in ('stock', 'than_prometheus') if key in row}
    forms = {'forms': tuple(row['forms'])} if 'forms' in row else {}
    return Payload(name, **{**row, **bounds, **forms})
