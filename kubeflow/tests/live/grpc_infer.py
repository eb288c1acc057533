# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""
Asks a model server over gRPC; runs where the stubs of a model server's package are installed.

Usage: grpc_infer.py STUBS ADDRESS MODEL VALUE...

Sends one ModelInfer of the Open Inference Protocol for each VALUE and prints the names of their gRPC status codes, one
a line. STUBS is the module of the generated code without its ending `_pb2`.
"""

import importlib
import sys

import grpc

TIMEOUT = 30


def main(stubs, address, model, *values):
    messages = importlib.import_module(f'{stubs}_pb2')
    services = importlib.import_module(f'{stubs}_pb2_grpc')

    with grpc.insecure_channel(address) as channel:
        service = services.GRPCInferenceServiceStub(channel)
        for value in values:
            request = messages.ModelInferRequest(model_name=model)
            tensor = request.inputs.add(name='x', datatype='FP64', shape=[1])
            tensor.contents.fp64_contents.append(float(value))
            try:
                service.ModelInfer(request, timeout=TIMEOUT)
                print('OK')
            except grpc.RpcError as error:
                print(error.code().name)


if __name__ == '__main__':
    main(*sys.argv[1:])
