# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the check submits from a simulated Kubeflow over a while, as Datadog keeps it."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from runner import agent
from runner.aggregator import Aggregator, CheckSampler, Context
from runner.watched import Watched
from simulator.server import Endpoint, Simulator

from .pods import Pod, pod_of

MINUTE = 60


@dataclass(frozen=True)
class Incident:
    """An incident of the simulator by its name, from minute `begin` of the recording to minute `end`."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True)
class Plan:
    """What to record: a run of the check each `interval` seconds, which divide a minute.

    `endpoints` are names of those of the release that are scraped, all without any.
    """

    kubeflow: str
    minutes: int
    interval: int
    seed: int = 0
    endpoints: tuple[str, ...] = ()
    incident: Incident | None = None


@dataclass
class Series:
    """The points of one metric with one set of tags, as (seconds since the beginning of the recording, value)."""

    kind: str
    tags: frozenset[str]
    points: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Status:
    """One answer of a service check: 0 for OK, 2 for critical."""

    check: str
    tags: frozenset[str]
    time: int
    status: int


@dataclass
class Recording:
    """`series` are by metric. `interval` and `seconds`, the length of all, are in seconds."""

    interval: int
    seconds: int
    series: dict[str, list[Series]] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)


def record(plan: Plan, tell: Callable[[int], None] = lambda minute: None) -> Recording:
    """Run the check on a simulated Kubeflow as `plan` says. `tell` is called with each minute that begins.

    The process must not have imported the base check otherwise, see `agent.install`. Raises `KeyError` for an endpoint
    that the simulator does not have, its `UnknownRelease` and `UnknownIncident`, `RuntimeError` where the check cannot
    read an endpoint although there is no incident.
    """
    # From now on, as a check takes a program for restarted that says it started after the last scrape.
    with Simulator(plan.kubeflow, plan.seed, speed=None, epoch=time.time()) as simulator:
        names = plan.endpoints or [each.name for each in simulator.endpoints if not each.obstacle]
        watched = [_watched(simulator[name], pod_of(simulator[name], plan.kubeflow, simulator.world)) for name in names]
        # The first run, from which counters only get something to compare with, comes before the recording.
        for now in range(-plan.interval, plan.minutes * MINUTE, plan.interval):
            if now >= 0:
                simulator.step(plan.interval)
            _incident(simulator, plan.incident, now)
            for each in watched:
                each.sampler.now = now
                error = each.run()
                if error and not plan.incident:
                    raise RuntimeError(f'{each.name} cannot be read: {json.loads(error)[0]["message"]}')
            if now > 0 and now % MINUTE == 0:
                tell(now // MINUTE)
    recording = Recording(plan.interval, plan.minutes * MINUTE)
    for each in watched:
        for context, series in each.sampler.kept.items():
            recording.series.setdefault(context.name, []).append(series)
        recording.statuses += each.sampler.statuses
    return recording


def _incident(simulator: Simulator, incident: Incident | None, now: int) -> None:
    if incident and now == incident.begin * MINUTE:
        simulator.incident(incident.name)
    elif incident and now == incident.end * MINUTE:
        simulator.end(incident.name)


@lru_cache
def _installed() -> Aggregator:
    return agent.install()[0]


class _Recorder(CheckSampler):
    """Keeps every point and status that one instance of the check submits, from second 0 on."""

    def __init__(self, renamed: Mapping[str, str]):
        """`renamed` has the tags to be kept under another name."""
        super().__init__()
        self.now = 0
        self.clock = lambda: self.now
        self.statuses: list[Status] = []
        self.kept: dict[Context, Series] = {}
        self._renamed = renamed

    def keep(self, context: Context, timestamp: float, value: float) -> None:
        if self.now < 0:
            return
        if context not in self.kept:
            self.kept[context] = Series(context.type.type, self._as_kept(context.tags))
        self.kept[context].points.append((self.now, value))

    def add_service_check(self, name: str, status: int, tags: Iterable[str], hostname: str, message: str) -> None:
        if self.now >= 0:
            self.statuses.append(Status(name, self._as_kept(tags), self.now, int(status)))

    def _as_kept(self, tags: Iterable[str]) -> frozenset[str]:
        return frozenset(as_kept(self._renamed.get(tag, tag)) for tag in tags)


def _watched(endpoint: Endpoint, pod: Pod) -> Watched[_Recorder]:
    aggregator = _installed()
    # Imported here because the stand-in for the Agent must be there first.
    from datadog_checks.kubeflow import KubeflowCheck

    # The port is another one each time; in a cluster it is the pod's.
    recorder = _Recorder({f'endpoint:{endpoint.url}': f'endpoint:{pod.url}'})
    return Watched(endpoint.name, {**endpoint.instance, 'tags': pod.tags}, recorder, KubeflowCheck, aggregator)


def as_kept(tag: str) -> str:
    """A tag as Datadog keeps it: in lower case, with underscores for what a tag may not have, of 200 characters."""
    return re.sub(r'_+', '_', re.sub(r'[^\w.:/-]', '_', tag.lower()))[:200].rstrip('_')
