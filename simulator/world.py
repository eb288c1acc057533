# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The model of what happens in a Kubeflow cluster: a clock, an agenda, objects with phases, and events."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from random import Random

DELETED = 'Deleted'


def to_microsecond(seconds: float) -> float:
    """A drawn time, the same on every machine: the last digit of a logarithm or power depends on the C library."""
    return round(seconds, 6)


@dataclass(eq=False)
class WorldObject:
    """A Kubernetes object that some controller looks after.

    `born` is world time in seconds; `flavour` tells objects of one kind apart (the framework of a training job, say);
    `title` is what its user calls it, where that is not its name.
    """

    kind: str
    namespace: str
    name: str
    born: float
    phase: str = ''
    flavour: str = ''
    title: str = ''


@dataclass(frozen=True)
class PhaseChange:
    """An object entered `phase`, `age` seconds after its creation; `Deleted` is the last one."""

    object: WorldObject
    phase: str
    age: float


@dataclass(frozen=True)
class Incident:
    """Something that goes wrong in the cluster, for as long as it is in force.

    Each of the `culprits` is told by labels, such as a namespace. What has all labels of one of them is struck.
    """

    name: str
    description: str
    culprits: tuple[Mapping[str, str], ...]

    def strikes(self, labels: Mapping[str, str]) -> bool:
        """Whether one of the culprits has these labels."""
        return any(labels.items() <= culprit.items() for culprit in self.culprits)


@dataclass(frozen=True)
class IncidentEnded:
    """From now on an incident is not in force any more."""

    incident: Incident


class World:
    """The state every component reads.

    The same seed, sizes and world time give the same state, however the time is cut into steps. `namespaces` (profiles)
    and `models` (behind each model server) are sizes for the workloads. `epoch` is the Unix time of the beginning.
    `now` counts the seconds of the world since then.
    """

    # 2026-11-01 00:00 UTC: fixed, so that an exposition built from the world is the same on every day.
    EPOCH = 1_793_491_200.0

    def __init__(self, seed: int = 0, namespaces: int = 3, models: int = 1, epoch: float = EPOCH):
        self.namespaces = namespaces
        self.models = models
        self.epoch = epoch
        self.now = 0.0
        self._seed = seed
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._listeners: dict[type, list[Callable]] = defaultdict(list)
        self._objects: dict[str, dict[str, WorldObject]] = defaultdict(dict)
        self._numbers: Counter[str] = Counter()
        self._incidents: dict[str, Incident] = {}

    def random(self, purpose: str) -> Random:
        """A generator of its own for each purpose, so that one reader never disturbs what another one sees."""
        return Random(f'{self._seed}:{purpose}')

    def schedule(self, delay: float, action: Callable[[], None]) -> None:
        """Have `action` called `delay` seconds of the world from now, to the microsecond."""
        heapq.heappush(self._agenda, (self.now + to_microsecond(delay), next(self._order), action))

    def step(self, seconds: float) -> None:
        """Advance the world by `seconds`, to the microsecond, and everything that is due with it."""
        # Else many steps would not end where one of the same length does: sums of fractions are inexact.
        end = to_microsecond(self.now + seconds)
        while self._agenda and self._agenda[0][0] <= end:
            self.now, _, action = heapq.heappop(self._agenda)
            action()
        self.now = end

    def listen(self, event: type, handler: Callable) -> None:
        """Have `handler` called with every event of that class."""
        self._listeners[event].append(handler)

    def forget(self, listener: object) -> None:
        """Do not call `listener` any more, which is a handler or an object whose methods are handlers."""
        for event, handlers in self._listeners.items():
            self._listeners[event] = [
                each for each in handlers if each != listener and getattr(each, '__self__', None) is not listener
            ]

    def publish(self, event: object) -> None:
        for handler in self._listeners[type(event)]:
            handler(event)

    def begin(self, incident: Incident) -> None:
        """Have that incident in force from now on."""
        self._incidents[incident.name] = incident

    def end(self, name: str) -> None:
        """Have that incident, where it is in force, so no more, and announce that."""
        if name in self._incidents:
            self.publish(IncidentEnded(self._incidents.pop(name)))

    def suffers(self, name: str, **labels: str) -> bool:
        """Whether that incident is in force and strikes what has these labels."""
        return name in self._incidents and self._incidents[name].strikes(labels)

    def create(
        self, kind: str, namespace: str, phase: str, *, name: str = '', flavour: str = '', title: str = ''
    ) -> WorldObject:
        """Add an object and announce its first phase. Without a name it is called `<kind>-<number>`.

        Raises `ValueError` where an object of that kind and name exists.
        """
        self._numbers[kind] += 1
        created = WorldObject(kind, namespace, name or f'{kind}-{self._numbers[kind]}', self.now, '', flavour, title)
        if created.name in self._objects[kind]:
            raise ValueError(f'There is a {kind} {created.name} already.')
        self._objects[kind][created.name] = created
        self.enter(created, phase)
        return created

    def enter(self, subject: WorldObject, phase: str) -> None:
        """Move an object to `phase` and announce it; `DELETED` removes the object."""
        if phase == DELETED:
            del self._objects[subject.kind][subject.name]
        subject.phase = phase
        self.publish(PhaseChange(subject, phase, self.now - subject.born))

    def objects(self, kind: str) -> list[WorldObject]:
        """The objects of that kind which exist now."""
        return list(self._objects[kind].values())

    def phases(self, kind: str) -> Counter[tuple[str, str]]:
        """How many objects of that kind each (namespace, phase) holds now."""
        return Counter((each.namespace, each.phase) for each in self._objects[kind].values())
