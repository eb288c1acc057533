# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The HTTP client: the base check's, but for what would let every certificate in and write secrets into the log."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from urllib.request import getproxies

from requests import Session

from datadog_checks.base.utils import tls
from datadog_checks.base.utils.http import RequestsWrapper

# Where requests looks.
NETRC_FILES = ('~/.netrc', '~/_netrc')


class Client(RequestsWrapper):
    """Trusts the certificates that the options name, or the system, and no others."""

    __slots__ = ()

    def _create_session(self) -> Session:
        session = super()._create_session()
        # Looking for what is not there takes a third of the time of a request.
        session.trust_env = environment_matters()
        return session

    def make_request_aia_chasing(self, request_method, method, url, new_options, persist):
        """Send the request, once.

        Where a certificate fails verification the base check fetches the one that it names as its issuer's and trusts
        that (datadog-checks-base 37.33.0 to 38.5.0), so any server passes that brings an issuer of its own.
        """
        return request_method(url, **new_options)

    def read_certificates_again(self) -> None:
        """Take in what the files of certificates and keys hold now, with the next request."""
        self._https_adapters.clear()
        if self._session is not None:
            self._session.close()
            self._session = None


@lru_cache(maxsize=None)
def environment_matters() -> bool:
    """Whether requests would find a proxy or a file of passwords in the environment of this process."""
    files = [os.environ['NETRC']] if 'NETRC' in os.environ else NETRC_FILES
    return bool(getproxies()) or any(os.path.exists(os.path.expanduser(file)) for file in files)


_is_sending = ContextVar('is_sending', default=False)


class RequestLogFilter(logging.Filter):
    """Drops what libraries log of this check's requests: URLs with their query, raw headers, the password of a key.

    The requests of other checks in the Agent, which have the same loggers, stay in the log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not _is_sending.get() or (record.name == tls.LOGGER.name and record.levelno > logging.DEBUG)


_FILTER = RequestLogFilter()
for _name in ('urllib3.connection', 'urllib3.connectionpool', tls.LOGGER.name):
    logging.getLogger(_name).addFilter(_FILTER)


@contextmanager
def unlogged() -> Iterator[None]:
    """Send a request within it."""
    token = _is_sending.set(True)
    try:
        yield
    finally:
        _is_sending.reset(token)
