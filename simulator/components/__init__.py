# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The simulated components, in the order in which they are listed to the user."""

from .argo import Argo
from .katib import Katib
from .kserve import KServe
from .mlserver import MLServer
from .notebook import NotebookController
from .pipelines import PipelinesAPIServer
from .queue_proxy import OpenCensusQueueProxy, OpenTelemetryQueueProxy
from .training import TrainingOperator

COMPONENTS = (
    Katib,
    NotebookController,
    KServe,
    OpenCensusQueueProxy,
    OpenTelemetryQueueProxy,
    MLServer,
    PipelinesAPIServer,
    Argo,
    TrainingOperator,
)
