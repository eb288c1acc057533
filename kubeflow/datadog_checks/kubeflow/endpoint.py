# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The endpoint as it may be seen: credentials and query strings stay out of tags, logs and messages."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit

from requests.utils import requote_uri

HIDDEN = '***'


def public_url(url: str) -> str:
    """The URL without user name, password, query string and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, '', ''))


def hide_secrets(text: str, url: str) -> str:
    """`text` without the credentials and the query string of `url`, as they stand there, encoded or decoded."""
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition('@')[0]
    replacements = {url: public_url(url)}
    if userinfo:
        replacements |= {f'{userinfo}@': '', userinfo: HIDDEN, parts.password or userinfo: HIDDEN}
    if parts.query:
        replacements |= {f'?{parts.query}': '', parts.query: HIDDEN}
    for secret, replacement in replacements.items():
        for form in (secret, requote_uri(secret), unquote(secret)):
            text = text.replace(form, replacement)
    return text
