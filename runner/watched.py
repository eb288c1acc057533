# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""An instance of the check that is run again and again, for those who look at what it submits."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from .aggregator import Aggregator, CheckSampler
from .execution import CHECK

Sampler = TypeVar('Sampler', bound=CheckSampler)


class Watched(Generic[Sampler]):
    """`sampler` gets what it submits; `name` is its check id."""

    def __init__(
        self, name: str, options: Mapping[str, Any], sampler: Sampler, check_class: type, aggregator: Aggregator
    ):
        self.name = name
        self.sampler = sampler
        self._check = check_class(CHECK, {}, [dict(options)])
        self._check.check_id = name
        aggregator.open(name, sampler)

    def run(self) -> str:
        """One run; gives its error, '' for none."""
        self.sampler.start_run()
        error = self._check.run()
        self.sampler.end_run()
        # The base check keeps warnings until somebody fetches them.
        self._check.get_warnings()
        return error
