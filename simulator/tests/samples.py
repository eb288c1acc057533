# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Components at work, and what their payloads say."""

import re
from collections import Counter
from functools import cache, lru_cache

from prometheus_client.parser import text_string_to_metric_families

from ..components.component import Component
from ..releases import RELEASES, deployments
from ..workloads import busy_world
from ..world import DELETED, PhaseChange, World

# Families about the process itself.
PROCESS_FAMILIES = ('go_', 'process_', 'python_', 'promhttp_')

# Every class and release that some Kubeflow has, each once.
FORMS = sorted(
    {(each.component, each.release) for kubeflow in (None, *RELEASES) for each in deployments(kubeflow)},
    key=lambda form: (form[0].__name__, [int(part) for part in form[1].split('.')]),
)


@lru_cache(maxsize=8)
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


def values(payload: str, name: str) -> dict[tuple[str, ...], float]:
    """The values of that sample name by the values of its labels, in the order of their names."""
    return {
        tuple(value for _, value in labels): number
        for (sample, labels), number in samples(payload).items()
        if sample == name
    }


def total(payload: str, name: str, /, **labels: str) -> float:
    """The sum over the samples of that name whose labels have these values."""
    return sum(
        value
        for (sample, pairs), value in samples(payload).items()
        if sample == name and labels.items() <= dict(pairs).items()
    )


def types(payload: str) -> dict[str, str]:
    """The type of each family, by its raw name."""
    return dict(re.findall(r'^# TYPE (\S+) (\S+)$', payload, re.MULTILINE))


@cache
def payload_of(component: type[Component], release: str, seed: int = 0, seconds: float = 600) -> str:
    """The payload of that component, alone in a world in which `seconds` have passed."""
    world = busy_world(seed)
    made = component(world, release)
    world.step(seconds)
    return made.payload()


class Truth:
    """How often objects of a kind entered a phase, told by the world and by no component."""

    def __init__(self, world: World):
        self._entered = Counter()
        self._cut_short = Counter()
        self._last = {}
        world.listen(PhaseChange, self._on_change)

    def _on_change(self, change: PhaseChange) -> None:
        kind = change.object.kind
        self._entered[kind, change.phase] += 1
        last = self._last.pop(change.object, None)
        if change.phase == DELETED:
            self._cut_short[kind, last] += 1
        else:
            self._last[change.object] = change.phase

    def entered(self, kind: str, *phases: str) -> int:
        return sum(self._entered[kind, phase] for phase in phases)

    def cut_short(self, kind: str, phase: str) -> int:
        """How many were deleted in that phase."""
        return self._cut_short[kind, phase]
