# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the user is told of a family with too many samples, and what becomes of the others and of later runs."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow.cardinality import too_many_samples
from datadog_checks.kubeflow.diagnosis import SHOWN_CHARACTERS
from runner.aggregator import Aggregator

from .common import ENDPOINT
from .counting import TRIALS, katib
from .loopback import Answer, observed, serving

FAMILY = 'katib_trial_created'


def blamed(*lines):
    """The sentence that names the label."""
    return too_many_samples(ENDPOINT, FAMILY, 60_000, 50_000, lines).split('. ')[1]


def test_the_whole_message():
    lines = [f'katib_trial_created_total{{namespace="team",pod="p{number}"}} 1' for number in range(3)]
    assert too_many_samples(ENDPOINT, FAMILY, 200_000, 50_000, lines) == (
        'http://component:8080/metrics exposes 200000 samples of the family katib_trial_created, which is left out of '
        'this run: the option `max_samples_per_family` allows 50000. The label `pod` has the most values: 3 in the 3 '
        'samples looked at. What to do: have the component drop the label or bound its values; name the family in '
        '`exclude_metrics` if you can do without it; raise `max_samples_per_family` if so many are meant.'
    )


def test_values_of_labels_are_not_shown():
    assert 'jane' not in too_many_samples(ENDPOINT, FAMILY, 2, 1, ['a{user="jane.doe@example.com"} 1'])


@pytest.mark.parametrize(
    'lines, label, values, samples',
    [
        pytest.param(['a{x="1",y="1"} 1', 'a{x="1",y="2"} 1'], 'y', 2, 2, id='the one with most values'),
        pytest.param(['a{x="1",y="1"} 1', 'a{x="2",y="2"} 1'], 'x', 2, 2, id='of two with as many the first'),
        pytest.param(['a{x="1"} 1', 'a{x="1"} 2'], 'x', 1, 2, id='a series that comes again'),
        pytest.param(['a{x="1"} 1', 'a{x=', 'a{x="2"} 1'], 'x', 2, 2, id='a line that ends early'),
        pytest.param(['# TYPE a gauge', '', 'a{x="1"} 1'], 'x', 1, 1, id='lines that are no samples'),
        pytest.param(['a{x="1"} 1 # {trace_id="u"} 1', 'a{x="1"} 1 5 # {trace_id="v"} 1 5'], 'x', 1, 2, id='exemplars'),
        pytest.param([r'a{x="\"},{"} 1', r'a{x="\\"} 1', r'a{x="\n"} 1'], 'x', 3, 3, id='escapes'),
        pytest.param(['a{x="1"} 1', 'a 1'], 'x', 1, 2, id='a sample without labels'),
    ],
)
def test_the_label_with_the_most_values_is_blamed(lines, label, values, samples):
    assert blamed(*lines) == f'The label `{label}` has the most values: {values} in the {samples} samples looked at'


@pytest.mark.parametrize('lines', [[], ['a 1', 'a 2'], ['a{'], ['# HELP a b']])
def test_nothing_is_blamed_where_no_label_can_be_read(lines):
    assert blamed(*lines) == 'Its samples have no label that could be read'


def test_long_names_are_shortened():
    long = 'n' * 10_000
    message = too_many_samples(ENDPOINT, long, 2, 1, [f'a{{{long}="1"}} 1'])
    assert message.count('n' * SHOWN_CHARACTERS + '...') == 2 and len(message) < 1000


@settings(deadline=None)
@given(st.lists(st.text(alphabet='a_{}="\\,# \t\r1.eN+-é\x00'), max_size=3))
def test_no_line_is_too_strange(lines):
    assert too_many_samples(ENDPOINT, FAMILY, 2, 1, lines).startswith(ENDPOINT)


# --- the whole way ---

MEBIBYTE = 1024 * 1024


def exploded(children):
    """So many trials of a namespace each, between two families that are as ever."""
    lines = ''.join(f'katib_trial_created_total{{namespace="{number}"}} {number}\n' for number in range(children))
    return (
        katib(None, a=5)
        + f'# TYPE katib_trial_created_total counter\n{lines}'
        + '# TYPE katib_trial_succeeded_total counter\nkatib_trial_succeeded_total{namespace="a"} 3\n'
    )


def katib_trials(created):
    """The trials created in the namespaces a, b… and nothing else."""
    lines = ''.join(
        f'katib_trial_created_total{{namespace="{name}"}} {count}\n' for name, count in zip('ab', created, strict=False)
    )
    return f'# TYPE katib_trial_created_total counter\n{lines}'


def calm(created, failed=5):
    return (
        katib(None, a=failed)
        + '# TYPE katib_trial_created_total counter\n'
        + f'katib_trial_created_total{{namespace="a"}} {created}\n'
        + '# TYPE katib_trial_succeeded_total counter\nkatib_trial_succeeded_total{namespace="a"} 3\n'
    )


CREATED = 'kubeflow.katib.trial.created.count namespace:a'
FAILED = f'{TRIALS} namespace:a'


def test_one_family_that_explodes_is_left_out_and_named(agent, aggregator):
    watched = agent()
    watched.scrape(1000, exploded(200_000))

    (message,) = [warning for warning in watched.check.warnings if 'max_samples_per_family' in warning]
    assert 'exposes 200000 samples of the family katib_trial_created' in message
    assert 'The label `namespace` has the most values' in message
    (health,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert (health.status, health.message) == (ServiceCheck.WARNING, message)
    aggregator.assert_metric('kubeflow.katib.trial.created.count', count=0)
    aggregator.assert_metric('kubeflow.katib.trial.failed.count', 5, count=1)
    aggregator.assert_metric('kubeflow.katib.trial.succeeded.count', 3, count=1)
    aggregator.assert_metric('kubeflow.katib.experiment.running.total', 0, count=1)


def test_the_run_after_an_explosion_is_clean(agent, aggregator):
    watched = agent(max_samples_per_family=10)
    watched.scrape(1000, calm(4))
    watched.scrape(1015, exploded(11))
    watched.check.warnings.clear()
    aggregator.reset()

    counted = watched.scrape(1030, calm(7, failed=6))
    assert (counted[CREATED], counted[FAILED]) == (3, 1)
    assert watched.check.warnings == []
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, count=1)


def test_what_was_counted_before_the_explosion_ended_is_not_reported_where_it_was_never_seen(agent):
    watched = agent(max_samples_per_family=10)
    pages = [exploded(11), calm(700), calm(701)]
    assert [watched.scrape(1000 + 15 * number, page)[CREATED] for number, page in enumerate(pages)] == [0, 0, 1]


def test_a_family_that_is_left_out_is_named_where_it_is_all_that_the_answer_holds(agent, aggregator):
    watched = agent(max_samples_per_family=1)
    pages = [katib_trials(created) for created in ((5, 6), (700,), (701,))]
    assert [watched.scrape(1000 + 15 * number, page)[CREATED] for number, page in enumerate(pages)] == [0, 0, 1]
    assert [health.status for health in aggregator.service_checks('kubeflow.openmetrics.health')] == [
        ServiceCheck.WARNING,
        ServiceCheck.OK,
        ServiceCheck.OK,
    ]
    (message,) = watched.check.warnings
    assert 'exposes 2 samples of the family katib_trial_created' in message


@pytest.mark.parametrize('limit, left_out', [(11, False), (10, True), (0, False)])
def test_the_limit_is_the_most_that_is_allowed_and_0_is_none(agent, aggregator, limit, left_out):
    agent(max_samples_per_family=limit).scrape(1000, exploded(11))
    aggregator.assert_metric('kubeflow.katib.trial.created.count', count=0 if left_out else 11)


def test_a_family_nobody_asks_for_may_be_as_large_as_it_likes(agent, aggregator):
    foreign = '# TYPE foreign gauge\n' + ''.join(f'foreign{{pod="{number}"}} 1\n' for number in range(60_000))
    watched = agent()
    watched.scrape(1000, foreign + katib(None, a=5))
    assert watched.check.warnings == []
    aggregator.assert_metric('kubeflow.katib.trial.failed.count', 5)


def test_memory_does_not_grow_with_the_explosion(monkeypatch):
    aggregator = Aggregator()
    monkeypatch.setattr('datadog_checks.base.checks.base.aggregator', aggregator)
    with serving() as ports:
        watched = observed('exploding', {'openmetrics_endpoint': ports.url('/')}, aggregator)

        def peak(page):
            ports.answers['/'] = Answer(page.encode())
            tracemalloc.start()
            try:
                assert watched.run() == ''
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        # What is made once is made here.
        peak(calm(4))
        one, four = peak(exploded(100_000)), peak(exploded(400_000))
    # The text is 5 MB, and 21 MB.
    assert one < 8 * MEBIBYTE
    assert four - one < MEBIBYTE
