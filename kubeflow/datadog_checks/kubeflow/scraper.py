# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache

from prometheus_client import Metric
from requests.exceptions import HTTPError, RequestException

from datadog_checks.base import is_affirmative
from datadog_checks.base.agent import datadog_agent
from datadog_checks.base.checks.openmetrics.v2.scraper import OpenMetricsScraper
from datadog_checks.base.constants import ServiceCheck

from .catalogue import load_catalogue
from .diagnosis import (
    federates_nothing,
    is_federate,
    is_starting,
    many_target_infos,
    nothing_federated,
    nothing_recognised,
    refused,
    unreadable,
    untyped,
)
from .endpoint import public_url
from .memory import Memory
from .payload import Slots
from .relabel import Relabelled, Relabeller
from .restarts import Counted
from .targets import Group, Pod, Scrape, is_federated, target_of

# Reserved by Datadog: as tags from labels they would overwrite what the Agent knows. `rename_labels` may choose
# another name. `version` is Go's in every family of Kubeflow that is not relabelled (go_info).
RESERVED_LABELS = {
    'version': 'go_version',
    'host': 'client_host',
    **{
        label: f'exported_{label}'
        for label in (
            'cluster',
            'cluster_id',
            'cluster_name',
            'clusterid',
            'clustername',
            # The name of a port where Prometheus attaches it; beside it the endpoint scraped would have two values.
            'endpoint',
            'env',
            'host_name',
            'hostname',
            'service',
        )
    },
}


@dataclass
class Report:
    """What the last scrape was: ids of the recognised components, and the raw families that fed each entry."""

    components: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=32)
def relabelling(runtime_metrics: bool, aliases: bool, kept_labels: frozenset[str]) -> tuple[Slots, Relabeller]:
    """What instances with these options share; an Agent may run hundreds of them."""
    catalogue = load_catalogue()
    entries = catalogue.selected({'collect_runtime_metrics': runtime_metrics})
    return Slots(entries), Relabeller(catalogue, entries, kept_labels=kept_labels, aliases=aliases)


class KubeflowScraper(OpenMetricsScraper):
    """Scrapes one endpoint and relabels what it exposes into the metrics of the catalogue.

    The raw families stay under their own names too, for the metrics the user names in `extra_metrics`.
    """

    def __init__(self, check, config: Mapping):
        super().__init__(check, config)
        self._public_endpoint = public_url(self.endpoint)
        # The tags of the service check are these too.
        self.tags = self.static_tags = tuple(
            f'endpoint:{self._public_endpoint}' if tag == f'endpoint:{self.endpoint}' else tag
            for tag in self.static_tags
        )
        named_labels = frozenset((*self.exclude_labels, *self.include_labels, *self.rename_labels, self.hostname_label))
        self.rename_labels = {**RESERVED_LABELS, **self.rename_labels}
        self._kept_labels = named_labels
        self._catalogue = load_catalogue()
        self._slots, self._relabel = relabelling(
            is_affirmative(config.get('collect_runtime_metrics')),
            is_affirmative(config.get('submit_reconcide_alias')),
            named_labels,
        )
        self._memory = Memory()
        # Where the answer came from, once redirects were followed.
        self._answered_by = self.endpoint
        self._announced: tuple[str, ...] | None = None
        self._answered = False
        self.report = Report()

    def scrape(self):
        self.report = Report()
        has_scraped = self.flush_first_value is not None
        try:
            super().scrape()
            if not self._answered:
                # `ignore_connection_errors`: it failed all the same, see the base check.
                self.flush_first_value = False if has_scraped else None
        except FileNotFoundError as error:
            options = '`auth_token`, `tls_ca_cert`, `tls_cert` and `tls_private_key`'
            raise FileNotFoundError(
                f'The file {error.filename} that an option of the instance names is not there: look at {options}'
            ) from None

    def send_request(self, **kwargs):
        response = super().send_request(**kwargs)
        self._answered_by = str(response.url or self.endpoint)
        if response.status_code >= 400 and (hint := refused(self._answered_by, response.status_code)):
            response.close()
            # As requests words it.
            kind = 'Client' if response.status_code < 500 else 'Server'
            raise HTTPError(
                f'{response.status_code} {kind} Error: {response.reason} for url: {self._public_endpoint}. {hint}'
            )
        return response

    def get_connection(self):
        response = super().get_connection()
        if response.is_redirect:
            response.close()
            raise HTTPError(
                f'{response.status_code} redirect for url: {self._public_endpoint}, which `allow_redirects: false` '
                'forbids to follow: set `openmetrics_endpoint` to where it leads'
            )
        return response

    def submit_health_check(self, status, **kwargs):
        # The base check calls an endpoint healthy that answers 200, as a login page does. It is once it was read.
        self._answered = status == ServiceCheck.OK
        if not self._answered:
            super().submit_health_check(status, **kwargs)

    def parse_metrics(self) -> Iterator[Metric]:
        self._answered = False
        families = 0
        try:
            for metric in super().parse_metrics():
                families += 1
                if self.target_info and metric.name == 'target_info' and is_federated(metric):
                    # The base check would put the labels of one target on the series of all.
                    self.warning('%s', many_target_infos(self._public_endpoint))
                else:
                    yield metric
        except RequestException as error:
            # What failed before an answer came has been reported.
            if self._answered:
                self.submit_health_check(ServiceCheck.CRITICAL, message=str(error))
            raise
        except ValueError as error:
            if not self._answered:
                raise
            message = self._unreadable(families, error)
            self.submit_health_check(ServiceCheck.CRITICAL, message=message)
            raise ValueError(message) from None
        if self._answered:
            super().submit_health_check(ServiceCheck.OK)

    def _unreadable(self, families: int, reason: ValueError) -> str:
        if families:
            return (
                f'The exposition of {self._public_endpoint} has a line that cannot be understood, after {families} '
                f'metric families that could: {reason}'
            )
        answer = f'What {self._public_endpoint} answered (Content-Type: {self._content_type or "none"})'
        cause = unreadable(self._answered_by, self._content_type, self._use_latest_spec)
        return f'{answer} is no Prometheus exposition: {reason}. Likely cause: {cause}.'

    def yield_metrics(self, runtime_data: dict) -> Iterator[Metric]:
        # What starts while the answer is read has started since.
        now = time.time()
        scrape = Scrape(self._catalogue, self._slots, self._kept_labels)
        named = 0
        without_type: list[str] = []
        for metric in self._with_label_options(super().yield_metrics(runtime_data)):
            scrape.add(metric)
            # The base check changes the labels of what it submits, so the scrape has copied them by now.
            if self.metric_transformer.get(metric) is not None:
                named += 1
                yield from self._by_age(metric, runtime_data)
            elif metric.type == 'unknown' and metric.name in self.metric_transformer.transformer_data:
                without_type.append(metric.name)
        if not self._answered:
            return
        groups = [
            (pod, group, self._relabel(group.payload, self._memory.of(pod).overruled)) for pod, group in scrape.groups
        ]
        self.report = _report(scrape, [relabelled for _, _, relabelled in groups])
        self._announce(scrape, bool(named or any(relabelled.families for _, _, relabelled in groups)))
        if scrape.federated and without_type:
            self.warning('%s', untyped(without_type, self._public_endpoint))
        flush_first_value = runtime_data['flush_first_value']
        for pod, group, relabelled in groups:
            settled = self._memory.of(pod)
            settled.overruled |= relabelled.overruled
            flush = self._flushes(pod, group, flush_first_value)
            # What a source counted before it took over from another one has been reported from there.
            taken_over = {name for name, rank in relabelled.ranks.items() if settled.ranks.get(name, rank) != rank}
            counts = {name: count for name, count in relabelled.counts.items() if name not in taken_over}
            beginnings = settled.counted.beginnings(group.started, group.targets, counts, flush)
            # Before anything is submitted: where that fails half of it must not come again.
            settled.ranks |= relabelled.ranks
            settled.counted = Counted(
                now,
                min(group.sampled or now, now),
                group.started,
                frozenset(group.targets),
                relabelled.counts if group.started else {},
            )
            yield from beginnings
            for family in relabelled.families:
                runtime_data['flush_first_value'] = flush and family.name not in taken_over
                yield family
        runtime_data['flush_first_value'] = flush_first_value
        self._memory.keep(scrape, now)

    def _by_age(self, metric: Metric, runtime_data: dict) -> Iterator[Metric]:
        """A family of targets that the last scrape held, and one of those that are new and may have counted long."""
        flush_first_value = runtime_data['flush_first_value']
        if not flush_first_value or not is_federated(metric):
            yield metric
            return
        known, new = [], []
        for sample in metric.samples:
            seen = 'job' not in sample.labels or self._memory.has_seen({target_of(sample.labels)})
            (known if seen else new).append(sample)
        for samples, flush in ((known, True), (new, False)):
            if samples:
                part = copy(metric)
                part.samples = samples
                runtime_data['flush_first_value'] = flush
                yield part
        runtime_data['flush_first_value'] = flush_first_value

    def _flushes(self, pod: Pod | None, group: Group, flush_first_value: bool) -> bool:
        """Whether a series of a group that was never seen counts from zero.

        As the base check decides for an endpoint: not where the first scrape finds it, nor after one that failed,
        unless `use_process_start_time` tells that the program has started since.
        """
        if self._memory.has_seen(group.targets):
            return flush_first_value
        started = group.started
        if not self.use_process_start_time or not started:
            return False
        return min(started) > max(datadog_agent.get_process_start_time() or 0, self._memory.reported_until(pod))

    def _with_label_options(self, metrics: Iterable[Metric]) -> Iterator[Metric]:
        """Apply the options that look at raw labels while the labels are raw."""
        share = self.label_aggregator.configured
        if not share and not self.exclude_metrics_by_labels:
            yield from metrics
            return
        for metric in metrics:
            if share:
                for sample in metric.samples:
                    self.label_aggregator.populate(sample.labels)
            metric.samples = [sample for sample in metric.samples if not self._is_excluded(sample.labels)]
            yield metric

    def _is_excluded(self, labels: Mapping[str, str]) -> bool:
        return any(
            label in labels and excludes(labels[label]) for label, excludes in self.exclude_metrics_by_labels.items()
        )

    def _announce(self, scrape: Scrape, useful: bool) -> None:
        components = self.report.components
        if components != self._announced:
            self._announced = components
            titles = ', '.join(self._catalogue.components[name].title for name in components) or 'none'
            self.log.info('Components recognised at %s: %s', self._public_endpoint, titles)
            self.set_metadata('components', titles)
        if useful or components:
            return
        if not scrape.names:
            # Elsewhere that is an idle Knative queue-proxy up to 1.18 or an Argo controller that stands by.
            if is_federate(self.endpoint):
                self.warning('%s', federates_nothing(self.endpoint, self._public_endpoint))
            return
        payloads = [group.payload for _, group in scrape.groups]
        if payloads and all(is_starting(payload, time.time()) for payload in payloads):
            return
        if scrape.federated or not payloads:
            self.warning('%s', nothing_federated(scrape.names, self._public_endpoint))
        else:
            self.warning('%s', nothing_recognised(scrape.own.payload, self._public_endpoint))


def _report(scrape: Scrape, groups: Iterable[Relabelled]) -> Report:
    sources: dict[str, tuple[str, ...]] = {}
    for relabelled in groups:
        for name, families in relabelled.sources.items():
            sources[name] = tuple(dict.fromkeys((*sources.get(name, ()), *families)))
    return Report(scrape.components, sources)
