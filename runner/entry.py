# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The beginning of a program that somebody may interrupt."""

import sys
from importlib import import_module
from typing import NoReturn

INTERRUPTED = 130


def run(command_line: str) -> NoReturn:
    """End with the status that `main` of this module gives."""
    try:
        # Within the try, because the imports take long enough to be interrupted.
        status = import_module(command_line).main()
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)
