# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What one answer may cost, as the options of an instance set it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datadog_checks.base import ConfigurationError

from ..config_models import defaults
from ..config_models.validators import limit_problem

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Limits:
    """What one answer may cost.

    `max_response_bytes` counts decoded bytes, `max_line_bytes` those between two line feeds, `scrape_seconds` the time
    from the request to the last byte, redirects and headers included, `max_samples` the samples of one family (0: any).
    """

    max_response_bytes: int
    max_line_bytes: int
    scrape_seconds: float
    max_samples: int

    @classmethod
    def of(cls, config: Mapping) -> Limits:
        """The limits that the options of an instance set.

        Raises `ConfigurationError`, one sentence, for a value that is no such limit.
        """
        return cls(
            max_response_bytes=int(_limit(config, 'max_response_size') * MIB),
            max_line_bytes=int(_limit(config, 'max_line_size') * KIB),
            scrape_seconds=_limit(config, 'scrape_timeout'),
            max_samples=int(_limit(config, 'max_samples_per_family')),
        )


def _limit(config: Mapping, option: str) -> float:
    value = config.get(option)
    if value is None:
        return getattr(defaults, f'instance_{option}')()
    if problem := limit_problem(option, value):
        raise ConfigurationError(f'`{option}` {problem}')
    return value
