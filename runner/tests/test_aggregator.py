# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..aggregator import Aggregator, CheckSampler

TAGS = ['b:2', 'a:1']


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def sampler(now):
    return CheckSampler('here', clock=lambda: now[0])


@pytest.fixture
def aggregator(sampler):
    aggregator = Aggregator()
    aggregator.open('id', sampler)
    return aggregator


@pytest.fixture
def submit(aggregator):
    def submit(kind, value, tags=TAGS, hostname='', flush_first_value=False, name='m'):
        aggregator.submit_metric(None, 'id', getattr(aggregator, kind), name, value, tags, hostname, flush_first_value)

    return submit


def values(sampler):
    """The points of the run that ends here."""
    before = len(sampler.series())
    sampler.end_run()
    return [each['points'][0][1] for each in sampler.series()][before:]


def test_gauge_is_the_last_value(submit, sampler, now):
    submit('GAUGE', 1.0)
    now[0] = 1001.5
    submit('GAUGE', 2.5)
    sampler.end_run()
    assert sampler.series() == [
        {
            'metric': 'm',
            'points': [[1001, 2.5]],
            'tags': ['a:1', 'b:2'],
            'host': 'here',
            'type': 'gauge',
            'interval': 0,
            'source_type_name': 'System',
        }
    ]


def test_contexts_are_name_tags_and_hostname(submit, sampler):
    submit('GAUGE', 1)
    submit('GAUGE', 2, tags=['a:1', 'b:2', 'a:1'])
    submit('GAUGE', 3, tags=['a:1'])
    submit('GAUGE', 4, hostname='there')
    submit('GAUGE', 5, name='n')
    assert values(sampler) == [2, 3, 4, 5]
    assert [each['host'] for each in sampler.series()] == ['here', 'here', 'there', 'here']


def test_each_run_gives_a_point(submit, sampler, now):
    for _ in range(3):
        submit('GAUGE', now[0], name='gauge')
        submit('COUNT', 2, name='count')
        submit('MONOTONIC_COUNT', now[0], name='monotonic')
        sampler.end_run()
        now[0] += 10
    assert [(each['metric'], *each['points'][0]) for each in sampler.series()] == [
        ('count', 1000, 2),
        ('count', 1010, 2),
        ('count', 1020, 2),
        ('gauge', 1000, 1000),
        ('gauge', 1010, 1010),
        ('gauge', 1020, 1020),
        ('monotonic', 1010, 10),
        ('monotonic', 1020, 10),
    ]


def test_a_series_that_stays_away_gives_no_point(submit, sampler):
    submit('GAUGE', 1)
    assert values(sampler) == [1]
    assert values(sampler) == []


def test_count_is_a_sum(submit, sampler):
    submit('COUNT', 2)
    submit('COUNT', 3)
    assert values(sampler) == [5]
    assert sampler.series()[0]['type'] == 'count'


@pytest.mark.parametrize(
    'samples, expected',
    [
        ([(7, False)], []),
        ([(7, True)], [7]),
        ([(7, False), (10, False)], [3]),
        ([(7, False), (7, False)], [0]),
        ([(7, True), (10, True)], [10]),
        ([(7, False), (10, False), (15, False)], [8]),
        ([(7, False), (10, False), (2, False)], [3]),
        ([(7, False), (10, False), (2, True)], [5]),
        ([(7, False), (2, False)], [0]),
        ([(7, False), (2, False), (3, False)], [1]),
    ],
)
def test_monotonic_count_is_the_sum_of_increases(submit, sampler, samples, expected):
    for value, flush_first_value in samples:
        submit('MONOTONIC_COUNT', value, flush_first_value=flush_first_value)
    assert values(sampler) == expected
    assert {each['type'] for each in sampler.series()} <= {'count'}


def test_rate_is_per_second(submit, sampler, now):
    submit('RATE', 10)
    assert values(sampler) == []
    now[0] += 2
    submit('RATE', 15)
    assert values(sampler) == [2.5]
    assert sampler.series()[0]['type'] == 'gauge'
    now[0] += 2
    submit('RATE', 1)
    assert values(sampler) == []


def test_other_kinds_are_refused(submit):
    with pytest.raises(ValueError, match='m: metrics of the kinds'):
        submit('HISTOGRAM', 1)


def test_buckets_of_a_distribution(aggregator, sampler):
    def submit(counts):
        for lower, upper, count in zip((0, 1), (1, float('inf')), counts, strict=True):
            tags = [*TAGS, f'lower_bound:{lower}', f'upper_bound:{upper}']
            aggregator.submit_histogram_bucket(None, 'id', 'h', count, lower, upper, True, '', tags)

    submit((5, 1))
    sampler.end_run()
    assert sampler.sketches() == []
    submit((9, 1))
    submit((10, 4))
    sampler.end_run()
    assert sampler.sketches() == [
        {'metric': 'h', 'tags': ['a:1', 'b:2'], 'host': 'here', 'ts': 1000, 'buckets': [[0, 1, 5], [1, '+Inf', 3]]}
    ]
    assert sampler.series() == []
    assert sampler.submitted_names() == {'h'}
    assert sampler.run.histogram_buckets == 6


def test_service_checks_and_events(aggregator, sampler):
    aggregator.submit_service_check(None, 'id', 'up', 2, TAGS, '', 'no')
    aggregator.submit_event(None, 'id', {'msg_title': 'T', 'tags': TAGS})
    assert sampler.service_checks == [
        {'check': 'up', 'host_name': 'here', 'timestamp': 1000, 'status': 2, 'message': 'no', 'tags': ['a:1', 'b:2']}
    ]
    assert sampler.events == [{'msg_title': 'T', 'tags': ['a:1', 'b:2']}]


def test_runs_are_counted_apart(submit, sampler):
    submit('GAUGE', 1)
    submit('GAUGE', 1)
    assert sampler.run.metric_samples == 2
    sampler.start_run()
    submit('GAUGE', 1)
    assert sampler.run.metric_samples == 1


def test_tags_of_the_sampler_go_on_everything(aggregator):
    sampler = CheckSampler('here', ['service:s'])
    aggregator.open('id', sampler)
    aggregator.submit_metric(None, 'id', Aggregator.GAUGE, 'm', 1, ['z:1'], '', False)
    aggregator.submit_service_check(None, 'id', 'up', 0, [], '', '')
    sampler.end_run()
    assert sampler.series()[0]['tags'] == ['service:s', 'z:1']
    assert sampler.service_checks[0]['tags'] == ['service:s']
