# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""URLs without what must not be printed: user information and the query string."""

from urllib.parse import urlsplit


def redacted(url: str) -> str:
    """Scheme, host, port and path of `url`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return 'a malformed URL'
    return parts._replace(netloc=parts.netloc.rpartition('@')[2], query='', fragment='').geturl()


def secrets(url: str) -> list[str]:
    """The parts of `url` that must not turn up in an error message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    return [part for part in (parts.netloc.rpartition('@')[0], parts.password, parts.query) if part]
