# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A small model of what happens in a Kubeflow cluster: a clock, an agenda, objects with phases, and events."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

NAMESPACES = ('team-nlp', 'team-tabular', 'team-vision')

DELETED = 'Deleted'


@dataclass
class WorldObject:
    """A Kubernetes object that some controller looks after. `born` is world time in seconds."""

    kind: str
    namespace: str
    name: str
    born: float
    phase: str = ''
    flavour: str = ''


@dataclass(frozen=True)
class PhaseChange:
    """An object entered `phase`, `age` seconds after its creation; `Deleted` is the last one."""

    object: WorldObject
    phase: str
    age: float


@dataclass(frozen=True)
class NotebookAttempt:
    """The notebook controller asked the Kubernetes API for a StatefulSet; the API may refuse it."""

    namespace: str
    failed: bool


@dataclass(frozen=True)
class Inference:
    """One request to a model. Times are in seconds, sizes in bytes, `status` is the HTTP status."""

    model: str
    verb: str
    protocol: str
    status: int
    preprocess: float
    predict: float
    postprocess: float
    request_bytes: int
    response_bytes: int

    @property
    def seconds(self) -> float:
        """Time of the whole request."""
        return self.preprocess + self.predict + self.postprocess


class World:
    """The state every component reads.

    The same seed and the same simulated time give the same state, however the time is cut into steps.
    """

    def __init__(self, seed: int = 0):
        self.now = 0.0
        self._seed = seed
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._listeners: dict[type, list[Callable]] = defaultdict(list)
        self._objects: dict[str, dict[str, WorldObject]] = defaultdict(dict)
        self._numbers: Counter[str] = Counter()

    def random(self, purpose: str) -> Random:
        """A generator of its own for each purpose, so that one reader never disturbs what another one sees."""
        return Random(f'{self._seed}:{purpose}')

    def schedule(self, delay: float, action: Callable[[], None]) -> None:
        """Have `action` called `delay` simulated seconds from now."""
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), action))

    def step(self, seconds: float) -> None:
        """Advance the world by `seconds` of simulated time."""
        end = self.now + seconds
        while self._agenda and self._agenda[0][0] <= end:
            self.now, _, action = heapq.heappop(self._agenda)
            action()
        self.now = end

    def listen(self, event: type, handler: Callable) -> None:
        """Have `handler` called with every event of that class."""
        self._listeners[event].append(handler)

    def publish(self, event: object) -> None:
        for handler in self._listeners[type(event)]:
            handler(event)

    def create(self, kind: str, namespace: str, phase: str, flavour: str = '') -> WorldObject:
        """Add an object and announce its first phase."""
        self._numbers[kind] += 1
        created = WorldObject(kind, namespace, f'{kind}-{self._numbers[kind]}', self.now, flavour=flavour)
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
        return Counter((each.namespace, each.phase) for each in self.objects(kind))
