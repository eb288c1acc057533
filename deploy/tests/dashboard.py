# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The Grafana dashboard, with Grafana's variables replaced as Grafana does where all values are chosen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).parents[1] / 'grafana' / 'kubeflow_overview.json'

# What Grafana puts in: all values of a variable, five minutes for a rate, the hour that is shown.
VARIABLES = {
    '$cluster': '.*',
    '$namespace': '.*',
    '$controller': '.*',
    '$model': '.*',
    '$__rate_interval': '5m',
    '$__range': '1h',
}


@dataclass(frozen=True)
class Target:
    """One query of a panel: `expression` is PromQL as the server gets it."""

    row: str
    panel: str
    kind: str
    ref: str
    expression: str
    legend: str


def read() -> dict[str, Any]:
    """The dashboard as it stands in the file."""
    return json.loads(DASHBOARD.read_text(encoding='utf-8'))


def targets() -> list[Target]:
    """Every query, in the order of the panels."""
    found, row = [], ''
    for panel in read()['panels']:
        if panel['type'] == 'row':
            row = panel['title']
            continue
        for target in panel['targets']:
            found.append(
                Target(
                    row,
                    panel['title'],
                    panel['type'],
                    target['refId'],
                    _replaced(target['expr']),
                    target['legendFormat'],
                )
            )
    return found


def _replaced(text: str) -> str:
    for variable, value in VARIABLES.items():
        text = text.replace(variable, value)
    assert '$' not in text.replace('"$1"', ''), text
    return text
