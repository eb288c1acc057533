# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How many series an endpoint gives, counted in what the check submits for the expositions of `series.yaml`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from datadog_checks.kubeflow.catalogue import NAMESPACE, Catalogue

FIXTURES = Path(__file__).parent.parent / 'tests' / 'fixtures'
CHOSEN = Path(__file__).with_suffix('.yaml')

# What `collect_runtime_metrics` adds, which is off by default and on in some fixtures.
RUNTIME = (f'{NAMESPACE}.go.', f'{NAMESPACE}.process.')
OF_CONTROLLERS = f'{NAMESPACE}.controller.'

HEADER = ('Component', 'Release', 'Series', 'Buckets among them', 'About the controller', 'More of them')


def chosen_series() -> Mapping[str, Any]:
    """What `series.yaml` says, as its comments describe it."""
    return yaml.safe_load(CHOSEN.read_text(encoding='utf-8'))


def series(fixture: str) -> set[tuple[str, str]]:
    """Each name with its tags, as `expected.txt` of a fixture lists them, without those of the runtime."""
    lines = (
        _expected(fixture).partition('# metric type value tags\n')[2].partition('\n# service checks')[0].splitlines()
    )
    # Tags may hold spaces, and a series may have none.
    parts = (f'{line} '.split(' ', 3) for line in lines)
    return {(name, tags.rstrip()) for name, _, _, tags in parts if not name.startswith(RUNTIME)}


def runtime_series(fixture: str) -> int:
    """How many series of the runtime a fixture has."""
    return sum(line.startswith(RUNTIME) for line in _expected(fixture).splitlines())


def component(fixture: str) -> str:
    """The id of the component that the check recognised. Raises `ValueError` where that is not one."""
    (found,) = _expected(fixture).partition('# components\n')[2].split()
    return found


def series_rows(catalogue: Catalogue) -> list[tuple[str, ...]]:
    """A row for each line of `series.yaml`, with the columns of `HEADER`."""
    rows = []
    for chosen in chosen_series()['expositions']:
        fixture, found = chosen['fixture'], series(chosen['fixture'])
        rows.append(
            (
                catalogue.components[component(fixture)].title,
                fixture.rpartition('-')[2],
                str(len(found)),
                str(sum(name.endswith('.bucket') for name, _ in found)),
                str(sum(name.startswith(OF_CONTROLLERS) for name, _ in found)),
                _growth(found, chosen['by']) if 'by' in chosen else '',
            )
        )
    return rows


def trimming_rows(catalogue: Catalogue) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The header, which names some expositions, and a row for each way of trimming: how many series it leaves."""
    trimming = chosen_series()['trimming']
    header = ('Option', *(catalogue.components[component(fixture)].title for fixture in trimming['of']))
    rows = []
    for way in trimming['ways']:
        left = [
            sum(not re.search(way['removes'], f'{name} {tags}') for name, tags in series(fixture))
            for fixture in trimming['of']
        ]
        rows.append((f'`{_flow(way["options"])}`' if way['options'] else 'none', *map(str, left)))
    return header, rows


def _expected(fixture: str) -> str:
    return (FIXTURES / fixture / 'expected.txt').read_text(encoding='utf-8')


def _flow(options: Mapping[str, Any]) -> str:
    """Options on one line of YAML."""
    return yaml.safe_dump(options, default_flow_style=True, width=math.inf).strip()[1:-1]


def _growth(found: set[tuple[str, str]], label: str) -> str:
    """How many series a further value of the label brings: what has the label, over the number of its values."""
    values = [tag for _, tags in found for tag in tags.split(',') if tag.startswith(f'{label}:')]
    return f'{math.ceil(len(values) / len(set(values)))} for each `{label}`'
