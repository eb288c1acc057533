# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram

from ..exposition import GO, PYTHON, RawCounter, write


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.mark.parametrize('name', ['run_server_create_requests', 'notebook_create_total'])
def test_a_counter_keeps_the_name_it_is_given(registry, name):
    RawCounter(name, 'Text', ['a'], registry=registry).labels('1').inc(3)
    assert write(registry.collect(), GO) == f'# HELP {name} Text\n# TYPE {name} counter\n{name}{{a="1"}} 3\n'


def test_numbers_and_bounds_of_go(registry):
    Histogram('h', 'Text', ['z'], buckets=(1e-08, 0.5, 1, 100000), registry=registry).labels('x').observe(1)
    text = write(registry.collect(), GO)
    bounds = [line.split('le="')[1].split('"')[0] for line in text.splitlines() if '_bucket' in line]
    assert bounds == ['1e-08', '0.5', '1', '100000', '+Inf']
    assert 'h_bucket{z="x",le="1"} 1\n' in text
    assert '_created' not in text


def test_numbers_and_bounds_of_python(registry):
    Histogram('h', 'Text', ['z'], buckets=(0.5, 1), registry=registry).labels('x').observe(1)
    text = write(registry.collect(), PYTHON)
    assert 'h_bucket{le="1.0",z="x"} 1.0\n' in text
    assert '# TYPE h_created gauge\nh_created{z="x"} ' in text


def test_empty_families(registry):
    RawCounter('c_total', 'Text', ['a'], registry=registry)
    assert write(registry.collect(), GO) == ''
    assert write(registry.collect(), PYTHON) == '# HELP c_total Text\n# TYPE c_total counter\n'


def test_escapes(registry):
    Gauge('g', 'back\\slash\nline', ['a'], registry=registry).labels('"\\\n').set(2.5)
    text = write(registry.collect(), GO)
    assert text == '# HELP g back\\\\slash\\nline\n# TYPE g gauge\ng{a="\\"\\\\\\n"} 2.5\n'


def test_large_numbers(registry):
    Gauge('g', 'Text', registry=registry).set(61_000_000)
    assert write(registry.collect(), GO).endswith('g 6.1e+07\n')
