# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What stands between a scrape and an exposition, and the options of the check that get past it."""

import hmac
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

from .answers import Answer, text


class Door:
    """Plain http that lets everyone in: Katib, model servers, queue-proxy, Argo up to 3.5.

    `tls` is the context of an https port. `obstacle` names what no option of the check gets past.
    """

    obstacle: ClassVar[str] = ''
    tls: ssl.SSLContext | None = None

    @property
    def scheme(self) -> str:
        return 'https' if self.tls else 'http'

    @property
    def how(self) -> str:
        """How to get past, in a few words."""
        return 'no option needed'

    def options(self) -> dict[str, Any]:
        """What an instance of the check needs besides the URL."""
        return {}

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """The answer to a scrape with these headers that does not get past, else None."""
        return None


class SelfSignedDoor(Door):
    """https with a self-signed certificate and no authentication: Argo from 3.6, Trainer from 2.1."""

    def __init__(self, tls: ssl.SSLContext):
        self.tls = tls

    @property
    def how(self) -> str:
        return 'tls_verify: false'

    def options(self) -> dict[str, Any]:
        return {'tls_verify': False}


class TokenDoor(SelfSignedDoor):
    """kube-rbac-proxy: https, a bearer token, and the right to get /metrics (KServe and tensorboard controllers).

    One token has that right. Any other one is taken for a service account without it.
    """

    def __init__(self, tls: ssl.SSLContext, token: str, file: Path):
        super().__init__(tls)
        self._authorization = f'Bearer {token}'.encode()
        self._file = file

    @property
    def how(self) -> str:
        return f'{super().how}, auth_token: bearer token from {self._file}'

    def options(self) -> dict[str, Any]:
        return {
            **super().options(),
            'auth_token': {
                'reader': {'type': 'file', 'path': str(self._file)},
                'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
            },
        }

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        given = headers.get('Authorization', '')
        if hmac.compare_digest(given.encode(), self._authorization):
            return None
        if not given.startswith('Bearer '):
            return text(HTTPStatus.UNAUTHORIZED, 'Unauthorized')
        who = 'user=system:serviceaccount:default:default, verb=get, resource=, subresource='
        return text(HTTPStatus.FORBIDDEN, f'Forbidden ({who})')


class IstioDoor(Door):
    """The sidecar of an injected pod under the deny-all AuthorizationPolicy of the full installation.

    So it is with the notebook controller of Kubeflow 1.5 to 26.03.1, for which no policy allows anything.
    """

    obstacle = 'istio'

    @property
    def how(self) -> str:
        return 'not at all: 403 "RBAC: access denied" until an AuthorizationPolicy opens the port'

    def refusal(self, headers: Mapping[str, str]) -> Answer:
        return Answer(HTTPStatus.FORBIDDEN, 'text/plain', b'RBAC: access denied', {'Server': 'istio-envoy'})


class LoginDoor(Door):
    """Dex and oauth2-proxy before the gateway: who is not signed in gets a page with status 200."""

    obstacle = 'login'

    PAGE = b"""<!DOCTYPE html>
<html>
<head><title>Kubeflow: sign in</title></head>
<body>
<h1>Sign in to your cluster</h1>
<form method="post">
<label>Email <input type="email" name="login" required></label>
<label>Password <input type="password" name="password" required></label>
<button type="submit">Sign in</button>
</form>
</body>
</html>
"""

    @property
    def how(self) -> str:
        return 'not at all: the gateway shows a login page, with status 200; scrape the pod instead'

    def refusal(self, headers: Mapping[str, str]) -> Answer:
        return Answer(HTTPStatus.OK, 'text/html; charset=utf-8', self.PAGE, {'Cache-Control': 'no-store'})
