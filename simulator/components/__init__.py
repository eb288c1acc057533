# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The simulated components. Which of them make up a Kubeflow, and in which releases, says `releases.yaml`."""

from .argo import Argo, LegacyArgo
from .katib import Katib
from .kserve import KServe
from .mlserver import MLServer
from .notebook import NotebookController
from .pipelines import PipelinesAPIServer, ScheduledWorkflowController
from .profiles import Kfam, ProfileController
from .qpext import OpenCensusQpext, OpenTelemetryQpext
from .queue_proxy import OpenCensusQueueProxy, OpenTelemetryQueueProxy
from .tensorboard import TensorboardController
from .training import TrainingOperator

__all__ = [
    'Argo',
    'Katib',
    'Kfam',
    'KServe',
    'LegacyArgo',
    'MLServer',
    'NotebookController',
    'OpenCensusQpext',
    'OpenCensusQueueProxy',
    'OpenTelemetryQpext',
    'OpenTelemetryQueueProxy',
    'PipelinesAPIServer',
    'ProfileController',
    'ScheduledWorkflowController',
    'TensorboardController',
    'TrainingOperator',
]
