# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What this process holds of the machine."""

import gc
import sys
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """`blocks` are the living memory blocks of Python, `resident` the bytes of the process in memory."""

    blocks: int
    resident: int
    descriptors: int
    threads: int


def usage() -> Usage:
    """What is held now, garbage aside. Where a system has no file descriptors its handles are counted."""
    gc.collect()
    process = psutil.Process()
    return Usage(
        sys.getallocatedblocks(),
        process.memory_info().rss,
        process.num_fds() if hasattr(process, 'num_fds') else process.num_handles(),
        process.num_threads(),
    )
