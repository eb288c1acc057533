# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The pods that the simulator's endpoints stand for, as Autodiscovery sees them."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import yaml

from deploy.endpoints import PROFILE, read
from simulator.components.queue_proxy import knative_names
from simulator.server import Endpoint
from simulator.workloads.pipelines import name_suffix
from simulator.workloads.traffic import Traffic
from simulator.world import World

CLUSTER = 'kubeflow-simulated'

_ROWS = read()
_SERVED = yaml.safe_load(Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8'))
_SERVERS = {server.name: server for server in Traffic.SERVERS}


@dataclass(frozen=True)
class Pod:
    """`url` is where an Agent in the cluster scrapes it."""

    namespace: str
    name: str
    url: str

    @property
    def tags(self) -> list[str]:
        """What the Agent adds to everything that is submitted from there."""
        return [f'kube_cluster_name:{CLUSTER}', f'kube_namespace:{self.namespace}', f'pod_name:{self.name}']


def pod_of(endpoint: Endpoint, kubeflow: str, world: World) -> Pod:
    """The pod behind an endpoint of the simulated Kubeflow release."""
    rows = [row for row in _ROWS if row.component == endpoint.component.id]
    # The sidecar that KServe brings may be older than the one of the release.
    row = next((each for each in rows if kubeflow in each.kubeflow), rows[0])
    served = _SERVED.get(endpoint.name, {})
    if row.namespace == PROFILE:
        server = _SERVERS[served['service']]
        namespace, name = server.namespace(world), knative_names(server)['pod_name']
    else:
        namespace, name = row.namespace, f'{row.workload}-5d8f6c7b9-{name_suffix(crc32(row.workload.encode()))}'
    # Made of the name, so that it is the same in every recording.
    address = f'10.244.1.{crc32(name.encode()) % 250 + 2}'
    return Pod(namespace, name, f'{row.scheme}://{address}:{served.get("port", row.port)}{row.path}')
