# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The verdict on a family by its name, and what may be dropped unseen below its header."""

import pytest

from datadog_checks.kubeflow import wanted as module
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.wanted import Verdict, Wanted

SAMPLES, NAME, NOTHING = Verdict.SAMPLES, Verdict.NAME, Verdict.NOTHING


def wanted(*names, **options):
    return Wanted(load_catalogue(), names, **options)


@pytest.mark.parametrize(
    'name, verdict',
    [
        ('depth', SAMPLES),
        # An untyped family's parts are families of their own, and each is called as a part of it may be.
        *((f'depth_{part}', SAMPLES) for part in ('bucket', 'count', 'sum', 'total')),
        ('depth_created', NOTHING),
        ('depth_', NOTHING),
        ('dept', NOTHING),
        ('xdepth', NOTHING),
        ('depth_total_total', NOTHING),
        # OpenMetrics leaves the suffix off in the header.
        ('adds_total', SAMPLES),
        ('adds', SAMPLES),
        ('adds_bucket', NOTHING),
        # Of Katib's alone, whatever it is.
        ('katib_', NAME),
        ('katib_something', NAME),
        # As a counter it is `katib_total`.
        ('katib', NAME),
        ('kati', NOTHING),
        # Argo's by the whole name, and as a counter or a part too.
        ('argo_pod_missing', NAME),
        ('argo_pod_missing_total', NAME),
        ('argo_pod_missing_x', NOTHING),
        ('', NOTHING),
    ],
)
def test_a_family_is_wanted_under_every_name_it_may_have(name, verdict):
    assert wanted('depth', 'adds_total')(name) is verdict


@pytest.mark.parametrize(
    'name, verdict',
    [
        ('foo_x', SAMPLES),
        ('x_foo', NOTHING),
        # The parser calls the counter `x_foo`, and a header of OpenMetrics lacks the suffix.
        ('bar_total', SAMPLES),
        ('bar', SAMPLES),
        ('bar_x_total', NOTHING),
        ('katib_x', NAME),
    ],
)
def test_a_pattern_is_asked_of_every_name_the_parser_may_give(name, verdict):
    assert wanted('depth', search=lambda name: name.startswith('foo') or name == 'bar_total')(name) is verdict


@pytest.mark.parametrize(
    'name, verdict',
    [
        ('depth', NOTHING),
        # Whether it is parsed as `depth` depends on its type.
        ('depth_total', SAMPLES),
        ('adds', NOTHING),
        ('adds_total', NOTHING),
        ('katib_x', NOTHING),
        ('katib_y', NAME),
        ('kept', SAMPLES),
    ],
)
def test_what_is_excluded_is_not_wanted_unless_another_type_would_save_it(name, verdict):
    excluded = {'depth', 'adds', 'adds_total', 'katib_x'}.__contains__
    assert wanted('depth', 'adds', 'kept', excluded=excluded)(name) is verdict


def test_a_prefix_is_taken_off_before_anything_is_asked():
    asked = []
    verdict = wanted(
        'depth', search=lambda name: bool(asked.append(name)), excluded={'off'}.__contains__, prefix='pre_'
    )
    assert [verdict(name) for name in ('pre_depth', 'depth', 'pre_pre_depth', 'pre_katib_x', 'pre_off')] == [
        SAMPLES,
        SAMPLES,
        NOTHING,
        NAME,
        NOTHING,
    ]
    assert set(asked) == {'pre_depth', 'pre_depth_total', 'katib_x', 'katib_x_total'}


def test_a_family_tells_its_name_the_verdict_and_how_its_lines_begin():
    assert wanted('depth').family(b'other')[:3] == ('other', NOTHING, b'\nother')
    assert wanted('depth').family(b'depth')[:3] == ('depth', SAMPLES, None)
    assert wanted('depth').family(b'katib_x')[:3] == ('katib_x', NAME, None)
    assert wanted('depth').family('caf\u00e9'.encode())[:3] == ('caf\u00e9', NOTHING, b'\ncaf\xc3\xa9')
    assert wanted('depth').family(b'caf\xe9')[:3] == ('caf\ufffd', NOTHING, b'\ncaf\xe9')


def test_a_header_without_a_name_is_for_the_parser_to_judge():
    assert wanted('depth').family(b'')[:3] == ('', SAMPLES, None)


@pytest.mark.parametrize(
    'name',
    [
        'd',
        'dep',
        'depth_tot',
        'adds_bu',
        'p',
        'pre',
        'pre_',
        'pre_dep',
        'pre_adds_s',
        'kat',
        'pre_kati',
        'argo_pod_missing_b',
    ],
)
def test_nothing_is_dropped_by_a_beginning_that_something_wanted_shares(name):
    assert wanted('depth', 'adds', prefix='pre_').family(name.encode())[:3] == (name, NOTHING, None)


@pytest.mark.parametrize('name', ['dd', 'depti', 'depth_c0', 'zzzz', 'pre_depti', 'A'])
def test_lines_may_be_dropped_by_a_beginning_that_nothing_wanted_has(name):
    assert wanted('depth', 'adds', prefix='pre_').family(name.encode())[:3] == (name, NOTHING, f'\n{name}'.encode())


def test_a_pattern_may_find_any_name_so_none_is_dropped_by_its_beginning():
    assert wanted('depth', search=lambda name: False).family(b'zzzz')[:3] == ('zzzz', NOTHING, None)


def test_each_name_is_judged_once_until_too_many_are_remembered(monkeypatch):
    asked = []
    verdict = wanted(search=lambda name: name.endswith('_total') and bool(asked.append(name)))
    monkeypatch.setattr(module, 'REMEMBERED_NAMES', 3)
    for name in ('a', 'b', 'a', 'c', 'a', 'd', 'a', 'd'):
        assert verdict(name) is NOTHING
    assert asked == ['a_total', 'b_total', 'c_total', 'd_total', 'a_total']
    asked.clear()
    families = [verdict.family(name) for name in (b'e', b'e', b'f', b'g', b'h', b'e')]
    assert [family.name for family in families] == ['e', 'e', 'f', 'g', 'h', 'e']
    assert families[0] is families[1] and families[0] is not families[5]


def test_a_long_name_is_not_remembered():
    asked = []
    verdict = wanted(search=lambda name: bool(asked.append(len(name))))
    for name in ('n' * 4096, 'n' * 4096, 'm' * 5000, 'm' * 5000):
        assert verdict.family(name.encode()).name == name
    assert [asked.count(length) for length in (4096, 5000)] == [1, 2]


def test_families_whose_names_begin_alike_share_a_beginning_once_they_are_many():
    verdict = wanted('depth')
    families = [verdict.family(f'rt_{number}'.encode()) for number in range(9)]
    assert [family.beginning for family in families] == [f'\nrt_{number}'.encode() for number in range(7)] + [
        b'\nrt_'
    ] * 2
    assert [family.run is not None for family in families] == [False] * 7 + [True] * 2
    text = b'\n# HELP rt_1 a\n# TYPE rt_1 gauge\nrt_1{a="#"} 1\n# TYPE rt_2 gauge\n# TYPE rtx gauge\n'
    assert families[-1].run.match(text)[0] == text.partition(b'\n# TYPE rtx')[0]


@pytest.mark.parametrize('name', ['dep_%d', 'p_%d', 'plain%d', 'x' * 100 + '_%d'])
def test_they_do_not_where_something_wanted_begins_so_or_there_is_no_first_word(name):
    verdict = wanted('dep_th', 'p_', prefix='p')
    families = [verdict.family((name % number).encode()) for number in range(20)]
    assert not any(family.run for family in families)


def test_sizes_of_groups_are_bounded(monkeypatch):
    monkeypatch.setattr(module, 'REMEMBERED_NAMES', 3)
    verdict = wanted('depth')
    for number in range(20):
        verdict.family(f'g{number}_x'.encode())
    assert len(verdict._group_sizes) <= 3
