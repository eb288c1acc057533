# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What an answer is that is no exposition, told from its first bytes."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from dataclasses import dataclass

# Where a line of an exposition is looked for, and where a page says what it is.
LOOKED_AT = 64 * 1024
TOP = 8 * 1024

WRONG_PLACE = 'another port or path of the component, or a login page before it'
GATEWAY = (
    "the scrape went to the host name of Kubeflow's gateway, where people sign in; set `openmetrics_endpoint` to the "
    'pod or the Service of the component'
)
PAGE_OF_KUBEFLOW = 'this is where people look; set `openmetrics_endpoint` to a controller or a model server'
ISTIO = (
    'no AuthorizationPolicy allows the Agent at this port; add one for the port of `openmetrics_endpoint` and the '
    "Agent's namespace"
)
WRONG_PATH = 'another path or port than that of the metrics; check `openmetrics_endpoint`'


@dataclass(frozen=True)
class Kind:
    """What an answer is, and why it came: words that go after "it is" and after "Likely cause:".

    `is_telling` says that the cause is known from what the answer says, not from its form alone.
    """

    what: str
    cause: str
    is_telling: bool = False


NOTHING = Kind('empty', 'a program that has not started to expose anything, or a path at which it has nothing to say')
UTF16 = Kind('text in UTF-16', 'what writes the exposition, on Windows most often; it has to write UTF-8')
GZIP = Kind(
    'gzip without a header `Content-Encoding`', 'a proxy that drops the header, or a file served as it is', True
)
PROTOBUF = Kind(
    'in the protobuf format',
    'a header `Accept` that asks for it, which `headers` or `extra_headers` set, or a program that knows no other; the '
    'check reads the text formats',
    True,
)
BINARY = Kind('binary data', 'a port that does not serve metrics; check port and path of `openmetrics_endpoint`')
XML = Kind('XML', WRONG_PLACE)

# Words in small letters, at the top of an answer; by what the answer is in form.
HTML = (
    ((b'oauth2-proxy', b'/oauth2/'), Kind('the login page of oauth2-proxy', GATEWAY, True)),
    ((b'/dex/', b'<title>dex'), Kind('the login page of Dex', GATEWAY, True)),
    ((b'type="password"', b"type='password'"), Kind('a login page', GATEWAY, True)),
    ((b'<title>kubeflow central dashboard',), Kind("Kubeflow's central dashboard", PAGE_OF_KUBEFLOW, True)),
    ((b'<title>kubeflow pipelines',), Kind('the web page of Kubeflow Pipelines', PAGE_OF_KUBEFLOW, True)),
    ((b'<title>argo',), Kind('the web page of the Argo server', PAGE_OF_KUBEFLOW, True)),
    ((b'rbac: access denied',), Kind("Istio's refusal", ISTIO, True)),
    ((b'',), Kind('a web page', WRONG_PLACE)),
)
OBJECTS = (
    (
        (b'"kind":"status"',),
        Kind('an answer of the Kubernetes API', 'a URL of the API server, not of the component', True),
    ),
    ((b'"resulttype"',), Kind("an answer of a Prometheus server's query API", WRONG_PATH, True)),
    ((b'',), Kind('JSON', 'another port or path of the component: an API answers here')),
)
TEXTS = (
    ((b'rbac: access denied',), Kind("Istio's refusal", ISTIO, True)),
    (
        (b'jwt ',),
        Kind(
            "Istio's refusal of a request without a token it accepts",
            'a RequestAuthentication for the port; set `auth_token`, or scrape a port that it does not cover',
            True,
        ),
    ),
    (
        (b'upstream connect error', b'no healthy upstream', b'upstream request timeout'),
        Kind(
            "an Envoy proxy's word that nothing answers behind it",
            'the component is not up, or the port of `openmetrics_endpoint` is not one it listens on: a proxy before '
            'it answers',
            True,
        ),
    ),
    (
        (b'client sent an http request to an https server',),
        Kind(
            'what a port with TLS says to a request without',
            'the URL says `http`; write `https` in `openmetrics_endpoint`',
            True,
        ),
    ),
    (
        (b'forbidden (user=',),
        Kind(
            'the refusal of kube-rbac-proxy',
            'the account of `auth_token` may not `get` the path `/metrics`; bind it to a ClusterRole that may',
            True,
        ),
    ),
    (
        (b'unauthorized',),
        Kind(
            'a refusal',
            'the endpoint asks for a token; set `auth_token`, and let its account `get` the path `/metrics`',
            True,
        ),
    ),
    ((b'not found',), Kind('what a program says of a path that it does not have', WRONG_PATH, True)),
    ((b'',), Kind('plain text without a sample', WRONG_PLACE)),
)
# The whole of an answer.
WORDS_OF_HEALTH = frozenset({b'ok', b'"ok"', b'healthy', b'alive', b'ready', b'pong', b'true', b'success', b'up'})
HEALTHY = Kind(
    'the answer of a health check',
    'this is a health check; set `openmetrics_endpoint` to the path `/metrics`, or to the port of the metrics',
    True,
)

MAGICS = (b'\x89PNG', b'%PDF', b'\x7fELF', b'PK\x03\x04', b'\xff\xd8\xff', b'GIF8', b'\x28\xb5\x2f\xfd', b'BZh')
CONTROL = re.compile(rb'[\x01-\x08\x0e-\x1f]')
# A varint of the length, then a MetricFamily: field 1 is its name.
PROTOBUF_FAMILY = re.compile(rb'(?:[\x80-\xff]{0,4}[\x01-\x7f])\n[\x01-\x7f][a-zA-Z_:]')

JSON_START = re.compile(rb'[\[{]\s*(?:"(?:[^"\\]|\\.)*"\s*[:,\]]|[\]{}\[]|-?\d|true|false|null)|"(?:[^"\\]|\\.)*"\s*\Z')
# A name in quotes is followed by the end of the labels or by one more: in both formats that is no JSON.
QUOTED_NAME = re.compile(rb'\{[ \t]*"(?:[^"\\\n]|\\.)*"[ \t]*[,}]')
# A line that both formats or one of them knows: part of a header, or a sample with its value.
LINE = re.compile(
    rb'^[ \t]*(?:#[ \t]*(?:(?:HELP|TYPE|UNIT)[ \t]|EOF\b)'
    rb'|(?:[a-zA-Z_:][\w:]*(?:[ \t]*\{.*\})?[ \t]*(?<=[ \t}])|\{[ \t]*".*\}[ \t]*)'
    rb'[-+]?(?:\.?\d[\w.+-]*|[nN][aA][nN]|[iI]nf(?:inity)?|INF)(?:[ \t]+[-+]?[\d.]+)?[ \t]*(?:#.*)?\r?$)',
    re.MULTILINE,
)
NO_COMMENT = re.compile(rb'^[ \t\r]*[^#\s]', re.MULTILINE)


def is_declared(content_type: str) -> bool:
    """Whether a Content-Type says the text format by its version, as no page and no proxy does by chance."""
    media, _, parameters = content_type.lower().partition(';')
    return media.strip() == 'text/plain' and 'version=' in parameters


def kind_of(start: bytes, content_type: str) -> Kind | None:
    """What an answer is that begins with `start`; None for one that may be an exposition."""
    start = start[:LOOKED_AT]
    text = start.strip()
    if not text:
        return NOTHING
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or re.match(rb'(?:[\t\n -~]\0){2}|(?:\0[\t\n -~]){2}', start):
        return UTF16
    if start.startswith(b'\x1f\x8b'):
        return GZIP
    may_be_one = LINE.search(text) or not NO_COMMENT.search(text)
    if not may_be_one and (PROTOBUF_FAMILY.match(start) or 'protobuf' in content_type.lower()):
        return PROTOBUF
    # A label may have any other control character.
    if start.startswith(MAGICS) or b'\0' in start or not may_be_one and CONTROL.search(start, 0, 1024):
        return BINARY
    lower = text[:TOP].lower()
    if text.startswith(b'<'):
        is_xml = lower.startswith(b'<?xml') and b'<html' not in lower
        return XML if is_xml else _first(HTML, lower)
    if JSON_START.match(text) and not QUOTED_NAME.match(text):
        return HEALTHY if lower in WORDS_OF_HEALTH else _first(OBJECTS, lower.replace(b'": ', b'":'))
    if may_be_one:
        return None
    if lower.rstrip(b'.!') in WORDS_OF_HEALTH:
        return HEALTHY
    return _first(TEXTS, lower)


def _first(kinds: Iterable[tuple[tuple[bytes, ...], Kind]], text: bytes) -> Kind:
    return next(kind for words, kind in kinds if any(word in text for word in words))
