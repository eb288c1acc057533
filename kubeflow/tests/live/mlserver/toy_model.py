# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A model that can be made to fail, for MLServer; runs where mlserver is installed."""

import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Toy(MLModel):
    """Adds up what it is given; the input `-1.0` fails on purpose, as a bug would."""

    async def load(self):
        return True

    async def predict(self, payload):
        await asyncio.sleep(0.01)
        values = NumpyCodec.decode_input(payload.inputs[0])
        if values[0] == -1.0:
            raise RuntimeError('a bug')
        output = NumpyCodec.encode_output('sum', values.sum(keepdims=True))
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])
