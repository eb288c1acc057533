# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The sidecar of Knative-served InferenceServices: one exposition up to Knative 1.18, another one from 1.19 on."""

from collections.abc import Iterable

from prometheus_client import Gauge, Histogram, Metric

from ..events import Inference
from ..exposition import GO, RawCounter
from ..runtime import GoRuntime
from ..workloads.traffic import OPENCENSUS, OPENTELEMETRY, Server
from ..world import World
from .component import Component


def knative_names(server: Server) -> dict[str, str]:
    """How Knative calls the service of that server and what belongs to it."""
    service = f'{server.name}-predictor'
    return {
        'service_name': service,
        'configuration_name': service,
        'revision_name': f'{service}-00001',
        'pod_name': f'{service}-00001-deployment-6c9f7d5b8-x2x7k',
    }


class OpenCensusQueueProxy(Component):
    """queue-proxy of Knative 1.18 and earlier: milliseconds, counters without `_total`, response code labels.

    These five families are the whole payload. A GET counts as a POST does.
    """

    id = 'queue-proxy-opencensus'
    program = 'Knative queue-proxy'
    dialect = GO

    MILLISECONDS = (
        5, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 2000, 5000,
        10000, 20000, 50000, 100000,
    )  # fmt: skip

    def __init__(self, world: World, release: str, server: Server = OPENCENSUS):
        super().__init__(world, release)
        self._server = server
        self._pod = {
            **knative_names(server),
            'container_name': 'queue-proxy',
            'namespace_name': server.namespace(world),
        }
        at_app = [*self._pod, 'response_code', 'response_code_class']
        at_proxy = [*at_app, 'route_tag']
        self._requests = RawCounter(
            'revision_request_count', 'Requests routed to queue-proxy', at_proxy, registry=self.registry
        )
        self._app_requests = RawCounter(
            'revision_app_request_count', 'Requests routed to the user container', at_app, registry=self.registry
        )
        self._latencies = self._histogram('revision_request_latencies', at_proxy)
        self._app_latencies = self._histogram('revision_app_request_latencies', at_app)
        depth = Gauge('revision_queue_depth', 'Requests in the queue', at_app, registry=self.registry)
        # The response code labels are there and empty; the value stays at 1 even when nothing waits.
        depth.labels(**self._pod, response_code='', response_code_class='').set(1)
        world.listen(Inference, self._on_request)

    def _histogram(self, name: str, labels: list[str]) -> Histogram:
        return Histogram(
            name, 'Response time in milliseconds', labels, buckets=self.MILLISECONDS, registry=self.registry
        )

    def _on_request(self, request: Inference) -> None:
        if request.server != self._server.name:
            return
        at_app = {
            **self._pod,
            'response_code': str(request.status),
            'response_code_class': f'{request.status // 100}xx',
        }
        at_proxy = {**at_app, 'route_tag': 'DISABLED'}
        # The program records whole milliseconds.
        app_milliseconds = int(request.seconds * 1000)
        self._requests.labels(**at_proxy).inc()
        self._latencies.labels(**at_proxy).observe(app_milliseconds + 1)
        self._app_requests.labels(**at_app).inc()
        self._app_latencies.labels(**at_app).observe(app_milliseconds)


class OpenTelemetryQueueProxy(Component):
    """queue-proxy of Knative 1.21 with `request-metrics-protocol: prometheus`, which is off by default.

    `server_address` is the Host header of the client. The `http_client_*` families are the hop to the user
    container, with a probe of the sidecar's own that carries no `kn_route_tag`.
    """

    id = 'queue-proxy-otel'
    program = 'Knative queue-proxy'
    dialect = GO

    SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    BYTES = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)

    HTTP_SCOPE = {
        'otel_scope_name': 'go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp',
        'otel_scope_schema_url': '',
        'otel_scope_version': '0.64.0',
    }
    QUEUE_SCOPE = {
        'otel_scope_name': 'knative.dev/serving/pkg/queue',
        'otel_scope_schema_url': '',
        'otel_scope_version': '',
    }
    RUNTIME = ('process_network', 'go_settings', 'opentelemetry')

    def __init__(self, world: World, release: str, server: Server = OPENTELEMETRY):
        super().__init__(world, release)
        self._model_server = server
        self._random = world.random(f'hosts:{server.name}')
        namespace = server.namespace(world)
        # Whom clients ask for: from outside, from the cluster, the pod itself. Without a port there is no label for it.
        self._hosts = (
            (f'{server.name}.{namespace}.example.com', None),
            (f'{server.name}-predictor.{namespace}.svc.cluster.local', None),
            ('10.244.1.17', '8012'),
        )
        self._server = {
            name: _Histograms(f'http_server_{name}', text, buckets)
            for name, text, buckets in (
                ('request_duration_seconds', 'Time of HTTP requests served', self.SECONDS),
                ('request_body_size_bytes', 'Size of request bodies', self.BYTES),
                ('response_body_size_bytes', 'Size of response bodies', self.BYTES),
            )
        }
        self._client = {
            name: _Histograms(f'http_client_{name}', text, buckets)
            for name, text, buckets in (
                ('request_duration_seconds', 'Time of HTTP requests sent', self.SECONDS),
                ('request_body_size_bytes', 'Size of request bodies sent', self.BYTES),
            )
        }
        self._invocations = _Histograms(
            'kn_serving_invocation_duration_seconds', 'Time of requests to the user container', self.SECONDS
        )
        for collector in (*self._server.values(), *self._client.values(), self._invocations, self):
            self.registry.register(collector)
        GoRuntime(world, self.registry, *self.RUNTIME)
        self._probe()
        world.listen(Inference, self._on_request)

    def _probe(self) -> None:
        labels = self._http_labels('GET', 404, ('127.0.0.1', '8080'))
        self._client['request_duration_seconds'].observe(labels, 0.002)
        self._client['request_body_size_bytes'].observe(labels, 0)

    def _http_labels(self, method: str, status: int, address: tuple[str, str | None]) -> dict[str, str]:
        host, port = address
        labels = {
            'http_request_method': method,
            'http_response_status_code': str(status),
            'network_protocol_name': 'http',
            'network_protocol_version': '1.1',
            **self.HTTP_SCOPE,
            'server_address': host,
            'url_scheme': 'http',
        }
        return labels if port is None else {**labels, 'server_port': port}

    def _on_request(self, request: Inference) -> None:
        if request.server != self._model_server.name:
            return
        route = {'kn_route_tag': 'kn:disabled'}
        served = {**self._http_labels(request.method, request.status, self._random.choice(self._hosts)), **route}
        sent = {**self._http_labels(request.method, request.status, ('127.0.0.1', '8080')), **route}
        self._server['request_duration_seconds'].observe(served, request.seconds + 0.001)
        self._server['request_body_size_bytes'].observe(served, request.request_bytes)
        self._server['response_body_size_bytes'].observe(served, request.response_bytes)
        self._client['request_duration_seconds'].observe(sent, request.seconds)
        self._client['request_body_size_bytes'].observe(sent, request.request_bytes)
        self._invocations.observe(
            {'http_response_status_code': str(request.status), **self.QUEUE_SCOPE}, request.seconds
        )

    def collect(self) -> Iterable[Metric]:
        depth = Metric('kn_serving_queue_depth', 'Requests in the queue', 'gauge')
        # As with the earlier releases, 1 even when nothing waits.
        depth.add_sample(depth.name, self.QUEUE_SCOPE, 1)
        yield depth
        names = knative_names(self._model_server)
        target = Metric('target_info', 'Target metadata', 'gauge')
        target.add_sample(
            target.name,
            {
                'container_name': 'queue-proxy',
                'k8s_namespace_name': self._model_server.namespace(self.world),
                'k8s_pod_name': names['pod_name'],
                'kn_configuration_name': names['configuration_name'],
                'kn_revision_name': names['revision_name'],
                'kn_service_name': names['service_name'],
                'service_instance_id': names['pod_name'],
                'service_name': names['service_name'],
                'service_version': 'unknown',
                'telemetry_sdk_language': 'go',
                'telemetry_sdk_name': 'opentelemetry',
                'telemetry_sdk_version': '1.39.0',
            },
            1,
        )
        yield target
        yield from self._scrapes()

    def _scrapes(self) -> Iterable[Metric]:
        # The scrape that asks is in flight and not yet counted. How many came before is not the world's.
        flying = Metric('promhttp_metric_handler_requests_in_flight', 'Scrapes being served', 'gauge')
        flying.add_sample(flying.name, {}, 1)
        yield flying
        served = Metric('promhttp_metric_handler_requests_total', 'Scrapes served', 'counter')
        for code in ('200', '500', '503'):
            served.add_sample(served.name, {'code': code}, 0)
        yield served


class _Histograms:
    """A histogram family whose samples do not all have the same label names, as OpenTelemetry writes them."""

    def __init__(self, name: str, text: str, buckets: tuple[float, ...]):
        self._name = name
        self._text = text
        self._buckets = buckets
        self._children: dict[tuple[tuple[str, str], ...], Histogram] = {}

    def observe(self, labels: dict[str, str], value: float) -> None:
        key = tuple(sorted(labels.items()))
        if key not in self._children:
            self._children[key] = Histogram(self._name, self._text, buckets=self._buckets, registry=None)
        self._children[key].observe(value)

    def collect(self) -> Iterable[Metric]:
        family = Metric(self._name, self._text, 'histogram')
        for key, child in self._children.items():
            for each in child.collect():
                for sample in each.samples:
                    family.samples.append(sample._replace(labels={**dict(key), **sample.labels}))
        yield family
