# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from dataclasses import replace

from prometheus_client import Gauge, Histogram, Summary

from ..events import Inference
from ..exposition import PYTHON, RawCounter
from ..runtime import PythonRuntime
from ..workloads.traffic import MLSERVER
from ..world import World
from .component import Component


class MLServer(Component):
    """MLServer 1.3 to 1.7, port 8082 in a cluster.

    `version` is "None" for a REST request without version and empty for gRPC. A request for an unknown model counts
    as a failure of that name; one with a body that is none (422) is known to HTTP alone. The first request of a model
    makes its failure counter, the first that succeeds its success counter. A gRPC call that failed is in the started
    and handling families, not among the handled.
    """

    id = 'mlserver'
    program = 'MLServer'
    # The recorded server announces 1.0.0 and writes what is 0.0.4 in form.
    dialect = replace(PYTHON, content_type='text/plain; version=1.0.0; charset=utf-8')

    MODEL_PATH = '/v2/models/{model_name}'
    UNKNOWN_MODEL = 'income-v0'
    RPC = ('UNARY', 'inference.GRPCInferenceService', 'ModelInfer')

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        PythonRuntime(world, self.registry)
        model = ['model', 'version']
        self._successes = RawCounter(
            'model_infer_request_success_total', 'Successful inferences', model, registry=self.registry
        )
        self._failures = RawCounter(
            'model_infer_request_failure_total', 'Failed inferences', model, registry=self.registry
        )
        self._duration = Summary(
            'model_infer_request_duration', 'Seconds an inference took', model, registry=self.registry
        )
        self._init_grpc()
        self._init_rest()
        world.listen(Inference, self._on_request)

    def _init_grpc(self) -> None:
        rpc = ['grpc_type', 'grpc_service', 'grpc_method']
        self._handled = RawCounter(
            'grpc_server_handled_total', 'Calls completed', [*rpc, 'grpc_code'], registry=self.registry
        )
        self._started = RawCounter('grpc_server_started_total', 'Calls started', rpc, registry=self.registry)
        # Registered by the program and without a sample, as the last one is.
        for name in ('grpc_server_msg_received_total', 'grpc_server_msg_sent_total'):
            RawCounter(name, 'Stream messages', rpc, registry=self.registry)
        self._handling = Histogram('grpc_server_handling_seconds', 'Time of calls', rpc, registry=self.registry)
        Histogram('grpc_server_handled_latency_seconds', 'Time of calls', rpc, registry=self.registry)

    def _init_rest(self) -> None:
        progress = Gauge(
            'rest_server_requests_in_progress', 'HTTP requests now', ['app_name', 'method'], registry=self.registry
        )
        for method in ('GET', 'POST'):
            progress.labels('mlserver', method)
        labels = ['app_name', 'method', 'path', 'status_code']
        self._rest = RawCounter('rest_server_requests_total', 'HTTP requests', labels, registry=self.registry)
        self._rest_seconds = Histogram(
            'rest_server_request_duration_seconds', 'Time of HTTP requests', labels, registry=self.registry
        )

    def _on_request(self, request: Inference) -> None:
        if request.server != MLSERVER.name:
            return
        succeeded = request.status == 200
        if request.verb != 'ready' and request.status != 422:
            self._infer(request, succeeded)
        if request.protocol == 'grpc':
            self._started.labels(*self.RPC).inc()
            self._handling.labels(*self.RPC).observe(request.seconds)
            if succeeded:
                self._handled.labels(*self.RPC, 'OK').inc()
        else:
            call = 'ready' if request.verb == 'ready' else 'infer'
            labels = ('mlserver', request.method, f'{self.MODEL_PATH}/{call}', str(request.status))
            self._rest.labels(*labels).inc()
            self._rest_seconds.labels(*labels).observe(request.seconds)

    def _infer(self, request: Inference, succeeded: bool) -> None:
        model = self.UNKNOWN_MODEL if request.status == 404 else request.model
        labels = (model, '' if request.protocol == 'grpc' else 'None')
        failures = self._failures.labels(*labels)
        if succeeded:
            self._successes.labels(*labels).inc()
        else:
            failures.inc()
        self._duration.labels(*labels).observe(request.predict)
