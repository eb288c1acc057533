# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an instance proves itself with: the token in a file, who may see it, and how it is kept out of messages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from os.path import commonprefix
from urllib.parse import parse_qsl, unquote, urlsplit

from datadog_checks.base.utils.common import ensure_unicode
from datadog_checks.base.utils.http import AuthTokenFileReader, AuthTokenHandler, RequestsWrapper

from ..endpoint import public_url
from .files import Watched, unusable

# All others may hold a key, whatever their name.
HARMLESS_HEADERS = frozenset(
    {
        'accept',
        'accept-charset',
        'accept-encoding',
        'accept-language',
        'cache-control',
        'connection',
        'host',
        'user-agent',
    }
)

# A shorter one wherever it stands would leave nothing of a message.
SHORTEST_HIDDEN = 8
HIDDEN = '***'


class TokenFile:
    """The token in the file that `auth_token` of an instance names.

    The base check reads it once, and again after a request has failed, which it then sends twice. Here it is read when
    the file has changed, and no request is sent twice.
    """

    def __init__(self, handler: AuthTokenHandler, path: str, endpoint: str):
        self._handler = handler
        self._path = path
        self._endpoint = endpoint
        self._watched = Watched(path)

    @classmethod
    def taken_over(cls, http: RequestsWrapper, config: Mapping) -> TokenFile | None:
        """Take the token over from the client; None where the instance has none, or none from a file."""
        handler = http.auth_token_handler
        if handler is None or not isinstance(handler.reader, AuthTokenFileReader):
            return None
        http.auth_token_handler = None
        return cls(handler, config['auth_token']['reader']['path'], public_url(config['openmetrics_endpoint']))

    def write(self, options: Mapping) -> None:
        """Put the token into the headers of a client with these options.

        Raises `ConfigurationError`, one sentence without the token, where the file has none.
        """
        if not self._watched.has_changed():
            return
        try:
            # The reader of the base check reads again for a request with an error.
            token = self._handler.reader.read(error='the file has changed')
            problem = _problem(token)
        except (OSError, UnicodeDecodeError) as error:
            problem = error if isinstance(error, OSError) else 'is no text: it has to hold the token alone'
        except ValueError as error:
            # The `pattern` of the reader.
            problem = f'holds no token: {error}'
        if problem:
            self._watched.forget()
            raise unusable(self._path, 'auth_token', self._endpoint, problem)
        self._handler.writer.write(token, default_options=options)


def _problem(token: str) -> str:
    if not token:
        return 'is empty: write the token into it'
    if not (token.isascii() and token.isprintable()):
        return 'does not hold one token on one line: a header cannot have what is in it'
    return ''


def carriers(http: RequestsWrapper, url: str) -> list[str]:
    """The options, as a sentence names them, that send a secret with every request of a client to this URL."""
    names = []
    if http.auth_token_handler is not None:
        names.append('`auth_token`')
    if http.options['auth'] is not None:
        names.append('`username` and `password`' if isinstance(http.options['auth'], tuple) else '`auth_type`')
    names += [f'the header `{header}`' for header in _secret_headers(http)]
    if '@' in urlsplit(url).netloc:
        names.append('the user name in `openmetrics_endpoint`')
    return names


def unencrypted(names: list[str], url: str, endpoint: str) -> str:
    """What to tell about options that send secrets to `url`, shown as `endpoint`, for others to read; else empty."""
    parts = urlsplit(url)
    if not names or parts.scheme != 'http' or _is_loopback(parts.hostname):
        return ''
    return (
        f'{endpoint} is sent the secret of {" and of ".join(names)} unencrypted, so that others may read it: write '
        '`https` in `openmetrics_endpoint` where the component speaks TLS, and leave the secret out where it asks for '
        'none.'
    )


class Secrets:
    """The secrets that an instance sends, as they are when they are asked for."""

    def __init__(self, http: RequestsWrapper, config: Mapping):
        self._http = http
        self._config = config

    def hide(self, text: str) -> str:
        """`text` without them, in case an answer repeats what it was asked with; cut short or not."""
        for secret in self._all():
            if len(secret) >= SHORTEST_HIDDEN:
                text = _hidden(text, secret)
        return text

    def _all(self) -> Iterator[str]:
        options = self._http.options
        for header in _secret_headers(self._http):
            # Without the word before it, as `Bearer`.
            yield from str(options['headers'][header]).split()
        pairs = [_user(options['auth'])]
        parts = urlsplit(self._config['openmetrics_endpoint'])
        # Selectors are no secrets, and messages about them show some.
        yield from (value for name, value in parse_qsl(parts.query) if name != 'match[]')
        if parts.password:
            yield parts.password
            pairs.append((unquote(parts.username or ''), unquote(parts.password)))
        for user, password in pairs:
            yield password
            yield b64encode(f'{user}:{password}'.encode()).decode()
        yield self._config.get('tls_private_key_password') or ''


def _hidden(text: str, secret: str) -> str:
    """`text` without `secret`, and without the beginnings of it that are as long as the shortest one hidden."""
    before, *parts = text.split(secret[:SHORTEST_HIDDEN])
    rest = secret[SHORTEST_HIDDEN:]
    return HIDDEN.join([before, *(part[len(commonprefix([part, rest])) :] for part in parts)])


def _user(auth: object) -> tuple[str, str]:
    if isinstance(auth, tuple):
        user, password = auth
    else:
        user, password = getattr(auth, 'username', None), getattr(auth, 'password', None)
    return ensure_unicode(user or ''), ensure_unicode(password or '')


def _secret_headers(http: RequestsWrapper) -> list[str]:
    return [header for header in http.options['headers'] if header.lower() not in HARMLESS_HEADERS]


def _is_loopback(host: str | None) -> bool:
    try:
        return ip_address(host or '').is_loopback
    except ValueError:
        return host == 'localhost'
