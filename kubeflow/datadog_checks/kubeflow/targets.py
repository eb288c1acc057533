# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One scrape split by the programs it holds.

A component exposes one program. What a Prometheus server answers at `/federate` (seen with 2.42) holds many: every
sample carries the labels of the target it was scraped from, `instance` always and `job` unless a recording rule made
it, and every family is untyped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .catalogue import Catalogue
from .layout import KnownFamily
from .payload import START_TIME, Payload, Slots

# What Prometheus puts before a label of the sample that the target has too (`honor_labels: false`).
DISPLACED = 'exported_'

# The series Prometheus makes itself for each target, those that do not answer included.
TARGET_UP = 'up'
SYNTHETIC = frozenset(
    {
        TARGET_UP,
        'scrape_body_size_bytes',
        'scrape_duration_seconds',
        'scrape_sample_limit',
        'scrape_samples_post_metric_relabeling',
        'scrape_samples_scraped',
        'scrape_series_added',
        'scrape_timeout_seconds',
    }
)


class Target(NamedTuple):
    """What Prometheus scraped: one port of one pod. `pod` is empty where no relabelling attached it."""

    job: str
    instance: str
    pod: str


# What its ports have in common; equal for all targets of one pod.
Pod = tuple[str, ...]


@dataclass
class Group:
    """The samples of one pod, whose ports must be seen together: a sidecar counts what the model server counts.

    `targets` are those they come from, `timed` those that say when they started; none where the endpoint exposed them
    itself. `sampled` is when the server scraped the first of them, in seconds since the epoch.
    """

    payload: Payload
    targets: set[Target] = field(default_factory=set)
    timed: set[Target] = field(default_factory=set)
    sampled: float | None = None

    @property
    def started(self) -> frozenset[float]:
        """When its processes started; empty unless all targets tell, for what the others counted may be old."""
        return frozenset(self.payload.process_start_times) if self.targets <= self.timed else frozenset()


def is_federated(metric: Metric) -> bool:
    """Whether a family was scraped by a Prometheus server first.

    It puts the label `instance`, be it empty, on every sample that it federates; no component of Kubeflow has one.
    """
    if isinstance(metric, KnownFamily) and metric.layout and metric.layout.children:
        return 'instance' in metric.layout.children[0].labels
    return bool(metric.samples) and 'instance' in metric.samples[0].labels


class Scrape:
    """The families of one scrape: the endpoint's own, and a group of them for each pod that it federates.

    `targets` are those known to have answered Prometheus. Raw labels named in `kept_labels` keep their raw name.
    """

    def __init__(self, catalogue: Catalogue, slots: Slots, kept_labels: frozenset[str] = frozenset()):
        self._catalogue = catalogue
        self._slots = slots
        self._kept = kept_labels
        self._pods: dict[tuple[Target, str], Pod] = {}
        self.own = Group(Payload(catalogue, slots))
        self.federated: dict[Pod, Group] = {}
        self.targets: set[Target] = set()
        self.names: list[str] = []

    @property
    def groups(self) -> Iterator[tuple[Pod | None, Group]]:
        """Every group with a family, be it left out, by its pod, the endpoint's own first."""
        for pod, group in ((None, self.own), *self.federated.items()):
            if group.payload.names or group.payload.left_out:
                yield pod, group

    @property
    def components(self) -> tuple[str, ...]:
        """Ids of the components recognised in any group, in the catalogue's order."""
        recognised = {component for _, group in self.groups for component in group.payload.components}
        return tuple(component for component in self._catalogue.components if component in recognised)

    def add(self, metric: Metric) -> None:
        """Take in one parsed family."""
        self.names.append(metric.name)
        if is_federated(metric):
            self._split(metric)
        else:
            self.own.payload.add(metric)

    def pass_over(self, names: Sequence[str]) -> None:
        """Take in the names of families of which nothing else is wanted."""
        self.names[:0] = names
        if not self.federated:
            self.own.payload.names[:0] = names

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave the families out that bear these names."""
        slots = frozenset().union(*map(self._slots.named, names))
        for group in (self.own, *self.federated.values()):
            group.payload.left_out = slots

    def _split(self, metric: Metric) -> None:
        parts: dict[Pod | None, Metric] = {}
        for sample in metric.samples:
            labels = sample.labels
            pod = None
            if 'job' in labels:
                target = target_of(labels)
                if metric.name in SYNTHETIC:
                    if metric.name == TARGET_UP and sample.value == 1:
                        self.targets.add(target)
                    continue
                pod = self._pod(target, labels.get('namespace', ''))
                self.targets.add(target)
                group = self._group(pod)
                group.targets.add(target)
                if metric.name == START_TIME:
                    group.timed.add(target)
                if sample.timestamp is not None:
                    group.sampled = min(sample.timestamp, group.sampled or sample.timestamp)
                sample = Sample(sample.name, self._component_labels(labels), sample.value)
            part = parts.get(pod)
            if part is None:
                part = parts[pod] = copy(metric)
                part.samples = []
            part.samples.append(sample)
        for pod, part in parts.items():
            self._group(pod).payload.add(part)

    def _group(self, pod: Pod | None) -> Group:
        if pod is None:
            return self.own
        group = self.federated.get(pod)
        if group is None:
            group = self.federated[pod] = Group(Payload(self._catalogue, self._slots, federated=True))
        return group

    def _pod(self, target: Target, namespace: str) -> Pod:
        pod = self._pods.get((target, namespace))
        if pod is None:
            pod = self._pods[target, namespace] = pod_of(target, namespace)
        return pod

    def _component_labels(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """The labels as the component exposed them; what the target says differently is `target_<label>`."""
        displaced = [label for label in labels if label.startswith(DISPLACED)]
        if not displaced:
            return labels
        restored = dict(labels)
        for exported in displaced:
            label = exported.removeprefix(DISPLACED)
            if exported in self._kept or label in self._kept:
                continue
            if label in labels:
                restored[target_label(label)] = labels[label]
            restored[label] = labels[exported]
            if DISPLACED + exported not in labels:
                del restored[exported]
        return restored


def target_of(labels: Mapping[str, str]) -> Target:
    """The target of a sample that has the label `job`."""
    return Target(labels['job'], labels['instance'], labels.get('pod', ''))


def target_label(label: str) -> str:
    """Where the value goes that a target has for a label of the component."""
    return f'target_{label}'


def pod_of(target: Target, namespace: str) -> Pod:
    """What tells the pod of a target from others.

    Its IP address, in `instance` unless relabelling put something else there, and its name where Prometheus attaches
    that. The label `namespace` comes second: with `honor_labels: true` it may be that of the sample. Addresses of
    loopback and names are those of a machine, on which a target is for itself.
    """
    address = _address(target.instance)
    if target.pod:
        return target.pod, address or namespace
    return (address,) if address else (target.job, target.instance)


def _address(instance: str) -> str:
    for host in (instance, instance.rpartition(':')[0].strip('[]')):
        try:
            address = ip_address(host)
        except ValueError:
            continue
        return '' if address.is_loopback else str(address)
    return ''
