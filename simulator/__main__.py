# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import signal
import sys

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def on_signal(handler) -> None:
    for number in SIGNALS:
        signal.signal(number, handler)


def end(*_) -> None:
    """Leave by way of every `finally`; another signal would interrupt those."""
    on_signal(signal.SIG_IGN)
    # Not KeyboardInterrupt: where that passes through `exec`, Python ends itself by the signal, caught or not.
    raise SystemExit(0)


def run() -> int:
    # As process 1 of a container nothing else ends this, and a shell starts background jobs with SIGINT ignored. What
    # is raised in the midst of an import can get lost, so a signal waits for the imports, which take a while.
    early: list[int] = []
    on_signal(lambda number, _: early.append(number))
    from .cli import main

    on_signal(end)
    if early:
        end()
    return main()


sys.exit(run())
