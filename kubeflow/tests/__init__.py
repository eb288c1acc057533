# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import sys
from pathlib import Path

# The fixtures and some tests are made with `simulator` and `runner`, which nothing installs. pytest finds them by a
# setting of the repository's pyproject.toml; this is for `python -m tests.fixtures.build`. At the end, so that it hides
# no installed package.
sys.path.append(str(Path(__file__).resolve().parents[2]))
