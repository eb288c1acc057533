# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a POST below `/-/` asks for: a fault of the endpoint, or an incident of the cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from .answers import Answer, text
from .clock import Stopped
from .faults import BadFault, UnknownFault, from_query
from .incidents import UnknownIncident
from .sites import Site
from .world import Incident


@dataclass(frozen=True)
class Controls:
    """Answers such requests. `incident` begins the one of a name and `end` ends it, as the simulator's methods do."""

    incident: Callable[[str], Incident]
    end: Callable[[str], None]

    def answer(self, site: Site, request: str, query: str) -> Answer:
        """Do what `POST /-/<request>?<query>` to that site asks for."""
        verb, _, name = request.partition('/')
        try:
            if verb not in ('incident', 'end'):
                return site.control(from_query(request, query))
            if query:
                raise BadFault(f'/-/{request} has no parameters')
            return text(HTTPStatus.OK, self._begin(name) if verb == 'incident' else self._end(name))
        except (UnknownFault, UnknownIncident) as error:
            return text(HTTPStatus.NOT_FOUND, str(error))
        except BadFault as error:
            return text(HTTPStatus.BAD_REQUEST, str(error))
        except Stopped as error:
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    def _begin(self, name: str) -> str:
        begun = self.incident(name)
        struck = '; '.join(', '.join(f'{label} {value}' for label, value in each.items()) for each in begun.culprits)
        return f'{name}: {struck}'

    def _end(self, name: str) -> str:
        self.end(name)
        return f'{name}: over'
