# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from types import SimpleNamespace

import pytest

from datadog_checks.kubeflow.catalogue import Source

from ..coverage import Row, coverage


def source(family, component, opt_in=None):
    return Source(component, {family: {}}, opt_in=opt_in, zero=('instead',))


def entry(name, *sources, documented='raw'):
    return SimpleNamespace(
        name=name,
        documented=documented,
        component_sources=sources,
        submitted_names=lambda: (f'kubeflow.{name}.bucket', f'kubeflow.{name}.count'),
    )


def execution(series=(), sampled=(), sources=None):
    sampler = SimpleNamespace(
        series=lambda: [{'metric': name} for name in series], submitted_names=lambda: {*series, *sampled}
    )
    return SimpleNamespace(sampler=sampler, reports=[SimpleNamespace(sources=sources or {})])


@pytest.fixture
def rows():
    def rows(entry, *executions):
        titles = {'a': 'Alpha', 'b': 'Beta'}
        catalogue = SimpleNamespace(
            metrics=[entry], components={key: SimpleNamespace(title=title) for key, title in titles.items()}
        )
        return coverage(catalogue, executions)

    return rows


def test_a_metric_comes_from_the_families_of_whoever_sent_it(rows):
    both = entry('m', source('alpha_seconds', 'a'), source('beta_seconds', 'b'))
    assert rows(
        both,
        execution(['kubeflow.m.count', 'kubeflow.m.bucket'], sources={'m': ('alpha_seconds',)}),
        execution(['kubeflow.m.count'], sources={'m': ('beta_seconds',)}),
        execution(),
    ) == [
        Row('kubeflow.m.bucket', True, 'alpha_seconds of Alpha'),
        Row('kubeflow.m.count', True, 'alpha_seconds of Alpha; beta_seconds of Beta'),
    ]


def test_a_family_that_stands_for_zeros_is_a_component_s_too(rows):
    came = rows(entry('m', source('alpha', 'a')), execution(['kubeflow.m.count'], sources={'m': ('instead',)}))
    assert Row('kubeflow.m.count', True, 'instead of Alpha') in came


def test_the_documented_raw_name_has_no_component(rows):
    came = rows(entry('m'), execution(['kubeflow.m.count'], sources={'m': ('raw',)}))
    assert came[1] == Row('kubeflow.m.count', True, 'raw')


def test_a_metric_beyond_the_documented_ones_has_no_row(rows):
    assert rows(entry('m', source('x', 'a'), documented=None), execution()) == []


@pytest.mark.parametrize(
    'sources, ran, reason',
    [
        ([], execution(), 'no release of any component exposes it'),
        ([source('x', 'a', 'set y'), source('z', 'b', 'set y')], execution(), 'opt-in: set y'),
        (
            [source('x', 'a', 'set y'), source('z', 'b'), source('w', 'a')],
            execution(),
            'not in these payloads; comes from x, w of Alpha; z of Beta',
        ),
        (
            [source('x', 'a')],
            execution(sampled=['kubeflow.m.count', 'kubeflow.m.bucket'], sources={'m': ('x',)}),
            'sampled once; a count is the difference of two runs',
        ),
        ([source('x', 'a')], execution(sources={'m': ('x',)}), 'left out by the instance options; x is there'),
    ],
)
def test_why_not(rows, sources, ran, reason):
    assert [row.text for row in rows(entry('m', *sources), ran)] == [reason, reason]
