# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The bearer token that the endpoints behind kube-rbac-proxy ask for."""

import os
import secrets
from pathlib import Path


class BadTokenFile(ValueError):
    """A token file that cannot be used; the message is one sentence without the token."""


def read_or_make(path: Path) -> str:
    """The token in the file; where there is none, a random one is written there, for its owner alone to read.

    Raises `BadTokenFile`.
    """
    try:
        try:
            token = path.read_text(encoding='ascii').strip()
        except FileNotFoundError:
            token = secrets.token_urlsafe(32)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'w', encoding='ascii') as file:
                file.write(token)
    except OSError as error:
        raise BadTokenFile(f'token file {path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise BadTokenFile(f'token file {path}: not ASCII text, so no bearer token') from None
    if not token or not token.isprintable() or ' ' in token:
        raise BadTokenFile(f'token file {path}: not one bearer token without spaces on one line')
    return token
