# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Tags are made once for a family that comes again with other values, and are those that would be made anew."""

from math import inf, nan

import pytest
from prometheus_client.samples import Sample

from datadog_checks.kubeflow.catalogue import Entry
from datadog_checks.kubeflow.children import Child
from datadog_checks.kubeflow.relabel import Family
from datadog_checks.kubeflow.tagging import tagged


class Tagger:
    """Tags as the base check does: without what is no number, and with the bound of a bucket under another name."""

    def __init__(self):
        self.asked = 0

    def __call__(self, metric):
        self.asked += 1
        for sample in metric.samples:
            if sample.value - sample.value:
                continue
            labels = dict(sample.labels)
            if 'le' in labels:
                labels['upper_bound'] = labels.pop('le')
            tags = [f'{label}:{value}' for label, value in labels.items()]
            yield sample._replace(labels=labels), tags, labels.get('host', '')


def family(kind, *children):
    parts = {'histogram': ('bucket', 'count', 'sum'), 'summary': ('quantile', 'count', 'sum')}.get(kind, ('value',))
    return Family('kubeflow:x', Entry('x', kind, 'd', (), parts=parts), list(children))


def rows(given):
    return [
        (sample.name, sample.value, sample.labels.get('upper_bound'), list(tags), host) for sample, tags, host in given
    ]


def test_a_family_that_is_new_is_tagged_as_ever():
    gauge, tagger = family('gauge', Child({'a': '1'}, value=2.0)), Tagger()
    assert list(tagged(gauge, tagger)) == [(Sample('kubeflow:x', {'a': '1'}, 2.0), ['a:1'], '')]
    assert gauge.tagged is None


@pytest.mark.parametrize(
    'kind, parts, others',
    [
        ('gauge', {'value': 1.0}, {'value': 2.0}),
        ('counter', {'value': 1.0}, {'value': nan}),
        ('gauge', {'value': inf}, {'value': -inf}),
        (
            'histogram',
            {'sum': 1.0, 'count': 2.0, 'buckets': {'1': 1.0, 'inf': 2.0}},
            {'sum': nan, 'count': 4.0, 'buckets': {'1': 3.0, 'inf': 4.0}},
        ),
        ('histogram', {'count': 2.0, 'buckets': {'inf': 2.0}}, {'count': 4.0, 'buckets': {'inf': nan}}),
        (
            'summary',
            {'sum': 1.0, 'count': 2.0, 'quantiles': {'0.5': 1.0, '1': nan}},
            {'sum': 2.0, 'count': 3.0, 'quantiles': {'0.5': nan, '1': 4.0}},
        ),
    ],
)
def test_other_values_are_given_with_the_tags_they_had(kind, parts, others):
    children = [Child({'a': '1', 'host': 'h'}, **parts), Child({'a': '2'}, **parts)]
    known, tagger = family(kind, *children), Tagger()
    list(tagged(known, tagger))
    for number, changed in enumerate((others, parts, others)):
        for child in children:
            for part, value in changed.items():
                setattr(child, part, value)
        known.refresh()
        assert rows(tagged(known, tagger)) == rows(Tagger()(family(kind, *children))), number
    # Once when it was new, and once when it came again.
    assert tagger.asked == 2


def test_a_family_that_has_become_longer_is_tagged_anew():
    child = Child({}, count=1.0, buckets={'1': 1.0})
    known, tagger = family('histogram', child), Tagger()
    for buckets in ({'1': 2.0}, {'1': 2.0, 'inf': 3.0}, {'inf': 4.0}):
        child.buckets = buckets
        known.refresh()
        assert rows(tagged(known, tagger)) == rows(Tagger()(family('histogram', child)))


def test_what_is_given_is_not_what_is_remembered():
    known, tagger = family('gauge', Child({'a': '1'}, value=2.0)), Tagger()
    known.refresh()
    ((sample, tags, _),) = tagged(known, tagger)
    with pytest.raises(TypeError):
        sample.labels['b'] = '2'
    assert isinstance(tags, tuple)


def test_what_many_families_have_in_common_is_kept_once():
    families = [family('histogram', Child({'a': f'{number}'[:1]}, buckets={'1': 1.0})) for number in (10, 11)]
    for each in families:
        each.refresh()
        list(tagged(each, Tagger()))
    (row,), (other,) = (each.tagged for each in families)
    assert row.name is other.name and row.labels is other.labels and row.tags[0] is other.tags[0]
