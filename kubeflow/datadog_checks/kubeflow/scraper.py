# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache

from prometheus_client import Metric
from requests import Response
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
    no_exposition,
    no_success,
    nothing_federated,
    nothing_recognised,
    unreadable,
    untyped,
)
from .endpoint import public_url
from .fetch.answers import WRONG_PLACE
from .fetch.body import Body
from .fetch.client import unlogged
from .fetch.failures import Refused, failed, incomplete
from .fetch.limits import Limits
from .fetch.redirects import followed
from .fetch.tls import Files, explained
from .fetch.tokens import Secrets, TokenFile, carriers, unencrypted
from .fetch.watch import Watch, WatchedClient
from .memory import Memory
from .parsing import Parser
from .payload import SIGNS, START_TIME, Slots
from .reading import Reader, Reading
from .relabel import Family, Relabelled, Relabeller
from .restarts import Counted
from .selection import Block, framed
from .tagging import tagged
from .targets import Group, Pod, Scrape, is_federated, target_of
from .wanted import Wanted

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


@lru_cache(maxsize=32)
def wanted_by_name(names: frozenset[str], prefix: str) -> Wanted:
    """What instances share that name no family by a pattern."""
    return Wanted(load_catalogue(), names, prefix=prefix)


class Answer:
    """What the base check reads an exposition from: a response and `read`, which makes of it what is to be parsed."""

    def __init__(self, response: Response, read: Callable[[Response], Iterator[Block]]):
        self.headers = response.headers
        self._response = response
        self._read = read

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_) -> None:
        self._response.close()

    def iter_lines(self, decode_unicode: bool) -> Iterator[Block]:
        """Not lines but blocks of them, undecoded."""
        return self._read(self._response)


class KubeflowScraper(OpenMetricsScraper):
    """Scrapes one endpoint and relabels what it exposes into the metrics of the catalogue.

    The raw families stay under their own names too, for the metrics the user names in `extra_metrics`.
    """

    def __init__(self, check, config: Mapping):
        super().__init__(check, config)
        self._public_endpoint = public_url(self.endpoint)
        # The base check has chosen the format there.
        headers = self.http.options['headers']
        self._limits = Limits.of(config)
        self._watch = Watch(self._limits)
        self.http = WatchedClient(self._watch, config, check.init_config, check.HTTP_CONFIG_REMAPPER, check.log)
        self.http.options['headers'] = headers
        self._carriers = carriers(self.http, self.endpoint)
        self._token = TokenFile.taken_over(self.http, config)
        self._secrets = Secrets(self.http, config)
        self._tls_files = Files(config)
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
        self._reader = Reader(
            self._public_endpoint,
            self._wanted(),
            Parser(self._slots, self.raw_metric_prefix),
            self._limits.max_samples,
        )
        self._names_raw_families = bool(config.get('extra_metrics') or self.metric_transformer.metric_patterns)
        self._reading = Reading()
        # Raw families that the last scrape left out; what they count may be old.
        self._left_out: frozenset[str] = frozenset()
        # Whether the tags of a sample follow from its labels alone, and nobody adds to them.
        self._tags_last = not (
            self.label_aggregator.configured
            or self.exclude_metrics_by_labels
            or self.enable_telemetry
            or self.metric_transformer.non_cumulative_histogram_buckets
        )
        self._memory = Memory()
        # Where the answer came from, once redirects were followed.
        self._answered_by = self.endpoint
        self._announced: tuple[str, ...] | None = None
        self._answered = False
        self.report = Report()

    def _wanted(self) -> Wanted:
        shared = frozenset(self.config.get('share_labels') or ()) | ({'target_info'} if self.target_info else set())
        searches = [pattern.search for pattern, _ in self.metric_transformer.metric_patterns]
        # The base check looks at them before it excludes any.
        looked_at = shared | ({START_TIME} if self.use_process_start_time else set())
        excludes = self.exclude_metrics or self.exclude_metrics_pattern
        if excludes and self.enable_telemetry:
            # It counts them.
            searches.append(self._excludes)
        named = self.metric_transformer.transformer_data
        names = self._slots.names.union(SIGNS, self._catalogue.shared_families, shared, named)
        if not searches and not excludes:
            return wanted_by_name(names, self.raw_metric_prefix)
        return Wanted(
            self._catalogue,
            names,
            search=(lambda name: any(search(name) for search in searches)) if searches else None,
            excluded=None if self.enable_telemetry else lambda name: name not in looked_at and self._excludes(name),
            prefix=self.raw_metric_prefix,
        )

    def _excludes(self, name: str) -> bool:
        pattern = self.exclude_metrics_pattern
        return name in self.exclude_metrics or pattern is not None and pattern.search(name) is not None

    def scrape(self):
        self.report = Report()
        has_scraped = self.flush_first_value is not None
        try:
            super().scrape()
            if not self._answered:
                # `ignore_connection_errors`: it failed all the same, see the base check.
                self.flush_first_value = False if has_scraped else None
        except RequestException as error:
            # The base check logs what it says.
            raise type(error)(self.sanitize(str(error))) from None

    @property
    def option_warnings(self) -> list[str]:
        """What to tell at every run about options that may give a secret away."""
        warning = unencrypted(self._carriers, self.endpoint, self._public_endpoint)
        return [warning] if warning else []

    def hide_secrets(self, text: str) -> str:
        """`text` without the secrets that the instance sends."""
        return self._secrets.hide(text)

    def send_request(self, **kwargs):
        """Ask the endpoint, and whom it redirects to. Raises one sentence of `redirects`, `tls` or `tokens`."""
        if self._token:
            self._token.write(self.http.options)

        def get(url):
            return self._get(url, **{**kwargs, 'stream': True, 'allow_redirects': False})

        follows = self.http.options['allow_redirects']
        response = followed(get, self.endpoint, bool(self._carriers)) if follows else get(self.endpoint)
        self._answered_by = str(response.url or self.endpoint)
        return response

    def _get(self, url: str, **options):
        if url.startswith('https:') and self._tls_files.have_changed(self._public_endpoint):
            self.http.read_certificates_again()
        try:
            with unlogged():
                return self.http.get(url, **options)
        except OSError as error:
            explanation = explained(error, public_url(url), self.config)
            if explanation is None:
                raise
            raise explanation from None

    def get_connection(self):
        """The answer of the endpoint, its body unread. Raises where it cannot hold an exposition."""
        self._watch.start()
        try:
            response = self.send_request()
        except Exception as error:
            error = failed(error, self._public_endpoint, self._watch)
            self.submit_health_check(ServiceCheck.CRITICAL, message=str(error))
            raise error from None
        if response.status_code != 200:
            message = self._no_success(response)
            response.close()
            self.submit_health_check(ServiceCheck.CRITICAL, message=message)
            raise HTTPError(message)
        self.submit_health_check(ServiceCheck.OK)
        return Answer(response, self._blocks)

    def _blocks(self, response) -> Iterator[Block]:
        body = self._body(response)
        chunks = body.chunks()
        if self.raw_line_filter is not None:
            chunks = self._filtered(chunks)
        yield from self._reader.blocks(chunks, super().parse_metric_families)
        self.submit_telemetry_endpoint_response_size(body)

    def _filtered(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for text in framed(chunks):
            lines = text[1:].replace(b'\r\n', b'\n')[:-1].decode('utf-8', 'surrogateescape').split('\n')
            kept = ''.join([f'{line}\n' for line in super().filter_connection_lines(lines)])
            yield kept.encode('utf-8', 'surrogateescape')

    def filter_connection_lines(self, blocks: Iterable[Block]) -> Iterable[Block]:
        # It was done before they were selected.
        return blocks

    @property
    def parse_metric_families(self):
        parse = super().parse_metric_families
        return lambda blocks: self._reader.families(blocks, parse)

    def _no_success(self, response) -> str:
        if response.is_redirect:
            return (
                f'{response.status_code} redirect for url: {self._public_endpoint}, which `allow_redirects: false` '
                'forbids to follow: set `openmetrics_endpoint` to where it leads'
            )
        kind = self._body(response).peek()
        return no_success(self._public_endpoint, self._answered_by, response.status_code, response.reason or '', kind)

    def _body(self, response) -> Body:
        return Body(response, self._limits, self._public_endpoint, self._watch)

    def submit_telemetry_endpoint_response_size(self, body: Body):
        """Once the body was read: the base check would read all of it, unbounded, to tell its size beforehand."""
        length = body.headers.get('Content-Length', '')
        size = int(length) if length.isascii() and length.isdigit() else body.size
        self.gauge('telemetry.payload.size', size, tags=self.tags)

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
        except (Refused, RequestException) as error:
            # What failed before an answer came has been reported.
            if not self._answered:
                raise
            message = f'{error}{incomplete(families)}'
            self.submit_health_check(ServiceCheck.CRITICAL, message=message)
            raise type(error)(message) from None
        except ValueError as error:
            if not self._answered:
                raise
            message = self._unreadable(families, error)
            self.submit_health_check(ServiceCheck.CRITICAL, message=message)
            raise ValueError(message) from None
        if self._answered:
            self._reading = self._reader.conclude()
            self._tell(self._reading)

    def _tell(self, reading: Reading) -> None:
        if self.enable_telemetry:
            self.count('telemetry.metrics.input.count', reading.dropped, tags=self.tags)
        for problem in reading.problems:
            self.warning('%s', problem)
        if reading.problems:
            super().submit_health_check(ServiceCheck.WARNING, message=' '.join(reading.problems))
        else:
            super().submit_health_check(ServiceCheck.OK)

    def _unreadable(self, families: int, reason: ValueError) -> str:
        cause = unreadable(self._answered_by, self._content_type, self._use_latest_spec)
        if cause == WRONG_PLACE:
            return (
                f'The exposition of {self._public_endpoint} has a line that cannot be understood, after {families} '
                f'metric families that could: {reason}'
            )
        return no_exposition(self._public_endpoint, self._content_type, str(reason), cause)

    def yield_metrics(self, runtime_data: dict) -> Iterator[Metric]:
        # What starts while the answer is read has started since.
        now = time.time()
        scrape = Scrape(self._catalogue, self._slots, self._kept_labels)
        named = 0
        without_type: list[str] = []
        for metric in self._with_label_options(super().yield_metrics(runtime_data)):
            scrape.add(metric)
            # The base check changes the labels of what it submits, so the scrape has copied them by now.
            if self._names_raw_families and self.metric_transformer.get(metric) is not None:
                named += 1
                flush_first_value = runtime_data['flush_first_value']
                if metric.name in self._left_out:
                    runtime_data['flush_first_value'] = False
                yield from self._by_age(metric, runtime_data)
                runtime_data['flush_first_value'] = flush_first_value
            elif metric.type == 'unknown' and metric.name in self.metric_transformer.transformer_data:
                without_type.append(metric.name)
        if not self._answered:
            return
        reading = self._reading
        left_out = {name.removeprefix(self.raw_metric_prefix) for name in reading.left_out}
        self._left_out = frozenset({*left_out, *(name.removesuffix('_total') for name in left_out)})
        scrape.leave_out(left_out)
        groups = [(pod, group, self._relabelled(pod, group)) for pod, group in scrape.groups]
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
            taken_over |= settled.left_out
            counts = {name: count for name, count in relabelled.counts.items() if name not in taken_over}
            beginnings = settled.counted.beginnings(group.started, group.targets, counts, flush)
            # Before anything is submitted: where that fails half of it must not come again.
            settled.ranks |= relabelled.ranks
            settled.counted = Counted(
                now,
                min(group.sampled or now, now),
                group.started,
                frozenset(group.targets),
                settled.counted.carried_over(relabelled.left_out) | relabelled.counts if group.started else {},
            )
            settled.left_out = relabelled.left_out
            yield from beginnings
            for family in relabelled.families:
                runtime_data['flush_first_value'] = flush and family.name not in taken_over
                yield family
        runtime_data['flush_first_value'] = flush_first_value
        self._memory.keep(scrape, now)

    def _relabelled(self, pod: Pod | None, group: Group) -> Relabelled:
        settled = self._memory.of(pod)
        return self._relabel(group.payload, settled.overruled, settled.relabelled)

    def generate_sample_data(self, metric: Metric):
        if isinstance(metric, Family) and self._tags_last and self.tags is self.static_tags:
            return tagged(metric, super().generate_sample_data)
        return super().generate_sample_data(metric)

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
        # What could not be read may have been Kubeflow's.
        if useful or components or self._left_out:
            return
        scrape.pass_over([name.removeprefix(self.raw_metric_prefix) for name in self._reader.names_passed_over])
        if not scrape.names:
            # Elsewhere that is an idle Knative queue-proxy up to 1.18 or an Argo controller that stands by.
            if is_federate(self.endpoint):
                self.warning('%s', federates_nothing(self.endpoint, self._public_endpoint))
            return
        payloads = [group.payload for _, group in scrape.groups]
        if payloads and all(is_starting(payload, time.time()) for payload in payloads):
            return
        if scrape.federated or is_federate(self.endpoint) or not payloads:
            self.warning('%s', nothing_federated(scrape.names, self._public_endpoint))
        else:
            self.warning('%s', nothing_recognised(scrape.own.payload, self._public_endpoint))


def _report(scrape: Scrape, groups: Iterable[Relabelled]) -> Report:
    sources: dict[str, tuple[str, ...]] = {}
    for relabelled in groups:
        for name, families in relabelled.sources.items():
            sources[name] = tuple(dict.fromkeys((*sources.get(name, ()), *families)))
    return Report(scrape.components, sources)
