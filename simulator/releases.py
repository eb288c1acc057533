# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which components, in which releases, a Kubeflow release consists of: `releases.yaml` as objects."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import components
from .components.component import Component

_MATRIX: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix('.yaml').read_text(encoding='utf-8'))

RELEASES: tuple[str, ...] = tuple(_MATRIX['releases'])


class UnknownRelease(ValueError):
    """There is no such Kubeflow release in the matrix."""


@dataclass(frozen=True)
class Deployment:
    """A component as it is installed. `name` is unique among the deployments of one call.

    `door` is what a scraper meets: `http`, `https` (a self-signed certificate) or `token` (that and a bearer token).
    `note` says what an operator has to do or to know for this endpoint to exist.
    """

    name: str
    component: type[Component]
    release: str
    door: str
    note: str = ''


def deployments(kubeflow: str | None) -> tuple[Deployment, ...]:
    """The components of that Kubeflow release; for None every component in each of the forms it has.

    Raises `UnknownRelease`.
    """
    if kubeflow is not None and kubeflow not in RELEASES:
        raise UnknownRelease(f'Kubeflow {kubeflow!r} is not simulated: the releases are {", ".join(RELEASES)}')
    entries = _MATRIX['variants'] if kubeflow is None else _MATRIX['releases'][kubeflow]
    return tuple(_deployment(name, entry) for name, entry in entries.items())


def _deployment(name: str, entry: str | dict[str, str]) -> Deployment:
    own = {'release': entry} if isinstance(entry, str) else entry
    known = {'door': 'http', 'note': '', **_MATRIX['programs'][own.get('program', name)], **own}
    return Deployment(name, getattr(components, known['class']), known['release'], known['door'], known['note'])
