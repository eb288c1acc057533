# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Prometheus text exposition 0.0.4 with exactly the names a component writes.

The writer of prometheus_client ends every counter in `_total`; many Kubeflow counters have no such suffix.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import Counter, Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString


@dataclass(frozen=True)
class Dialect:
    """How a client library lays out the format.

    `whole_numbers`: 5 and `le="1"` are written without `.0`, and a sum comes before its count. `creation`: counters,
    histograms and summaries are followed by a `_created` gauge family. `empty_families`: a family without samples still
    has its HELP and TYPE. `sorted_families`: families and their series are sorted, `sorted_labels`: so are labels.
    `compressible`: the program sends it with gzip to who accepts that.
    """

    content_type: str
    whole_numbers: bool
    creation: bool
    empty_families: bool
    sorted_families: bool
    sorted_labels: bool
    compressible: bool


# client_golang: controllers, queue-proxy, Argo, the Pipelines API server.
GO = Dialect('text/plain; version=0.0.4; charset=utf-8; escaping=underscores', True, False, False, True, True, True)
# prometheus_client: KServe's model server, MLServer.
PYTHON = Dialect('text/plain; version=0.0.4; charset=utf-8', False, True, True, False, True, False)
# KServe's qpext: the head of its answer, and what it makes of the exposition it reads from a model server.
QPEXT = Dialect('text/plain; version=0.0.4; charset=utf-8', True, True, False, False, False, False)

# Labels that are part of one series of a histogram or summary and not of what tells its series apart.
INNER_LABELS = ('le', 'quantile')


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


def dated(families: Iterable[Metric], created: float) -> Iterator[Metric]:
    """Make `_created` samples a family of their own with the value `created` (Unix seconds).

    prometheus_client takes the time from the clock of the machine, of which a simulated world is independent.
    """
    for family, dates in _split(families):
        yield family
        if dates:
            yield _with_samples(dates[0].name, 'gauge', family, [date._replace(value=created) for date in dates])


def undated(families: Iterable[Metric]) -> Iterator[Metric]:
    """Drop `_created` samples, which client_golang does not write."""
    for family, _ in _split(families):
        yield family


def _split(families: Iterable[Metric]) -> Iterator[tuple[Metric, list[Sample]]]:
    for family in families:
        values = [sample for sample in family.samples if _is_value(sample)]
        dates = [sample for sample in family.samples if not _is_value(sample)]
        yield _with_samples(family.name, family.type, family, values), dates


def _is_value(sample: Sample) -> bool:
    return not sample.name.endswith('_created')


def _with_samples(name: str, kind: str, like: Metric, samples: list[Sample]) -> Metric:
    family = Metric(name, like.documentation, kind)
    family.samples = samples
    return family


def write(families: Iterable[Metric], dialect: Dialect) -> str:
    """The payload of these families, in the given dialect."""
    if dialect.sorted_families:
        families = sorted(families, key=lambda family: family.name)
    lines: list[str] = []
    for family in families:
        if family.samples or dialect.empty_families:
            text = family.documentation.replace('\\', r'\\').replace('\n', r'\n')
            lines += f'# HELP {family.name} {text}', f'# TYPE {family.name} {family.type}'
            lines += (_line(sample, dialect) for sample in _ordered(family, dialect))
    return '\n'.join(lines) + '\n' if lines else ''


def _ordered(family: Metric, dialect: Dialect) -> list[Sample]:
    samples = family.samples
    if dialect.sorted_families:
        samples = sorted(samples, key=_series)
    if dialect.whole_numbers and family.type in ('histogram', 'summary'):
        samples = list(samples)
        for index, sample in enumerate(samples[:-1]):
            if sample.name.endswith('_count') and samples[index + 1].name.endswith('_sum'):
                samples[index : index + 2] = samples[index + 1], sample
    return samples


def _series(sample: Sample) -> tuple[int, list[str]]:
    """The order of series in client_golang: those with fewer labels first, then by the values of their labels."""
    values = [value for key, value in sorted(sample.labels.items()) if key not in INNER_LABELS]
    return len(values), values


def _line(sample: Sample, dialect: Dialect) -> str:
    labels = sample.labels
    if not labels:
        return f'{sample.name} {_number(sample.value, dialect)}'
    keys = sorted(labels) if dialect.sorted_labels else list(labels)
    if dialect.whole_numbers:
        # prometheus_client sorts the bucket bound in, the others write it last.
        keys.sort(key=lambda key: key in INNER_LABELS)
    text = ','.join(f'{key}="{_bound(labels[key], dialect) if key == "le" else _escape(labels[key])}"' for key in keys)
    return f'{sample.name}{{{text}}} {_number(sample.value, dialect)}'


def _bound(value: str, dialect: Dialect) -> str:
    return value.removesuffix('.0') if dialect.whole_numbers else value


def _number(value: float, dialect: Dialect) -> str:
    text = floatToGoString(value)
    return text.removesuffix('.0') if dialect.whole_numbers else text


def _escape(value: str) -> str:
    return value.replace('\\', r'\\').replace('\n', r'\n').replace('"', r'\"')
