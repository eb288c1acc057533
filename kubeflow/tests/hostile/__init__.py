# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A port on loopback that misbehaves, byte for byte as `behaviours.py` says."""

from .behaviours import BEHAVIOURS, TOLERATED, exposing
from .server import serving

__all__ = ['BEHAVIOURS', 'TOLERATED', 'exposing', 'serving']
