# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..query import QueryError, parse_check_monitor, parse_metric_monitor
from ..states import Options, State, check_states, metric_states
from .samples import recording, series, statuses

SHORT = {State.OK: 'o', State.WARN: 'w', State.ALERT: 'A', State.NO_DATA: '-'}


def drawn(states, minutes):
    """The states by group, a letter a minute and a blank where the group is not looked at."""
    return {
        group: ''.join(SHORT[history[minute]] if minute in history else ' ' for minute in range(1, minutes + 1))
        for group, history in states.items()
    }


def of_metrics(text, recorded, **options):
    monitor = parse_metric_monitor(text)
    options.setdefault('thresholds', {'critical': monitor.threshold})
    return drawn(metric_states(monitor, Options(**options), recorded), recorded.seconds // 60)


def gauge(*values):
    return recording({'depth': [series('gauge', 'q:a', *values)]})


def test_a_window_has_the_minutes_that_are_over():
    recorded = gauge(0, 0, 9, 9, 9, 0, 0)

    assert of_metrics('min(last_3m):sum:depth{*} by {q} > 5', recorded) == {('q:a',): 'ooooAoo'}
    assert of_metrics('max(last_2m):sum:depth{*} by {q} > 5', recorded) == {('q:a',): 'ooAAAAo'}
    assert of_metrics('avg(last_3m):sum:depth{*} by {q} >= 6', recorded) == {('q:a',): 'oooAAAo'}
    assert of_metrics('sum(last_1m):sum:depth{*} < 5', recorded) == {(): 'AAoooAA'}


def test_counts_are_added_up_before_the_arithmetic():
    recorded = recording(
        {
            'errors.count': [series('count', 'ns:a', None, 0, 9, 0)],
            'all.count': [series('count', 'ns:a', None, 90, 10, 100)],
        }
    )
    ratio = 'sum:errors.count{*}.as_count() / sum:all.count{*}.as_count()'

    # 9 of 200, where the average of the three shares is 0.3.
    assert of_metrics(f'sum(last_3m):{ratio} > 0.05', recorded) == {(): '-oAo'}
    assert of_metrics(f'avg(last_3m):{ratio.replace("count()", "rate()")} > 0.25', recorded) == {(): '-oAA'}


def test_an_alert_ends_below_its_recovery_threshold():
    recorded = gauge(0, 12, 8, 11, 6, 5, 8, 0)
    query = 'avg(last_1m):sum:depth{*} > 10'

    assert of_metrics(query, recorded) == {(): 'oAoAoooo'}
    thresholds = {'critical': 10, 'critical_recovery': 5}
    assert of_metrics(query, recorded, thresholds=thresholds) == {(): 'oAAAAooo'}
    thresholds |= {'warning': 7, 'warning_recovery': 1}
    assert of_metrics(query, recorded, thresholds=thresholds) == {(): 'oAAAAowo'}


@pytest.mark.parametrize('missing, expected', [(State.OK, 'AAAooA'), (State.NO_DATA, 'AAA--A')])
def test_what_missing_data_means(missing, expected):
    recorded = gauge(9, 9, None, None, None, 9)

    assert of_metrics('avg(last_2m):sum:depth{*} by {q} > 5', recorded, missing=missing) == {('q:a',): expected}
    ungrouped = of_metrics('avg(last_1m):sum:other{*} > 5', recorded, missing=missing)
    assert ungrouped == {(): expected[3] * 6}


def test_series_without_a_tag_of_the_grouping_form_no_group():
    recorded = recording({'depth': [series('gauge', 'q:a', 9), series('gauge', '', 9)]})

    assert of_metrics('avg(last_1m):sum:depth{*} by {q} > 5', recorded) == {('q:a',): 'A'}
    assert of_metrics('avg(last_1m):sum:depth{*} > 5', recorded) == {(): 'A'}


def test_options_that_put_off():
    recorded = gauge(9, 9, 9, 9)
    query = 'avg(last_2m):sum:depth{*} by {q} > 5'

    assert of_metrics(query, recorded, full_window=True) == {('q:a',): ' AAA'}
    assert of_metrics(query, recorded, new_group_delay=120) == {('q:a',): '  AA'}


def test_counts_and_others_do_not_mix():
    with pytest.raises(QueryError, match='^it has queries with .as_count\\(\\) and others$'):
        of_metrics('sum(last_5m):sum:depth{*} / sum:e.count{*}.as_count() > 5', gauge(1))


def of_check(text, *answers, interval=60, minutes=None, **options):
    recorded = recording(
        {}, minutes or len(answers) * interval // 60, interval, statuses('endpoint:x', *answers, interval=interval)
    )
    return drawn(check_states(parse_check_monitor(text), Options(**options), recorded), recorded.seconds // 60)


def test_so_many_answers_in_a_row_change_the_state():
    query = '"kubeflow.openmetrics.health".over("*").by("endpoint").last(4).count_by_status()'
    answers = (0, 2, 2, 0, 2, 2, 2, 0, 0, 0)

    assert of_check(query, *answers) == {('endpoint:x',): 'oAAoAAAooo'}
    thresholds = {'critical': 3, 'ok': 2}
    assert of_check(query, *answers, thresholds=thresholds) == {('endpoint:x',): '------AAoo'}
    assert of_check(query, *answers, interval=30, thresholds=thresholds) == {('endpoint:x',): '---Ao'}


def test_the_worst_answer_of_a_group_counts():
    worst = statuses('endpoint:x pod_name:a', 2, 0), statuses('endpoint:x pod_name:b', 0, 0)
    recorded = recording({}, minutes=2, statuses=[*worst[0], *worst[1]])
    query = '"kubeflow.openmetrics.health".over("*").by("endpoint").last(2).count_by_status()'

    assert drawn(check_states(parse_check_monitor(query), Options(), recorded), 2) == {('endpoint:x',): 'Ao'}


def test_a_service_check_that_falls_silent():
    query = '"kubeflow.openmetrics.health".over("endpoint:x").by("endpoint").last(2).count_by_status()'

    assert of_check(query, 2, minutes=4) == {('endpoint:x',): 'AAAA'}
    assert of_check(query, 2, minutes=4, resolved_after=120) == {('endpoint:x',): 'AAoo'}
    assert of_check(query.replace('"endpoint:x"', '"endpoint:y"'), 2) == {}
    assert of_check(query.replace('by("endpoint")', 'by("kube_cluster_name","endpoint")'), 2) == {}
