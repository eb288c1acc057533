# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The endpoint as it may be seen: credentials and query strings stay out of tags, logs and messages."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit, urlunsplit

# By their shape and not by their value: the client re-encodes them, a redirect brings others, and replacing a short
# one wherever it stands would leave nothing of a message. Headers are here because the client prints those it refuses.
USERINFO = re.compile(r'(?<=//)[^/\s"\'<>`]*@')
QUERY = re.compile(r'(/[^\s?"\'<>`]*)\?[^\s"\'<>`)]*')
HEADER = re.compile(r'(header (?:part|value|name)[^:\n]*: ).*', re.DOTALL)


def public_url(url: str) -> str:
    """The URL without user name, password, query string and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, '', ''))


def hide_secrets(text: str) -> str:
    """`text` without the credentials and query strings of the URLs in it, and without refused headers."""
    return HEADER.sub(r'\1***', QUERY.sub(r'\1', USERINFO.sub('', text)))


class SecretsFilter(logging.Filter):
    """Keeps secrets of URLs out of what is logged, the base check's own messages included."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide_secrets(record.getMessage()), ()
        return True


SECRETS_FILTER = SecretsFilter()
