# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import os
from collections.abc import Callable
from typing import TypeVar

import pytest

from .environment import Unavailable

T = TypeVar('T')


def available(find: Callable[[], T]) -> T:
    """What `find` finds. Where it raises `Unavailable` the test is skipped, in CI it fails."""
    try:
        return find()
    except Unavailable as error:
        if os.environ.get('CI'):
            pytest.fail(str(error))
        pytest.skip(str(error))
