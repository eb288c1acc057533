# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The table of `endpoints.yaml`: where each component's exposition is, and what stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name('endpoints.yaml')

# The releases of the distribution that the table and the variants below `deploy/` tell apart, oldest first.
KUBEFLOW = ('1.9', '1.10', '1.11', '26.03', '26.03.1')

# In place of a namespace: every namespace of a user.
PROFILE = 'profile'

TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount/token'


class TableError(Exception):
    """A row that cannot be meant; the message names the row and the field."""


@dataclass(frozen=True)
class Endpoint:
    """One row, with the fields that the head of `endpoints.yaml` describes."""

    component: str
    namespace: str
    container: str
    programs: str = ''
    kubeflow: tuple[str, ...] = ()
    workload: str = ''
    labels: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    port: int | None = None
    declared: str = ''
    scheme: str = 'http'
    path: str = '/metrics'
    auth: str = ''
    service: Mapping[str, Any] = field(default_factory=dict)
    network: bool = False
    istio: str = ''
    needs: str = ''
    auto_conf: str = ''
    no_auto: str = ''

    @property
    def url(self) -> str:
        """The endpoint as a template of Autodiscovery writes it."""
        return f'{self.scheme}://%%host%%:{self.port or "<port>"}{self.path}'

    @property
    def instance(self) -> dict[str, Any]:
        """The options of the check for it."""
        options: dict[str, Any] = {'openmetrics_endpoint': self.url}
        if self.scheme == 'https':
            options['tls_verify'] = False
        if self.auth == 'token':
            options['auth_token'] = {
                'reader': {'type': 'file', 'path': TOKEN_PATH},
                'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
            }
        return options


def read(path: Path = TABLE) -> list[Endpoint]:
    """The rows, in the order of the file. Raises `TableError`."""
    return [_endpoint(number, row) for number, row in enumerate(yaml.safe_load(path.read_text()), 1)]


def of_release(kubeflow: str) -> list[Endpoint]:
    """The rows that a release of the distribution has."""
    return [endpoint for endpoint in read() if kubeflow in endpoint.kubeflow]


def _endpoint(number: int, row: Mapping[str, Any]) -> Endpoint:
    where = f'row {number} ({row.get("component", "without component")}) of {TABLE.name}'
    if unknown := sorted(set(row) - {each.name for each in fields(Endpoint)}):
        raise TableError(f'{where} has the unknown field {unknown[0]}')
    if missing := [name for name in ('component', 'namespace', 'container') if not row.get(name)]:
        raise TableError(f'{where} lacks the field {missing[0]}')
    if strange := sorted(set(row.get('kubeflow', ())) - set(KUBEFLOW)):
        raise TableError(f'{where} names Kubeflow {strange[0]}, which is none of {", ".join(KUBEFLOW)}')
    if bool(row.get('auto_conf')) == bool(row.get('no_auto')):
        raise TableError(f'{where} needs one of auto_conf and no_auto')
    lists = {name: tuple(row[name]) for name in ('kubeflow', 'images') if name in row}
    return Endpoint(**{**row, **lists})
