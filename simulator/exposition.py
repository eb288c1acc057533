# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Prometheus text exposition 0.0.4 with exactly the names a component writes.

The writer of prometheus_client ends every counter in `_total`; many Kubeflow counters have no such suffix.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import Counter, Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString


@dataclass(frozen=True)
class Dialect:
    """How a client library lays out the format.

    `whole_numbers`: 5 and `le="1"` are written without `.0`. `creation`: counters, histograms and summaries are
    followed by a `_created` gauge family. `empty_families`: a family without samples still has its HELP and TYPE.
    `by_name`: families are sorted.
    """

    content_type: str
    whole_numbers: bool
    creation: bool
    empty_families: bool
    by_name: bool


# client_golang: controllers, queue-proxy, Argo, the Pipelines API server.
GO = Dialect('text/plain; version=0.0.4; charset=utf-8; escaping=underscores', True, False, False, True)
# prometheus_client: KServe's model server.
PYTHON = Dialect('text/plain; version=0.0.4; charset=utf-8', False, True, True, False)


class RawCounter(Counter):
    """A counter whose exposed name is the given one, with or without `_total`."""

    def __init__(self, name: str, *args, **kwargs):
        self._raw_name = name
        super().__init__(name, *args, **kwargs)

    def collect(self) -> Iterable[Metric]:
        for family in super().collect():
            raw = Metric(self._raw_name, family.documentation, 'counter')
            for sample in family.samples:
                raw.samples.append(sample._replace(name=self._raw_name) if _is_value(sample) else sample)
            yield raw


def write(families: Iterable[Metric], dialect: Dialect) -> str:
    """The payload of these families, in the given dialect."""
    if dialect.by_name:
        families = sorted(families, key=lambda family: family.name)
    lines: list[str] = []
    for family in families:
        values = [sample for sample in family.samples if _is_value(sample)]
        # prometheus_client's own collectors name a counter family without the `_total` its samples have.
        name = values[0].name if values and family.type == 'counter' else family.name
        if values or dialect.empty_families:
            lines += _family(name, family.type, family.documentation, values, dialect)
        created = [sample for sample in family.samples if not _is_value(sample)]
        if created and dialect.creation:
            lines += _family(created[0].name, 'gauge', family.documentation, created, dialect)
    return '\n'.join(lines) + '\n' if lines else ''


def _is_value(sample: Sample) -> bool:
    return not sample.name.endswith('_created')


def _family(name: str, kind: str, documentation: str, samples: list[Sample], dialect: Dialect) -> list[str]:
    text = documentation.replace('\\', r'\\').replace('\n', r'\n')
    return [f'# HELP {name} {text}', f'# TYPE {name} {kind}', *(_line(sample, dialect) for sample in samples)]


def _line(sample: Sample, dialect: Dialect) -> str:
    labels = {key: _bound(value, dialect) if key == 'le' else value for key, value in sample.labels.items()}
    # client_golang writes the bucket bound last, prometheus_client sorts it in.
    ordered = sorted(labels, key=lambda key: (dialect.whole_numbers and key == 'le', key))
    text = ','.join(f'{key}="{_escape(labels[key])}"' for key in ordered)
    series = f'{sample.name}{{{text}}}' if text else sample.name
    return f'{series} {_number(sample.value, dialect)}'


def _bound(value: str, dialect: Dialect) -> str:
    return value.removesuffix('.0') if dialect.whole_numbers else value


def _number(value: float, dialect: Dialect) -> str:
    text = floatToGoString(value)
    return text.removesuffix('.0') if dialect.whole_numbers else text


def _escape(value: str) -> str:
    return value.replace('\\', r'\\').replace('\n', r'\n').replace('"', r'\"')
