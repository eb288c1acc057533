# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the workloads have in common: whose namespaces there are, and how much is done in each."""

from collections import deque
from collections.abc import Callable

from ..world import IncidentEnded, PhaseChange, World

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


class Held:
    """What an incident keeps from happening: it happens once the incident is over, in its order, `pause` seconds apart.

    `labels` say what the incident has to strike.
    """

    def __init__(self, world: World, incident: str, pause: float, **labels: str):
        self._world = world
        self._incident = incident
        self._pause = pause
        self._labels = labels
        self._waiting: deque[Callable[[], None]] = deque()
        world.listen(IncidentEnded, self._on_end)

    def do(self, action: Callable[[], None]) -> bool:
        """Call `action` now or, where that has to wait, later; whether it was now."""
        if not self._waiting and not self._struck():
            action()
            return True
        self._waiting.append(action)
        return False

    def _struck(self) -> bool:
        return self._world.suffers(self._incident, **self._labels)

    def _on_end(self, ended: IncidentEnded) -> None:
        if ended.incident.name == self._incident:
            self._release()

    def _release(self) -> None:
        if self._waiting and not self._struck():
            self._waiting.popleft()()
            self._world.schedule(self._pause, self._release)
