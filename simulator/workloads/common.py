# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the workloads have in common: whose namespaces there are, and how much is done in each."""

from collections.abc import Callable

from ..world import PhaseChange, World

# Rare events come by turns and not by chance, so that no window of a few minutes is without one.
FAULTY_TURN = 4

NAMES = ('team-nlp', 'team-tabular', 'team-vision')
# Up to so many namespaces are as busy as a single one; beyond them the cluster does not get busier.
BUSY_NAMESPACES = 24


def profile_name(index: int) -> str:
    """The namespace of the profile with that index, from 0."""
    return NAMES[index] if index < len(NAMES) else f'team-{index + 1}'


def slack(world: World) -> float:
    """By how much users of a large cluster pause longer."""
    return max(1.0, world.namespaces / BUSY_NAMESPACES)


def with_each_profile(world: World, begin: Callable[[str], None]) -> None:
    """Have `begin` called with each namespace once it is there."""

    def on_change(change: PhaseChange) -> None:
        if change.object.kind == 'profile' and change.phase == 'Ready':
            begin(change.object.name)

    world.listen(PhaseChange, on_change)
