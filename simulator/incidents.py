# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What can go wrong in a cluster as a whole: `incidents.yaml` as objects.

What follows from an incident is made where it happens: in the workloads, and in the controllers of the components.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .workloads.common import profile_name
from .workloads.traffic import Traffic
from .world import Incident, World

_KNOWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8'))

# What happens, in a line, by the name of the incident.
INCIDENTS: Mapping[str, str] = {name: entry['text'] for name, entry in _KNOWN.items()}

# The one of which the world knows nothing.
NOT_SCRAPABLE = 'endpoint-not-scrapable'


class UnknownIncident(ValueError):
    """There is no incident of that name; the message is one sentence."""


def known(name: str) -> str:
    """That name, where it is an incident's. Raises `UnknownIncident`."""
    if name not in INCIDENTS:
        raise UnknownIncident(f'there is no incident {name!r}; there are {", ".join(INCIDENTS)}')
    return name


def incident(name: str, world: World) -> Incident:
    """The incident of that name as it strikes that world, the same whenever it begins. Raises `UnknownIncident`."""
    return Incident(known(name), INCIDENTS[name], tuple(_culprits(name, world)))


def _culprits(name: str, world: World) -> list[dict[str, str]]:
    random = world.random(f'incident:{name}')
    match _KNOWN[name]['culprits']:
        case 'namespace':
            return [{'namespace': profile_name(random.randrange(world.namespaces))}]
        case 'models':
            return [
                {
                    'namespace': server.namespace(world),
                    'service': server.name,
                    'model': random.choice(server.models(world)),
                }
                for server in Traffic.SERVERS
            ]
        case choices:
            return [{label: random.choice(values) for label, values in choices.items()}]
