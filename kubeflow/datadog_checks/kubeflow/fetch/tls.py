# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to tell about TLS that fails, and the files that options of TLS name.

The codes and reasons are those of OpenSSL 3 as Python's module `ssl` gives them. What an option does is that of
datadog-checks-base 38.5.0 with urllib3 2, and was tried.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from http.client import BadStatusLine
from pathlib import Path

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import SSLError
from urllib3.util.ssl_match_hostname import CertificateError

from datadog_checks.base import ConfigurationError, is_affirmative

from .failures import causes_of
from .files import Watched, unusable

FILE_OPTIONS = ('tls_ca_cert', 'tls_cert', 'tls_private_key')

CERTIFICATE_MARK, KEY_MARK = 'CERTIFICATE-----', 'PRIVATE KEY-----'

UNVERIFIED = '`tls_verify: false` scrapes it without knowing who answers'

# What a certificate that fails verification is, and what to do, by OpenSSL's X509_V_ERR_*.
CERTIFICATES = {
    9: (
        'is not valid yet',
        "compare the clocks of the Agent's and the component's host, then make the component's certificate anew",
    ),
    10: (
        'has expired',
        f"renew it at the component, and compare the clocks of both hosts; until then {UNVERIFIED}",
    ),
    18: (
        'is self-signed',
        'set `tls_ca_cert` to a file in PEM format with that certificate; where the component makes another one at '
        f'each start, as Argo Workflows, Trainer and kube-rbac-proxy do, {UNVERIFIED}',
    ),
}
_MISMATCH = (
    'is not for the host of the URL',
    'write a name that it holds into `openmetrics_endpoint`, or keep the URL and set `tls_use_host_header: true` and '
    '`extra_headers: {Host: <NAME>}` with such a name',
)
CERTIFICATES |= dict.fromkeys((62, 64), _MISMATCH)
_UNKNOWN_ISSUER = (
    'is signed by an authority that is not known here',
    'set `tls_ca_cert` to a file in PEM format with the certificate of the authority, and the intermediate ones where '
    f'the server does not send them; without the file {UNVERIFIED}',
)
CERTIFICATES |= dict.fromkeys((2, 19, 20, 21), _UNKNOWN_ISSUER)
_DOUBTFUL = ('does not pass verification', f'make it anew at the component; until then {UNVERIFIED}')
_UNKNOWN_TO_FILE = (
    'is signed by none of the authorities in the file of `tls_ca_cert`',
    'put the certificate of its authority into the file, and the intermediate ones where the server does not send them',
)

_CLIENT_CERTIFICATE = 'set `tls_cert` and `tls_private_key` to files in PEM format that the server takes'
_REJECTED = (
    'does not take the certificate of `tls_cert`',
    'set `tls_cert` and `tls_private_key` to one that an authority of the server has signed for clients',
)
_NO_TLS = ('answers, but not with TLS', 'write `http` for `https` in `openmetrics_endpoint`')
_TOO_OLD = (
    'speaks only versions of TLS below 1.2, which the client does not, whatever `tls_protocols_allowed` says',
    'have the component, or a proxy before it, speak TLS 1.2',
)
_ASKED = ('asks for a client certificate', _CLIENT_CERTIFICATE)
# What a handshake that fails says, and what to do, by a part of its reason.
HANDSHAKES = {
    **dict.fromkeys(
        ('WRONG_VERSION_NUMBER', 'HTTP_REQUEST', 'PACKET_LENGTH_TOO_LONG', 'RECORD_LAYER_FAILURE'), _NO_TLS
    ),
    **dict.fromkeys(('UNSUPPORTED_PROTOCOL', 'ALERT_PROTOCOL_VERSION'), _TOO_OLD),
    'ALERT_CERTIFICATE_REQUIRED': _ASKED,
    **dict.fromkeys(
        (
            'ALERT_UNKNOWN_CA',
            'ALERT_ACCESS_DENIED',
            'ALERT_BAD_CERTIFICATE',
            'ALERT_CERTIFICATE_EXPIRED',
            'ALERT_CERTIFICATE_REVOKED',
            'ALERT_CERTIFICATE_UNKNOWN',
            'ALERT_UNSUPPORTED_CERTIFICATE',
        ),
        _REJECTED,
    ),
    'ALERT_HANDSHAKE_FAILURE': (
        'refuses the handshake',
        f'where it asks for a client certificate, {_CLIENT_CERTIFICATE}; if not, it has no cipher in common with '
        '`tls_ciphers`',
    ),
}
_CLOSED = (
    'closes the connection without an answer',
    f'where it asks for a client certificate, {_CLIENT_CERTIFICATE}; where it speaks no TLS, write `http` in '
    '`openmetrics_endpoint`',
)
_FAILED = ('fails in the handshake', 'look at `tls_ca_cert`, `tls_cert`, `tls_private_key` and `tls_ciphers`')

# The first bytes of a TLS alert, with which some servers answer plain http.
ALERT = '\x15\x03'


class Files:
    """The files that the options of TLS of one instance name."""

    def __init__(self, config: Mapping):
        self._paths = {
            option: os.path.expanduser(config[option]) for option in FILE_OPTIONS if isinstance(config.get(option), str)
        }
        self._has_password = config.get('tls_private_key_password') is not None
        self._watched = [Watched(path) for path in self._paths.values()]

    def have_changed(self, endpoint: str) -> bool:
        """Whether any of them is not what it was when this was asked last; the first time, too.

        Raises `ConfigurationError`, one sentence, where one of them cannot be used: the base check would go on without
        it, and OpenSSL would ask the terminal for a password.
        """
        changed = [watched.has_changed() for watched in self._watched]
        if not any(changed):
            return False
        for option, path in self._paths.items():
            if problem := self._problem(option, path):
                for watched in self._watched:
                    watched.forget()
                raise unusable(path, option, endpoint, problem)
        return True

    def _problem(self, option: str, path: str) -> str | OSError:
        if os.path.isdir(path):
            # Of certificates by their hash, or of none.
            return '' if option == 'tls_ca_cert' else 'is a directory: name a file in PEM format'
        try:
            text = Path(path).read_text(encoding='ascii', errors='replace')
        except OSError as error:
            return error
        mark, what = (KEY_MARK, 'private key') if option == 'tls_private_key' else (CERTIFICATE_MARK, 'certificate')
        if mark not in text:
            return f'holds no {what} in PEM format, a text with the line -----BEGIN {mark.rstrip("-")}-----'
        if option == 'tls_cert' and 'tls_private_key' not in self._paths and KEY_MARK not in text:
            return 'holds a certificate without its key: set `tls_private_key` to the file of the key'
        if not self._has_password and 'ENCRYPTED' in text:
            return 'holds an encrypted key: set `tls_private_key_password`, or name a key that is not encrypted'
        return ''


def explained(error: OSError, endpoint: str, config: Mapping) -> RequestsConnectionError | ConfigurationError | None:
    """The error, one sentence, to raise in place of this one of a request to `endpoint`, which is shown as it is.

    None where TLS has nothing to do with it.
    """
    if isinstance(error, ssl.SSLError):
        # Of what the options name, before anything was sent.
        return ConfigurationError(f'To scrape {endpoint}, {_of_options(error)}')
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, (ssl.SSLCertVerificationError, CertificateError)):
            return SSLError(_of_certificate(cause, endpoint, config))
        if isinstance(cause, ssl.SSLError):
            return SSLError(_of_handshake(cause, endpoint, config))
    return _of_connection(causes, endpoint)


def _of_options(error: ssl.SSLError) -> str:
    if 'KEY_VALUES_MISMATCH' in str(error):
        return 'name a key in `tls_private_key` and a certificate in `tls_cert` that belong together: these do not'
    if 'cipher' in str(error):
        return 'leave out `tls_ciphers`, or name a cipher in it that the client has: it has none of these'
    return (
        'name files in PEM format in `tls_ca_cert`, `tls_cert` and `tls_private_key`, and the right '
        f'`tls_private_key_password`: OpenSSL cannot load them ({error})'
    )


def _of_certificate(error: ssl.SSLCertVerificationError | CertificateError, endpoint: str, config: Mapping) -> str:
    if isinstance(error, CertificateError):
        said, reason = _MISMATCH, 'hostname mismatch'
    else:
        reason = error.verify_message.rstrip('.')
        said = CERTIFICATES.get(error.verify_code, _DOUBTFUL)
    if said == _UNKNOWN_ISSUER and config.get('tls_ca_cert'):
        said = _UNKNOWN_TO_FILE
    what, remedy = said
    if said == _MISMATCH and not is_affirmative(config.get('tls_validate_hostname', True)):
        remedy += '; `tls_validate_hostname: false` has no effect'
    return f'The certificate of {endpoint} {what} (CERTIFICATE_VERIFY_FAILED: {reason}): {remedy}'


def _of_handshake(error: ssl.SSLError, endpoint: str, config: Mapping) -> str:
    reason = error.reason or type(error).__name__
    said = next((said for part, said in HANDSHAKES.items() if part in reason), _FAILED)
    if isinstance(error, ssl.SSLEOFError):
        said = _CLOSED
    elif said == _REJECTED and not config.get('tls_cert'):
        said = _ASKED
    what, remedy = said
    return f'{endpoint} {what} ({reason}): {remedy}'


def _of_connection(causes: list[BaseException], endpoint: str) -> RequestsConnectionError | None:
    for cause in causes:
        if endpoint.startswith('https:'):
            if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
                what, remedy = _CLOSED
                return RequestsConnectionError(f'{endpoint} {what}: {remedy}')
        elif isinstance(cause, BadStatusLine) and cause.line.startswith(ALERT):
            return RequestsConnectionError(f'{endpoint} speaks TLS: write `https` for `http` in `openmetrics_endpoint`')
    return None
