# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Serve every component until Ctrl-C: `python -m simulator`."""

import threading

from .server import Simulator

# Slower than for a single run: whoever scrapes every 15 seconds sees every counter move all the same, and the families
# that grow by one series for each pipeline run grow less.
SPEED = 10.0


def main() -> None:
    with Simulator(speed=SPEED) as simulator:
        width = max(len(endpoint.component.title) for endpoint in simulator.endpoints)
        for endpoint in simulator.endpoints:
            print(f'{endpoint.component.title:<{width}}  {endpoint.url}', flush=True)
        threading.Event().wait()


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        print()
