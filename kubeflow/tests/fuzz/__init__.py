# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Answers that no program gives on purpose, from their bytes on the wire to what the check submits for them."""
