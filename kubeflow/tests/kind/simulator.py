# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The endpoints of the simulator's image in a cluster."""

from __future__ import annotations

from simulator.releases import Deployment, deployments

from .plan import Endpoint

IMAGE = 'kubeflow-simulator:e2e'

# As in manifests/simulator.yaml. The ports follow each other in the order of the release's components.
NAMESPACE = 'kubeflow-e2e'
WORKLOAD = 'deployment/simulator'
BASE_PORT = 9400
TOKEN = 'simulated'


def endpoints(version: str) -> tuple[Endpoint, ...]:
    """The endpoints of one simulated Kubeflow release that a scrape gets through to."""
    return tuple(_endpoint(deployment, BASE_PORT + place) for place, deployment in enumerate(deployments(version)))


def _endpoint(deployment: Deployment, port: int) -> Endpoint:
    options: dict = {} if deployment.door == 'http' else {'tls_verify': False}
    if deployment.door == 'token':
        options['headers'] = {'Authorization': f'Bearer {TOKEN}'}
    return Endpoint(
        name=deployment.name,
        component=deployment.component.id,
        namespace=NAMESPACE,
        workload=WORKLOAD,
        container='simulator',
        image=IMAGE.partition(':')[0],
        port=port,
        discovery='auto_conf',
        scheme='http' if deployment.door == 'http' else 'https',
        path=deployment.component.path,
        options=options,
    )
