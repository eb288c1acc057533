# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""KServe's queue-proxy with metric aggregation (qpext): the sidecar's families and the model server's on one port."""

from ..exposition import QPEXT, write
from ..workloads.traffic import AGGREGATED
from ..world import World
from .component import Component
from .kserve import KServe
from .queue_proxy import OpenCensusQueueProxy, OpenTelemetryQueueProxy, knative_names


class _Qpext(Component):
    """Two expositions, one after the other: `# TYPE` comes twice for families that both have.

    The families of the model server come in another order with each scrape, without those that have no samples; their
    series have the names of the Knative service besides, and numbers as Go writes them.
    """

    program = 'KServe qpext'
    dialect = QPEXT

    sidecar: type[Component]
    NAMES = ('service_name', 'configuration_name', 'revision_name')

    def __init__(self, world: World, release: str):
        super().__init__(world, release)
        self._sidecar = self.sidecar(world, release, AGGREGATED)
        self._app = KServe(world, release, AGGREGATED)
        names = knative_names(AGGREGATED)
        self._names = {name: names[name] for name in self.NAMES}

    def payload(self) -> str:
        return self._sidecar.payload() + self._app_payload()

    def _app_payload(self) -> str:
        families = list(self._app.families())
        self.world.random(f'qpext:{self.world.now}').shuffle(families)
        for family in families:
            family.samples = [
                sample._replace(labels={**dict(sorted(sample.labels.items())), **self._names})
                for sample in family.samples
            ]
        return write(families, self.dialect)

    def close(self) -> None:
        self._sidecar.close()
        self._app.close()
        super().close()


class OpenCensusQpext(_Qpext):
    """qpext of KServe up to 0.16, which is built with Knative 1.17 or earlier."""

    id = 'queue-proxy-opencensus'
    sidecar = OpenCensusQueueProxy


class OpenTelemetryQpext(_Qpext):
    """qpext of KServe 0.17 and later, which is built with Knative 1.21."""

    id = 'queue-proxy-otel'
    sidecar = OpenTelemetryQueueProxy
