# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import signal
import sys


def end(*_) -> None:
    """Leave by way of every `finally`; another signal would interrupt those."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


# Before the imports, which take a while; as process 1 of a container nothing else ends this. A shell starts
# background jobs with SIGINT ignored.
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)

try:
    from .cli import main

    status = main()
except KeyboardInterrupt:
    status = 0
sys.exit(status)
