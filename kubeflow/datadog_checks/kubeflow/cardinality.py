# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to tell about a family that has too many samples: which label makes them so many, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

from .diagnosis import shown

EXEMPLAR = ' # {'


def too_many_samples(endpoint: str, family: str, samples: int, limit: int, first: Sequence[str]) -> str:
    """What to tell about `family`, of which `endpoint` exposes more samples than `limit`, `samples` of them.

    `first` are lines of samples it begins with, in the text format or in OpenMetrics; those that cannot be read are
    passed over. `endpoint` is shown as it is given, names as they may be shown. Values of labels
    are not shown: where there are too many of them they are ids of users, paths or addresses more often than not.
    """
    return (
        f'{endpoint} exposes {samples} samples of the family {shown(family)}, which is left out of this run: '
        f'the option `max_samples_per_family` allows {limit}. {_blamed(list(_labels(first)))} '
        'What to do: have the component drop the label or bound its values; name the family in `exclude_metrics` if '
        'you can do without it; raise `max_samples_per_family` if so many are meant.'
    )


def _blamed(labels: Sequence[Mapping[str, str]]) -> str:
    values: dict[str, set[str]] = {}
    for each in labels:
        for label, value in each.items():
            values.setdefault(label, set()).add(value)
    if not values:
        return 'Its samples have no label that could be read.'
    label, distinct = max(values.items(), key=lambda item: len(item[1]))
    return f'The label `{shown(label)}` has the most values: {len(distinct)} in the {len(labels)} samples looked at.'


def _labels(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    for line in lines:
        try:
            # OpenMetrics has examples with labels of their own at the end of a line, which the other format has not.
            for metric in text_string_to_metric_families(line.partition(EXEMPLAR)[0]):
                for sample in metric.samples:
                    yield sample.labels
        except ValueError:
            continue
