# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Reading payloads in tests."""

import re

from prometheus_client.parser import text_string_to_metric_families

from ..components.component import Component
from ..workloads import busy_world

# Families about the process itself: they differ from run to run.
PROCESS_FAMILIES = ('go_', 'process_', 'python_')


def samples(payload: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The values of a payload by raw sample name and sorted labels."""
    raw_names = set(re.findall(r'^[^#\s{]+', payload, re.MULTILINE))
    return {
        # The parser gives every sample of a counter a name in `_total`.
        (
            sample.name if sample.name in raw_names else sample.name.removesuffix('_total'),
            tuple(sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(payload)
        for sample in family.samples
    }


def total(payload: str, name: str, **labels: str) -> float:
    """The sum over the samples of that name whose labels have these values."""
    return sum(
        value
        for (sample, pairs), value in samples(payload).items()
        if sample == name and labels.items() <= dict(pairs).items()
    )


def at_work(component: type[Component], seed: int = 0, seconds: float = 600) -> Component:
    """That component in a world in which `seconds` have passed."""
    world = busy_world(seed)
    made = component(world)
    world.step(seconds)
    return made
