# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric

from ..exposition import GO, PYTHON, QPEXT, RawCounter, dated, undated, write


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.mark.parametrize('name', ['run_server_create_requests', 'notebook_create_total'])
def test_a_counter_keeps_the_name_it_is_given(registry, name):
    RawCounter(name, 'Text', ['a'], registry=registry).labels('1').inc(3)
    text = write(undated(registry.collect()), GO)
    assert text == f'# HELP {name} Text\n# TYPE {name} counter\n{name}{{a="1"}} 3\n'


def test_numbers_and_bounds_of_go(registry):
    Histogram('h', 'Text', ['z'], buckets=(1e-08, 0.5, 1, 100000), registry=registry).labels('x').observe(1)
    lines = write(undated(registry.collect()), GO).splitlines()
    assert lines[2:] == [
        'h_bucket{z="x",le="1e-08"} 0',
        'h_bucket{z="x",le="0.5"} 0',
        'h_bucket{z="x",le="1"} 1',
        'h_bucket{z="x",le="100000"} 1',
        'h_bucket{z="x",le="+Inf"} 1',
        'h_sum{z="x"} 1',
        'h_count{z="x"} 1',
    ]


def test_numbers_and_bounds_of_python(registry):
    Histogram('h', 'Text', ['z'], buckets=(0.5, 1), registry=registry).labels('x').observe(1)
    lines = write(dated(registry.collect(), 1.5e9), PYTHON).splitlines()
    assert lines[2:] == [
        'h_bucket{le="0.5",z="x"} 0.0',
        'h_bucket{le="1.0",z="x"} 1.0',
        'h_bucket{le="+Inf",z="x"} 1.0',
        'h_count{z="x"} 1.0',
        'h_sum{z="x"} 1.0',
        '# HELP h_created Text',
        '# TYPE h_created gauge',
        'h_created{z="x"} 1.5e+09',
    ]


def test_qpext_keeps_the_order_of_labels_and_families():
    second, first = Metric('b', 'Text', 'gauge'), Metric('a', 'Text', 'gauge')
    second.add_sample('b', {'z': '1', 'a': '2'}, 1)
    first.add_sample('a', {}, 2)
    text = write([second, first, Metric('empty', 'Text', 'gauge')], QPEXT)
    assert [line for line in text.splitlines() if line[0] != '#'] == ['b{z="1",a="2"} 1', 'a 2']


def test_order_of_go():
    family = Metric('b', 'Text', 'gauge')
    for labels in ({'a': '2', 'z': '1'}, {'z': '3'}, {'a': '1', 'z': '2'}):
        family.add_sample('b', labels, 1)
    first = Metric('a', 'Text', 'gauge')
    first.add_sample('a', {}, 1)
    text = write([family, first], GO)
    assert [line for line in text.splitlines() if line[0] != '#'] == [
        'a 1',
        'b{z="3"} 1',
        'b{a="1",z="2"} 1',
        'b{a="2",z="1"} 1',
    ]


def test_quantiles_stay_in_their_order():
    family = Metric('s', 'Text', 'summary')
    for quantile in ('0', '0.25', '1'):
        family.add_sample('s', {'quantile': quantile, 'z': 'x'}, 1)
    family.add_sample('s_count', {'z': 'x'}, 1)
    family.add_sample('s_sum', {'z': 'x'}, 2)
    assert write([family], GO).splitlines()[2:] == [
        's{z="x",quantile="0"} 1',
        's{z="x",quantile="0.25"} 1',
        's{z="x",quantile="1"} 1',
        's_sum{z="x"} 2',
        's_count{z="x"} 1',
    ]


def test_empty_families(registry):
    RawCounter('c_total', 'Text', ['a'], registry=registry)
    assert write(undated(registry.collect()), GO) == ''
    assert write(dated(registry.collect(), 0), PYTHON) == '# HELP c_total Text\n# TYPE c_total counter\n'


def test_escapes(registry):
    Gauge('g', 'back\\slash\nline', ['a'], registry=registry).labels('"\\\n').set(2.5)
    text = write(registry.collect(), GO)
    assert text == '# HELP g back\\\\slash\\nline\n# TYPE g gauge\ng{a="\\"\\\\\\n"} 2.5\n'


def test_large_numbers(registry):
    Gauge('g', 'Text', registry=registry).set(61_000_000)
    assert write(registry.collect(), GO).endswith('g 6.1e+07\n')
