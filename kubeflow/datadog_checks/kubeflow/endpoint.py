# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The endpoint as it may be seen: credentials and query strings stay out of tags, logs and messages."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def public_url(url: str) -> str:
    """The URL without user name, password, query string and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, '', ''))


def hide_secrets(text: str, url: str) -> str:
    """`text` without what `public_url` leaves out of `url`."""
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition('@')[0]
    secrets = {f'{userinfo}@', userinfo, parts.username, parts.password} if userinfo else set()
    if parts.query:
        secrets |= {f'?{parts.query}', parts.query}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, '')
    return text
