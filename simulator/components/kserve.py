# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from prometheus_client import Histogram

from ..events import Inference
from ..exposition import PYTHON
from ..runtime import PythonRuntime
from ..workloads.traffic import KSERVE, UNSEEN, Server
from ..world import World
from .component import Component


class KServe(Component):
    """The Python model server of KServe with one worker: four histograms, no counter of its own.

    They are the same from 0.10 to 0.21. A request for an unknown model (404) or with a body that is none (422) is in no
    family. One that fails in the predict step (400, 500 here) is in preprocess and predict, and not in postprocess.
    """

    id = 'kserve-server'
    program = 'KServe model server'
    dialect = PYTHON

    # In seconds: the default bounds of prometheus_client.
    STEPS = ('preprocess', 'postprocess', 'predict', 'explain')

    def __init__(self, world: World, release: str, server: Server = KSERVE):
        super().__init__(world, release)
        self._server = server
        PythonRuntime(world, self.registry)
        self._steps = {
            step: Histogram(
                f'request_{step}_seconds', f'Time of the {step} step', ['model_name'], registry=self.registry
            )
            for step in self.STEPS
        }
        world.listen(Inference, self._on_request)

    def _on_request(self, request: Inference) -> None:
        if request.server != self._server.name or request.verb == 'ready' or request.status in UNSEEN:
            return
        self._observe('preprocess', request.model, request.preprocess)
        self._observe(request.verb, request.model, request.predict)
        if request.status == 200:
            self._observe('postprocess', request.model, request.postprocess)

    def _observe(self, step: str, model: str, seconds: float) -> None:
        self._steps[step].labels(model).observe(seconds)
