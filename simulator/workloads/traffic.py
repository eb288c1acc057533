# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Inference services and the requests to their models."""

from dataclasses import dataclass, replace
from random import Random

from ..events import Inference
from ..world import World, to_microsecond
from .common import profile_name, with_each_profile


@dataclass(frozen=True)
class Server:
    """An InferenceService: requests per second to each of its models, and the median of the predict step in seconds.

    `profile` is the index of its profile.
    """

    name: str
    profile: int
    rate: float
    median: float

    def namespace(self, world: World) -> str:
        return profile_name(self.profile % world.namespaces)

    def models(self, world: World) -> list[str]:
        """The models behind it. The first has the name of the service."""
        return [self.name, *(f'{self.name}-{number}' for number in range(2, world.models + 1))]


# One for each way of serving, so that no request is seen by two of the simulated endpoints.
KSERVE = Server('sklearn-iris', 1, 2.0, 0.012)
OPENCENSUS = Server('xgboost-churn', 1, 1.5, 0.03)
OPENTELEMETRY = Server('bert-reviews', 0, 1.5, 0.18)
MLSERVER = Server('lightgbm-income', 1, 2.0, 0.008)
AGGREGATED = Server('resnet-photos', 2, 1.5, 0.09)

# The HTTP statuses of requests that reach no model: an unknown one, and a body that is none.
UNSEEN = (404, 422)

# A server with more models has no more requests than one with so many.
BUSY_MODELS = 10


class Traffic:
    """Inference requests to every model: slow ones now and then, refused and failing ones among them.

    Each service comes up some seconds after the profile it belongs to.
    """

    SERVERS = (KSERVE, OPENCENSUS, OPENTELEMETRY, MLSERVER, AGGREGATED)
    # 400 and 500 are raised by the model.
    STATUSES = (200, 400, 404, 422, 500)
    WEIGHTS = (90, 2, 2, 1, 5)
    # In an incident: the share of the requests that fails, and by how many seconds a prediction takes longer.
    FAILING = 0.6
    SLOWER = (2.0, 4.0)

    def __init__(self, world: World):
        self._world = world
        self._pause = max(1.0, world.models / BUSY_MODELS)
        self._trouble = world.random('traffic:trouble')
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        for server in self.SERVERS:
            if server.namespace(self._world) == namespace:
                service = self._world.create('inferenceservice', namespace, 'Creating', name=server.name)
                self._world.schedule(5, lambda service=service: self._world.enter(service, 'Ready'))
                for model in server.models(self._world):
                    self._await(5, server, model, self._world.random(f'traffic:{model}'))

    def _await(self, least: float, server: Server, model: str, random: Random) -> None:
        delay = least + random.expovariate(server.rate) * self._pause
        self._world.schedule(delay, lambda: self._request(server, model, random))

    def _request(self, server: Server, model: str, random: Random) -> None:
        verb = random.choices(('predict', 'explain', 'ready'), (90, 5, 5))[0]
        status = 200 if verb == 'ready' else random.choices(self.STATUSES, self.WEIGHTS)[0]
        # gRPC has neither of these: its clients ask for readiness by another call, and cannot send a malformed body.
        rest = verb == 'ready' or status == 422 or random.random() < 0.8
        request = Inference(
            server=server.name,
            model=model,
            verb=verb,
            protocol='rest' if rest else 'grpc',
            status=status,
            preprocess=random.uniform(0.0002, 0.003),
            predict=to_microsecond(server.median * random.lognormvariate(0, 0.7)),
            postprocess=random.uniform(0.00005, 0.001),
            request_bytes=0 if verb == 'ready' else int(random.lognormvariate(6, 1)),
            response_bytes=int(random.lognormvariate(5, 0.8)) if status == 200 else random.randint(20, 60),
        )
        self._world.publish(self._troubled(request))
        self._await(0, server, model, random)

    def _troubled(self, request: Inference) -> Inference:
        """What an incident makes of a request, if a model sees it."""
        if request.verb == 'ready' or request.status in UNSEEN:
            return request
        if self._world.suffers('inference-latency', model=request.model):
            request = replace(request, predict=request.predict + self._trouble.uniform(*self.SLOWER))
        fails = self._world.suffers('inference-errors', model=request.model) and self._trouble.random() < self.FAILING
        return replace(request, status=500, response_bytes=self._trouble.randint(20, 60)) if fails else request
