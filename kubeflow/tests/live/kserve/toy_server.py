# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A KServe model server with a model that can be made to fail; runs where kserve is installed."""

import time

import uvicorn
from grpc.aio import _server as grpc_server
from kserve import InferOutput, InferResponse, Model, ModelServer, model_server
from kserve.errors import InferenceError, InvalidInput


class Toy(Model):
    """
    Adds up what it is given.

    The v1 inputs `["bad"]` and `["boom"]` and the v2 input `-1.0` fail on purpose, as the caller's fault, as a bug and
    as a failed inference.
    """

    def load(self):
        self.ready = True
        return self.ready

    def preprocess(self, payload, headers=None):
        time.sleep(0.002)
        return payload

    def predict(self, payload, headers=None):
        time.sleep(0.01)
        return self._predict_v1(payload) if isinstance(payload, dict) else self._predict_v2(payload)

    def explain(self, payload, headers=None):
        return {'explanations': ['constant']}

    def postprocess(self, response, headers=None):
        return response

    def _predict_v1(self, payload):
        instances = payload['instances']
        if instances == ['bad']:
            raise InvalidInput('not a number')
        if instances == ['boom']:
            raise RuntimeError('a bug')
        return {'predictions': [sum(row) for row in instances]}

    def _predict_v2(self, request):
        values = [float(value) for value in request.inputs[0].as_numpy().flatten()]
        if values[0] == -1.0:
            raise InferenceError('refused')
        output = InferOutput(name='sum', shape=[1], datatype='FP64', data=[sum(values)])
        return InferResponse(response_id=request.id or '', model_name=self.name, infer_outputs=[output])


def listen_on_loopback_alone():
    """KServe listens on every interface and has no option for it; a test has no business there."""
    configure, add_port = uvicorn.Config.__init__, grpc_server.Server.add_insecure_port

    def configure_on_loopback(self, app, **options):
        configure(self, app, **{**options, 'host': '127.0.0.1'})

    def add_port_on_loopback(self, address):
        return add_port(self, address.replace('[::]', '127.0.0.1'))

    uvicorn.Config.__init__ = configure_on_loopback
    grpc_server.Server.add_insecure_port = add_port_on_loopback


if __name__ == '__main__':
    listen_on_loopback_alone()
    # Ports come from the command line, which kserve has parsed on import.
    model = Toy('toy')
    model.load()
    ModelServer(workers=model_server.args.workers).start([model])
