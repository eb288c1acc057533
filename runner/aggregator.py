# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The Agent's aggregation of what checks submit.

The Agent closes a run before it starts the next, and each run gives a series a point of its own: a gauge its last
value, a count what was added since the run before.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

# As the Agent writes it into every series of a check.
SOURCE_TYPE = 'System'


class Metric:
    """What the samples of one context amount to. `value` is that of the run, None where there is nothing to tell."""

    type = 'gauge'

    def __init__(self) -> None:
        self.value: float | None = None

    def flush(self) -> float | None:
        """The value of the run that ends."""
        value, self.value = self.value, None
        return value


class Gauge(Metric):
    """The last value."""

    def add(self, value: float, timestamp: float, flush_first_value: bool) -> None:
        self.value = value


class Count(Metric):
    """The sum of the values."""

    type = 'count'

    def add(self, value: float, timestamp: float, flush_first_value: bool) -> None:
        self.value = (self.value or 0.0) + value


class MonotonicCount(Metric):
    """The sum of the increases of a counter.

    The first value and one after a reset (a decrease) say how much was counted since an unknown moment: they are
    added only if they come with `flush_first_value`. Without anything to compare there is no value.
    """

    type = 'count'

    def __init__(self) -> None:
        super().__init__()
        self._last: float | None = None

    def add(self, value: float, timestamp: float, flush_first_value: bool) -> None:
        if self._last is not None and value >= self._last:
            increase = value - self._last
        elif flush_first_value:
            increase = value
        else:
            increase = None if self._last is None else 0.0
        self._last = value
        if increase is not None:
            self.value = (self.value or 0.0) + increase


class Rate(Metric):
    """Change per second between the last two values; none where it is negative."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[float, float] | None = None

    def add(self, value: float, timestamp: float, flush_first_value: bool) -> None:
        self.value = None
        if self._last is not None and timestamp > self._last[1] and value >= self._last[0]:
            self.value = (value - self._last[0]) / (timestamp - self._last[1])
        self._last = (value, timestamp)


@dataclass(frozen=True)
class Context:
    """What tells one series from another. `type` is the class of its metric; for a histogram's bucket, its bounds."""

    name: str
    tags: tuple[str, ...]
    hostname: str
    type: Any


@dataclass
class Submitted:
    """How much a check submitted."""

    metric_samples: int = 0
    events: int = 0
    service_checks: int = 0
    histogram_buckets: int = 0

    def __iadd__(self, other: 'Submitted') -> 'Submitted':
        self.metric_samples += other.metric_samples
        self.events += other.events
        self.service_checks += other.service_checks
        self.histogram_buckets += other.histogram_buckets
        return self


@dataclass
class CheckSampler:
    """Collects what one check instance submits.

    `hostname` stands in where the check gives none; `tags` go on everything, as the instance's `service` does.
    """

    hostname: str = ''
    tags: Sequence[str] = ()
    clock: Callable[[], float] = time.time
    service_checks: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    run: Submitted = field(default_factory=Submitted)

    def __post_init__(self) -> None:
        self._metrics: dict[Context, Metric] = {}
        self._flushed: list[tuple[Context, float, float]] = []

    def start_run(self) -> None:
        """Begin to count what the next run submits."""
        self.run = Submitted()

    def end_run(self) -> None:
        """Make points of what the run submitted."""
        now = self.clock()
        for context, metric in self._metrics.items():
            value = metric.flush()
            if value is not None:
                self.keep(context, now, value)
        # Stable: the runs of a series and the buckets of a histogram keep their order.
        self._flushed.sort(key=lambda each: each[0].name)

    def keep(self, context: Context, timestamp: float, value: float) -> None:
        """Take the point that a run gives a series, at `timestamp` in Unix seconds."""
        self._flushed.append((context, timestamp, value))

    def add_metric(
        self, kind: type, name: str, value: float, tags: Iterable[str], hostname: str, flush_first_value: bool
    ) -> None:
        self.run.metric_samples += 1
        self._add(self._context(name, tags, hostname, kind), kind, value, flush_first_value)

    def add_bucket(
        self,
        name: str,
        value: int,
        bounds: tuple[float, float],
        monotonic: bool,
        hostname: str,
        tags: Iterable[str],
        flush_first_value: bool,
    ) -> None:
        self.run.histogram_buckets += 1
        kind = MonotonicCount if monotonic else Count
        self._add(self._context(name, tags, hostname, bounds), kind, value, flush_first_value)

    def _add(self, context: Context, kind: type, value: float, flush_first_value: bool) -> None:
        if context not in self._metrics:
            self._metrics[context] = kind()
        self._metrics[context].add(value, self.clock(), flush_first_value)

    def add_service_check(self, name: str, status: int, tags: Iterable[str], hostname: str, message: str) -> None:
        self.run.service_checks += 1
        self.service_checks.append(
            {
                'check': name,
                'host_name': hostname or self.hostname,
                'timestamp': int(self.clock()),
                'status': int(status),
                'message': message,
                'tags': self._tags(tags),
            }
        )

    def add_event(self, event: dict[str, Any]) -> None:
        self.run.events += 1
        self.events.append({**event, 'tags': self._tags(event.get('tags') or ())})

    def _tags(self, tags: Iterable[str]) -> list[str]:
        return sorted({*tags, *self.tags})

    def _context(self, name: str, tags: Iterable[str], hostname: str, kind: Any) -> Context:
        return Context(name, tuple(self._tags(tags)), hostname or self.hostname, kind)

    def submitted_names(self) -> set[str]:
        """Names of all metrics a sample came for, series or not."""
        return {context.name for context in self._metrics}

    def series(self) -> list[dict[str, Any]]:
        """The series in the Agent's JSON shape, one entry a run, by name; timestamps are whole Unix seconds."""
        return [
            {
                'metric': context.name,
                'points': [[int(timestamp), value]],
                'tags': list(context.tags),
                'host': context.hostname,
                'type': context.type.type,
                'interval': 0,
                'source_type_name': SOURCE_TYPE,
            }
            for context, timestamp, value in self._flushed
            if isinstance(context.type, type)
        ]

    def sketches(self) -> list[dict[str, Any]]:
        """The histogram buckets that took samples, as `[lower, upper, count]`, one entry for each run and set of tags.

        The Agent makes one sketch of an entry. Infinite bounds are texts, as JSON has none.
        """
        grouped: dict[tuple, dict[str, Any]] = {}
        for context, timestamp, value in self._flushed:
            if isinstance(context.type, type) or not value:
                continue
            # The bounds are tags too, unless the instance says otherwise; they do not tell distributions apart here.
            tags = [tag for tag in context.tags if not tag.startswith(('lower_bound:', 'upper_bound:'))]
            entry = grouped.setdefault(
                (context.name, *tags, context.hostname, timestamp),
                {'metric': context.name, 'tags': tags, 'host': context.hostname, 'ts': int(timestamp), 'buckets': []},
            )
            entry['buckets'].append([*map(_bound, context.type), int(value)])
        return list(grouped.values())


def _bound(value: float) -> float | str:
    return value if math.isfinite(value) else '+Inf' if value > 0 else '-Inf'


class Aggregator:
    """What the base check calls as the module `aggregator`, which inside the Agent is written in C.

    Every check instance must have been announced with `open` before it submits.
    """

    GAUGE, RATE, COUNT, MONOTONIC_COUNT, COUNTER, HISTOGRAM, HISTORATE = range(7)

    # The OpenMetrics base check submits no others.
    _KINDS = {GAUGE: Gauge, RATE: Rate, COUNT: Count, MONOTONIC_COUNT: MonotonicCount}

    def __init__(self) -> None:
        self._samplers: dict[str, CheckSampler] = {}

    def open(self, check_id: str, sampler: CheckSampler) -> None:
        """Have `sampler` collect what the instance `check_id` submits."""
        self._samplers[check_id] = sampler

    def submit_metric(self, check, check_id, mtype, name, value, tags, hostname, flush_first_value):
        if mtype not in self._KINDS:
            raise ValueError(f'{name}: metrics of the kinds counter, histogram and historate are not aggregated here')
        self._samplers[check_id].add_metric(self._KINDS[mtype], name, value, tags, hostname, flush_first_value)

    def submit_service_check(self, check, check_id, name, status, tags, hostname, message):
        self._samplers[check_id].add_service_check(name, status, tags, hostname, message)

    def submit_event(self, check, check_id, event):
        self._samplers[check_id].add_event(event)

    def submit_histogram_bucket(
        self, check, check_id, name, value, lower_bound, upper_bound, monotonic, hostname, tags, flush_first_value=False
    ):
        self._samplers[check_id].add_bucket(
            name, value, (lower_bound, upper_bound), monotonic, hostname, tags, flush_first_value
        )

    # The Agent tells buckets apart by their bounds here and by their tags above; a sampler always does by both.
    submit_histogram_bucket_multi = submit_histogram_bucket
