# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which rows of `metadata.csv` arrive from `upstream`, and which do not: `exceptions.yaml` as objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from .plan import HERE


@dataclass(frozen=True)
class Exceptions:
    """Metrics with the reason why they do not arrive (`absent`) or need not (`unsure`), by name."""

    absent: Mapping[str, str]
    unsure: Mapping[str, str]

    def expected(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that must arrive."""
        return set(names) - self.absent.keys() - self.unsure.keys()


class BadExceptions(Exception):
    """The list says what cannot be; the message names the pattern or the metric."""


def exceptions(names: Iterable[str], version: str, entries: Any = None) -> Exceptions:
    """The exceptions among `names` for one Kubeflow release.

    `entries` is the content of `exceptions.yaml`, read where it is not given. Raises `BadExceptions` where a pattern
    matches no name or a metric has two reasons.
    """
    if entries is None:
        entries = yaml.safe_load((HERE / 'exceptions.yaml').read_text(encoding='utf-8'))
    names = sorted(names)
    found: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for entry in entries:
        applies = version in entry.get('releases', (version,))
        for pattern in entry['metrics']:
            matched = [name for name in names if fnmatchcase(name, pattern)]
            if not matched:
                raise BadExceptions(f'exceptions.yaml: {pattern} is the name of no metric')
            for name in matched if applies else ():
                if name in found[True] or name in found[False]:
                    raise BadExceptions(f'exceptions.yaml: {name} has two reasons in {version}')
                found[entry.get('sometimes', False)][name] = entry['reason']
    return Exceptions(absent=found[False], unsure=found[True])


def differences(arrived: Iterable[str], names: Iterable[str], known: Exceptions) -> list[str]:
    """What is wrong with the metrics that arrived, one sentence each; names are those of `metadata.csv`."""
    arrived, names = set(arrived), set(names)
    return [
        *(f'{name} did not arrive and has no exception' for name in sorted(known.expected(names) - arrived)),
        *(f'{name} arrived and has no row in metadata.csv' for name in sorted(arrived - names)),
        *(
            f'{name} arrived although it was not to: {known.absent[name]}'
            for name in sorted(arrived & known.absent.keys())
        ),
    ]
