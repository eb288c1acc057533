# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where a redirect leads, and whether a scrape goes there."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from requests import Response
from requests.exceptions import HTTPError, TooManyRedirects

from ..diagnosis import shown
from ..endpoint import public_url

# A component's own is one, from `/metrics` to `/metrics/`.
MOST = 5
LONGEST = 2048

PORTS = {'http': 80, 'https': 443}

# Of oauth2-proxy, Dex and the AuthService of older releases of Kubeflow, before the gateway.
LOGIN_PAGE = re.compile(r'/(?:oauth2|dex|authservice|login|signin)(?:/|$)')


def followed(get: Callable[[str], Response], url: str, keeps_to_origin: bool) -> Response:
    """The first answer from `url` on that does not redirect.

    `keeps_to_origin` says that what is sent is for the program at `url` alone. Raises `HTTPError` or
    `TooManyRedirects`, one sentence, for a redirect that is not followed.
    """
    endpoint = public_url(url)
    for _ in range(MOST + 1):
        response = get(url)
        if not response.is_redirect:
            return response
        # Unread: its body may be of any size.
        response.close()
        url = _next(
            url, response.headers['Location'], f'{response.status_code} redirect for url: {endpoint}', keeps_to_origin
        )
    raise TooManyRedirects(
        f'More than {MOST} redirects for url: {endpoint}, the last one to {_shown(url)}: set `openmetrics_endpoint` to '
        'the address of the exposition itself'
    )


def _next(url: str, location: str, redirect: str, keeps_to_origin: bool) -> str:
    try:
        target = urlsplit(urljoin(url, location))
        # Reading the port is what validates it.
        target.port  # noqa: B018
    except ValueError:
        target = None
    if target is None or len(location) > LONGEST or target.scheme not in PORTS or not target.hostname:
        raise HTTPError(
            f'{redirect} leads to {_shown(location)}, which is no http address to scrape: set '
            '`openmetrics_endpoint` to the metrics port of the component'
        )
    where = _shown(target.geturl())
    if LOGIN_PAGE.search(target.path):
        raise HTTPError(
            f'{redirect} leads to {where}, a login page before the component: set `openmetrics_endpoint` to the '
            'address of the pod or of its Service, not to the host name of the gateway'
        )
    origin = urlsplit(url)
    if keeps_to_origin and not _is_same_program(origin, target):
        raise HTTPError(
            f'{redirect} leads to {where}, another host, port or scheme, which does not get the token or password of '
            'the instance: set `openmetrics_endpoint` to where it leads if that is meant'
        )
    host = target.netloc.rpartition('@')[2]
    # The redirect names none, or another one. Where there is a user the program is the same.
    user = origin.netloc.rpartition('@')[0]
    return target._replace(netloc=f'{user}@{host}' if user else host).geturl()


def _is_same_program(origin: SplitResult, target: SplitResult) -> bool:
    """The same host and port, or the same host's https for http on the same port or on the usual ones."""
    if origin.hostname != target.hostname:
        return False
    before, after = _port(origin), _port(target)
    if origin.scheme == target.scheme:
        return before == after
    return target.scheme == 'https' and (before == after or (before, after) == (PORTS['http'], PORTS['https']))


def _port(parts: SplitResult) -> int | None:
    return parts.port or PORTS.get(parts.scheme)


def _shown(url: str) -> str:
    try:
        return shown(public_url(url))
    except ValueError:
        return 'what is no URL'
