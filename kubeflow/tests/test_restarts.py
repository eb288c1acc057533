# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is counted of programs that restart between two scrapes."""

import pytest

from .counting import FAILED_SCRAPE, TRIALS, histogram, katib


def failed_trials(agent, scrapes):
    """What each scrape counted of the trials that failed in the namespaces a and b; they are 15 seconds apart."""
    counted = [agent.scrape(1000 + 15 * number, payload) for number, payload in enumerate(scrapes)]
    return [tuple(each[f'{TRIALS} namespace:{namespace}'] for namespace in 'ab') for each in counted]


@pytest.mark.parametrize(
    'scrapes, counted',
    [
        pytest.param([katib(900, a=5), katib(900, a=7)], [(0, 0), (2, 0)], id='no restart'),
        pytest.param([katib(900, a=5), katib(1010, a=2)], [(0, 0), (2, 0)], id='lower than before'),
        pytest.param([katib(900, a=5), katib(1010, a=5)], [(0, 0), (5, 0)], id='as high as before'),
        pytest.param([katib(900, a=5), katib(1010, a=8)], [(0, 0), (8, 0)], id='higher than before'),
        pytest.param(
            [katib(900, a=1), katib(1010), katib(1010), katib(1010, a=1)],
            [(0, 0), (0, 0), (0, 0), (1, 0)],
            id='absent for a while, then as high as before',
        ),
        pytest.param([katib(900, a=5), katib(1010, a=5, b=3)], [(0, 0), (5, 3)], id='with a series more'),
        pytest.param(
            [katib(900, a=5), FAILED_SCRAPE, katib(1020, a=2, b=3)],
            [(0, 0), (0, 0), (2, 3)],
            id='after a scrape that failed',
        ),
        pytest.param(
            [katib(900, a=5), FAILED_SCRAPE, katib(900, a=6, b=3)],
            [(0, 0), (0, 0), (1, 3)],
            id='no restart, and a series more after a scrape that failed',
        ),
        pytest.param(
            [katib(900, a=5), katib(1010, a=5), katib(1020, a=5), katib(1020, a=6)],
            [(0, 0), (5, 0), (5, 0), (1, 0)],
            id='two restarts',
        ),
        pytest.param(
            [FAILED_SCRAPE, katib(900, a=5), katib(900, a=6)], [(0, 0), (0, 0), (1, 0)], id='the first one failed'
        ),
        pytest.param(
            [katib(900, a=5), katib(998.5, a=5)], [(0, 0), (5, 0)], id='right after a scrape, by a clock that is late'
        ),
        pytest.param(
            [katib(999.25, a=5), katib(1000.25, a=7)], [(0, 0), (2, 0)], id='the same start, after the clock was set'
        ),
    ],
)
def test_each_failed_trial_counts_once(agent, scrapes, counted):
    assert failed_trials(agent(), scrapes) == counted


@pytest.mark.parametrize(
    'scrapes, counted',
    [
        pytest.param(
            [katib(None, a=5), katib(None, a=5), katib(None, a=2)], [(0, 0), (0, 0), (2, 0)], id='no start is exposed'
        ),
        pytest.param(
            [katib(None, a=5), FAILED_SCRAPE, katib(None, a=2, b=3)],
            [(0, 0), (0, 0), (0, 0)],
            id='no start is exposed and a scrape failed',
        ),
        pytest.param(
            [katib(None, a=5), katib(1010, a=5)], [(0, 0), (0, 0)], id='a start is exposed since the last scrape'
        ),
    ],
)
def test_without_a_start_time_what_may_have_been_counted_is_not(agent, scrapes, counted):
    assert failed_trials(agent(), scrapes) == counted


def test_replicas_that_answer_by_turns_are_not_restarts(agent):
    # Both were there before the first scrape. A lower value is taken for a reset, as the Agent does.
    turns = [katib(900, a=5), katib(997, a=9), katib(900, a=5), katib(997, a=9)]
    assert failed_trials(agent(), turns) == [(0, 0), (4, 0), (5, 0), (4, 0)]


def test_a_process_more_at_the_same_port_is_no_restart_of_the_others(agent):
    both = katib(900, a=5).replace(
        'process_start_time_seconds 900',
        'process_start_time_seconds{part="a"} 900\nprocess_start_time_seconds{part="b"} 1010',
    )
    assert failed_trials(agent(), [katib(900, a=5), both]) == [(0, 0), (0, 0)]


def test_every_part_of_a_histogram_begins_anew(agent):
    watched = agent()
    watched.scrape(1000, histogram(900, 4))
    counted = watched.scrape(1015, histogram(1010, 4))

    name = 'kubeflow.kserve.inference.duration.seconds'
    assert counted[f'{name}.count'] == counted['kubeflow.kserve.inferences.count'] == 4
    assert counted[f'{name}.sum'] == pytest.approx(0.028)
    assert counted[f'{name}.bucket upper_bound:0.01'] == 4
    assert counted[f'{name}.bucket upper_bound:0.005'] == 0


def test_the_published_spelling_counts_as_the_other_one(agent):
    def reconciled(start):
        return (
            '# TYPE controller_runtime_reconcile_total counter\n'
            'controller_runtime_reconcile_total{controller="trial-controller",result="error"} 1\n'
            f'# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {start}\n'
        )

    watched = agent(submit_reconcide_alias=True)
    watched.scrape(1000, reconciled(900))
    counted = watched.scrape(1015, reconciled(1010))
    assert counted['kubeflow.katib.controller.reconcile.count'] == 1
    assert counted['kubeflow.katib.controller.reconcide.count'] == 1


def test_gauges_are_submitted_once_a_scrape(agent, aggregator):
    watched = agent()
    watched.scrape(1000, katib(900, a=5))
    aggregator.reset()
    watched.scrape(1015, katib(1010, a=5))
    (running,) = aggregator.metrics('kubeflow.katib.trial.running.total')
    assert running.value == 1


def test_a_source_that_takes_over_after_a_restart_brings_nothing_with_it(agent):
    """The sidecar's count holds what the model server's counts held."""
    sidecar = (
        '# TYPE revision_app_request_count counter\n'
        'revision_app_request_count{response_code="200",response_code_class="2xx"} 9\n'
        '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1010\n'
    )
    watched = agent()
    watched.scrape(1000, histogram(900, 4))
    counted = watched.scrape(1015, sidecar)
    assert counted['kubeflow.kserve.inferences.count'] == 0


def processes(*starts, **failed):
    """A port behind which there are several processes."""
    lines = ''.join(f'process_start_time_seconds{{part="{start}"}} {start}\n' for start in starts)
    return katib(None, **failed) + '# TYPE process_start_time_seconds gauge\n' + lines


def test_a_series_that_is_new_gets_no_zero_where_the_agent_takes_it_whole(agent, aggregator):
    watched = agent()
    watched.scrape(1000, katib(900, a=5))
    aggregator.reset()
    watched.scrape(1015, katib(900, a=5, b=3))
    assert [each.value for each in aggregator.metrics(TRIALS) if 'namespace:b' in each.tags] == [3]


def test_the_same_processes_are_so_after_a_failed_scrape(agent):
    scrapes = [processes(900, 950, a=5), FAILED_SCRAPE, processes(900, 950, a=5, b=3)]
    assert failed_trials(agent(), scrapes) == [(0, 0), (0, 0), (0, 3)]


def test_one_process_of_two_is_not_the_same(agent):
    # Which of them counts what is not known.
    scrapes = [processes(900, 950, a=5), FAILED_SCRAPE, processes(900, a=5, b=3)]
    assert failed_trials(agent(), scrapes) == [(0, 0), (0, 0), (0, 0)]


def test_a_start_may_move_by_two_whole_seconds(agent):
    scrapes = [katib(900, a=5), FAILED_SCRAPE, katib(902, a=5, b=3)]
    assert failed_trials(agent(), scrapes) == [(0, 0), (0, 0), (0, 3)]


def test_an_older_replica_is_not_the_same_process(agent):
    scrapes = [katib(950, a=5), FAILED_SCRAPE, katib(900, a=5, b=3)]
    assert failed_trials(agent(), scrapes) == [(0, 0), (0, 0), (0, 0)]


def test_a_start_that_moved_far_before_the_last_scrape_is_no_restart(agent):
    # Its own clock or another replica, and nothing says it started since.
    assert failed_trials(agent(), [katib(900, a=5), katib(997.5, a=8)]) == [(0, 0), (3, 0)]


def test_a_source_that_takes_over_after_a_failed_scrape_brings_nothing_with_it(agent):
    sidecar = (
        '# TYPE http_server_request_duration_seconds summary\n'
        'http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",'
        'kn_route_tag="d"} 9\n'
    )
    start = '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 900\n'
    watched = agent()
    watched.scrape(1000, sidecar + start)
    watched.scrape(1015, FAILED_SCRAPE)
    counted = watched.scrape(1030, sidecar + histogram(900, 9))
    assert counted['kubeflow.kserve.inferences.count'] == 0
