# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Model servers that run, each with a model `toy` that can be made to fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from .environment import Program
from .process import Server, free_ports

HERE = Path(__file__).resolve().parent

GRPC_TIMEOUT = 60


class ModelServer(Server):
    """
    A model server with a fresh model, which runs in a directory of its own.

    Attributes:
        program: what it is installed from
        stubs: the module in there with the generated code of its gRPC service, without the ending `_pb2`
        url: where it listens for HTTP, without a path
        metrics: the URL of its exposition
    """

    program: ClassVar[Program]
    stubs: ClassVar[str]

    def __init__(
        self,
        python: Path,
        arguments: Sequence[object],
        ports: Mapping[str, int],
        ready: str,
        directory: Path,
        variables: Mapping[str, str] | None = None,
    ):
        """
        Args:
            python: the interpreter of an environment with the program
            ports: by purpose, `http`, `grpc` and `metrics`; by what `arguments` and `variables` say
            ready: the path that answers once the model can be asked
            directory, variables: as those of `Server`
        """
        self.url = f'http://127.0.0.1:{ports["http"]}'
        self.metrics = f'http://127.0.0.1:{ports["metrics"]}/metrics'
        self._python = python
        self._grpc = f'127.0.0.1:{ports["grpc"]}'
        super().__init__(
            [python, *arguments], sorted(set(ports.values())), f'{self.url}{ready}', directory, variables or {}
        )

    def infer_over_grpc(self, model: str, *values: float) -> list[str]:
        """Send an inference for each of the values; returns the names of their gRPC status codes."""
        done = subprocess.run(
            [str(part) for part in (self._python, HERE / 'grpc_infer.py', self.stubs, self._grpc, model, *values)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=GRPC_TIMEOUT,
        )
        return done.stdout.split()


class KServe(ModelServer):
    """KServe's Python model server, with one worker: of several each exposes what it counted itself."""

    program = Program('kserve', HERE / 'kserve/requirements.txt', ('3.11', '3.12', '3.13', '3.10'))
    stubs = 'kserve.protocol.grpc.grpc_predict_v2'

    def __init__(self, python: Path, directory: Path):
        http, grpc = free_ports(2)
        super().__init__(
            python,
            [HERE / 'kserve/toy_server.py', '--http_port', http, '--grpc_port', grpc, '--workers', 1],
            {'http': http, 'grpc': grpc, 'metrics': http},
            '/v1/models/toy',
            directory,
        )


class MLServer(ModelServer):
    """MLServer, without parallel workers."""

    program = Program('mlserver', HERE / 'mlserver/requirements.txt', ('3.11', '3.12', '3.10'))
    stubs = 'mlserver.grpc.dataplane'

    def __init__(self, python: Path, directory: Path):
        http, grpc, metrics = free_ports(3)
        super().__init__(
            python,
            # Not its script, which names the interpreter by the path the environment had when it was made.
            ['-c', 'from mlserver.cli import main; main()', 'start', HERE / 'mlserver'],
            {'http': http, 'grpc': grpc, 'metrics': metrics},
            '/v2/models/toy/ready',
            directory,
            {
                'MLSERVER_HTTP_PORT': str(http),
                'MLSERVER_GRPC_PORT': str(grpc),
                'MLSERVER_METRICS_PORT': str(metrics),
                # It imports the model from the source tree.
                'PYTHONDONTWRITEBYTECODE': '1',
            },
        )
