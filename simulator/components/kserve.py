# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from prometheus_client import Histogram

from ..exposition import PYTHON
from ..runtime import python_runtime
from ..workloads import KSERVE_MODEL
from ..world import Inference, World
from .component import Component


class KServe(Component):
    """The Python model server of KServe 0.21 with one worker: four histograms, no counter of its own.

    A request for an unknown model (404) is in no family. One that fails in the predict step (400, 500 here) is in
    preprocess and predict, and not in postprocess.
    """

    id = 'kserve-server'
    title = 'KServe model server 0.21'
    dialect = PYTHON

    # In seconds: the default bounds of prometheus_client.
    STEPS = ('preprocess', 'postprocess', 'predict', 'explain')

    def __init__(self, world: World):
        super().__init__(world)
        python_runtime(self.registry)
        self._steps = {
            step: Histogram(
                f'request_{step}_seconds', f'Time of the {step} step', ['model_name'], registry=self.registry
            )
            for step in self.STEPS
        }
        world.listen(Inference, self._on_request)

    def _on_request(self, request: Inference) -> None:
        if request.model != KSERVE_MODEL.name or request.status == 404:
            return
        self._observe('preprocess', request.preprocess)
        self._observe(request.verb, request.predict)
        if request.status == 200:
            self._observe('postprocess', request.postprocess)

    def _observe(self, step: str, seconds: float) -> None:
        self._steps[step].labels(KSERVE_MODEL.name).observe(seconds)
