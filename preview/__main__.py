# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import sys

INTERRUPTED = 130

try:
    # Within the try, because the imports take long enough to be interrupted.
    from .cli import main

    status = main()
except KeyboardInterrupt:
    status = INTERRUPTED
sys.exit(status)
