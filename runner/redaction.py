# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""URLs without what must not be printed: user information and the query string."""

from urllib.parse import urlsplit

MALFORMED = 'a malformed URL'


def redacted(url: str) -> str:
    """Scheme, host, port and path of `url`. Where user information may stand in the wrong place nothing is shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MALFORMED
    if '@' in url and '@' not in parts.netloc:
        return MALFORMED
    return parts._replace(netloc=parts.netloc.rpartition('@')[2], query='', fragment='').geturl()
