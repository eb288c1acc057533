# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The simulated Kubeflow as instances of the check."""

from contextlib import ExitStack

from simulator.clock import Stopped
from simulator.releases import UnknownRelease
from simulator.server import Endpoint, Simulator, StartError

from .configuration import ConfigurationError, Instance


def simulated(kubeflow: str | None, stack: ExitStack) -> tuple[list[Instance], str]:
    """The instances of every endpoint that a scrape can reach, and a sentence on the others.

    They are served until `stack` closes. `kubeflow` is a release or None for every component. Raises
    `ConfigurationError`.
    """
    try:
        simulator = stack.enter_context(Simulator(kubeflow))
    except (UnknownRelease, StartError, Stopped) as error:
        raise ConfigurationError(str(error)) from None
    instances = [_instance(endpoint) for endpoint in simulator.endpoints if not endpoint.obstacle]
    shut = [f'{each.title} (simulator:{each.name})' for each in simulator.endpoints if each.obstacle]
    return instances, f'Left out, for no option of the check gets past what stands there: {", ".join(shut)}.'


def _instance(endpoint: Endpoint) -> Instance:
    return Instance(f'simulator:{endpoint.name}', f'{endpoint.title} ({endpoint.url})', dict(endpoint.instance))
