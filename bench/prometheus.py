# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A Prometheus server that scrapes what the check does, and keeps the same families."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil

from kubeflow.tests.live.prometheus import Prometheus

from .server import EMPTY, Stage

# It scrapes once a second.
SECONDS = 15
WARM_UP_SCRAPES = 3


def cpu_of_scrapes(program: Path, stage: Stage, forms: Iterable[str], families: Collection[str]) -> dict[str, float]:
    """
    The seconds of CPU that a scrape takes the server, by the form of the answer.

    That is what its process takes beyond what it takes meanwhile to scrape an endpoint that answers nothing.

    Raises:
        NotReady: it does not scrape
        OSError: it does not answer
    """
    idle, _ = _cpu(program, stage, EMPTY, families)
    taken = {form: _cpu(program, stage, form, families) for form in forms}
    return {form: (seconds - idle) / scrapes for form, (seconds, scrapes) in taken.items()}


def _cpu(program: Path, stage: Stage, form: str, families: Collection[str]) -> tuple[float, int]:
    """The seconds of CPU and the scrapes in `SECONDS`."""
    target = stage.url(form).removeprefix('http://')
    host, _, path = target.partition('/')
    job = {
        'job_name': form,
        'metrics_path': f'/{path}',
        'static_configs': [{'targets': [host]}],
        'metric_relabel_configs': [
            {
                'source_labels': ['__name__'],
                'regex': f'({"|".join(sorted(families))})(_bucket|_sum|_count|_total)?',
                'action': 'keep',
            }
        ],
    }
    with tempfile.TemporaryDirectory() as directory, Prometheus(program, Path(directory) / 'server', [job]) as server:
        for _ in range(WARM_UP_SCRAPES):
            server.wait_until_scraped()
        process = _process(program)
        scrapes, before = stage.scrapes(form), process.cpu_times()
        time.sleep(SECONDS)
        after, scraped = process.cpu_times(), stage.scrapes(form) - scrapes
        server.wait_until_scraped()
    return after.user + after.system - before.user - before.system, scraped


def _process(program: Path) -> psutil.Process:
    (process,) = (child for child in psutil.Process().children() if program.samefile(child.exe()))
    return process
