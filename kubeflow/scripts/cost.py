# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a run of the check costs, as `cost.json` says, which is what the benchmark has printed:

hatch run bench --json | python3 -m json.tool > kubeflow/scripts/cost.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.capacity import RUNNERS, SHARE, capacity

MEASURED = Path(__file__).with_suffix('.json')

MEBIBYTE = 1024 * 1024

HEADER = (
    'Exposition',
    'Lines',
    'Samples submitted',
    'CPU of a run (ms)',
    'CPU of the stock check (ms)',
    'Remembered (MiB)',
    f'Endpoints in {SHARE:.0%} of a core',
    'In a core',
    f'With {RUNNERS} check runners',
)


def results() -> list[Mapping[str, Any]]:
    """What was measured of each payload: `bench.results.Result` as JSON."""
    return json.loads(MEASURED.read_text(encoding='utf-8'))['results']


def cost_rows() -> list[tuple[str, ...]]:
    """A row for each payload, sent plain, with the columns of `HEADER`."""
    return [_row(result) for result in results()]


def _row(result: Mapping[str, Any]) -> tuple[str, ...]:
    run = result['runs']['plain']
    carried = capacity(run['check'])
    return (
        result['payload']['title'],
        f'{result["figures"]["lines"]:,}',
        f'{result["samples"]["check"]:,}',
        f'{run["check"] * 1000:,.1f}',
        f'{run["stock"] * 1000:,.1f}',
        f'{result["memory"]["check"]["retained"] / MEBIBYTE:,.1f}',
        f'{carried.share:,}',
        f'{carried.core:,}',
        # Python works on one of them at a time.
        f'{min(carried.core, carried.runners):,}',
    )
