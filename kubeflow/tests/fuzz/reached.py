# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which lines of the check and of the parser a run reaches, one after the other."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType

import prometheus_client

import datadog_checks.kubeflow
from datadog_checks.base.checks.openmetrics.v2 import scraper

FOLLOWED = tuple(str(Path(module.__file__).parent) for module in (datadog_checks.kubeflow, prometheus_client, scraper))

# Code, the line before and the line.
Step = tuple[CodeType, int, int]


class Reached:
    """As a context, notes the steps in `steps`. It takes the place of a debugger's or a coverage tool's tracing."""

    def __init__(self):
        self.steps: set[Step] = set()

    def __enter__(self) -> Reached:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, argument: object):
        code = frame.f_code
        if not code.co_filename.startswith(FOLLOWED):
            return None
        last = 0
        add = self.steps.add

        def line(frame: FrameType, event: str, argument: object):
            nonlocal last
            if event == 'line':
                add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line
