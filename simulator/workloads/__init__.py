# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the users of the simulated cluster do."""

from functools import partial

from ..world import World
from .experiments import Experiments
from .notebooks import Notebooks
from .pipelines import PersistenceAgent, PipelineRuns, RecurringRuns
from .profiles import Access, Profiles
from .tensorboards import Tensorboards
from .traffic import Traffic
from .training import TrainingJobs


def busy_world(seed: int = 0, namespaces: int = 3, models: int = 1, epoch: float = World.EPOCH) -> World:
    """A world in which all of these go on at once."""
    world = World(seed, namespaces, models, epoch)
    agent = PersistenceAgent(world)
    for workload in (
        Experiments,
        Notebooks,
        Traffic,
        partial(PipelineRuns, agent=agent),
        partial(RecurringRuns, agent=agent),
        TrainingJobs,
        Tensorboards,
        Access,
        # Last, because the others begin when a profile is there.
        Profiles,
    ):
        workload(world)
    return world
