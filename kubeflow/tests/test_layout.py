# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The layout of a family: its children take the values of its lines, as they come."""

from math import isnan, nan

import pytest
from prometheus_client import Metric
from prometheus_client.samples import Sample

from datadog_checks.kubeflow.children import Child, Place
from datadog_checks.kubeflow.layout import KnownFamily, Layout


@pytest.fixture
def children():
    return Child({'a': '1'}), Child({'a': '2'})


def values(child):
    return child.value, child.sum, child.count, dict(child.buckets), dict(child.quantiles)


def test_values_go_to_their_places(children):
    one, two = children
    layout = Layout()
    layout.arrange(
        [
            Place(one, 'value', ''),
            None,
            Place(two, 'bucket', '0.5'),
            Place(two, 'bucket', 'inf'),
            Place(two, 'quantile', '0.9'),
            Place(two, 'sum', ''),
            Place(two, 'count', ''),
        ]
    )
    layout.fill([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    assert values(one) == (1.0, None, None, {}, {})
    assert values(two) == (None, 6.0, 7.0, {'0.5': 3.0, 'inf': 4.0}, {'0.9': 5.0})
    assert layout.children == [one, two]
    layout.fill([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    assert values(one) == (10.0, None, None, {}, {})
    assert values(two) == (None, 60.0, 70.0, {'0.5': 30.0, 'inf': 40.0}, {'0.9': 50.0})


def test_another_order_is_another_version_without_what_went(children):
    one, two = children
    layout = Layout()
    order = [Place(one, 'sum', ''), Place(one, 'bucket', '1.0'), Place(two, 'count', '')]
    layout.arrange(order)
    layout.fill([1.0, 2.0, 3.0])
    known = layout.children
    layout.arrange(list(order))
    assert layout.version == 1 and layout.children is known

    layout.arrange([Place(two, 'count', ''), Place(one, 'count', '')])
    layout.fill([4.0, 5.0])
    assert (layout.version, layout.children) == (2, [two, one])
    layout.arrange([Place(one, 'count', ''), Place(two, 'count', '')])
    assert (layout.version, layout.children) == (3, [one, two])
    layout.fill([5.0, 4.0])
    # What was made of the order before still has its own.
    assert known == [one, two]
    assert values(one) == (None, None, 5.0, {}, {}) and values(two) == (None, None, 4.0, {}, {})


def test_of_a_line_that_comes_twice_the_last_value_stays(children):
    one, _ = children
    layout = Layout()
    layout.arrange([Place(one, 'value', ''), Place(one, 'value', '')])
    layout.fill([1.0, 2.0])
    assert (one.value, layout.children) == (2.0, [one])


def test_not_a_number_is_a_value(children):
    one, _ = children
    layout = Layout()
    layout.arrange([Place(one, 'value', '')])
    layout.fill([nan])
    assert isnan(one.value)


def test_a_layout_has_as_many_values_as_lines(children):
    layout = Layout()
    layout.arrange([Place(children[0], 'value', '')])
    with pytest.raises(ValueError):
        layout.fill([1.0, 2.0])


def test_layouts_are_told_apart_however_alike():
    assert Layout() != Layout()


def known_family(parsed):
    def parse():
        parsed.append(1)
        metric = Metric('depth', 'Help.', 'gauge')
        metric.samples = [Sample('depth', {}, 3.0)]
        return metric

    return KnownFamily(Layout('depth', 'gauge'), [3.0], parse)


def test_a_known_family_parses_its_samples_once_and_only_on_demand():
    parsed = []
    family = known_family(parsed)
    assert (family.name, family.type, family.documentation, family.unit) == ('depth', 'gauge', '', '')
    assert (family.values, parsed) == ([3.0], [])
    assert family.samples is family.samples
    assert (family.samples, parsed) == ([Sample('depth', {}, 3.0)], [1])
    assert family.layout is not None


def test_a_family_whose_samples_are_replaced_is_known_no_more():
    parsed = []
    family = known_family(parsed)
    family.samples = [Sample('depth', {}, 4.0)]
    assert (family.samples, family.layout, parsed) == ([Sample('depth', {}, 4.0)], None, [])
