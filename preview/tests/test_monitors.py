# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import json

import pytest

from ..assets import AssetError
from ..monitors import Episode, fired, read_monitor, read_monitors
from ..states import State
from .samples import recording, series, statuses

QUERY = 'avg(last_1m):sum:depth{*} by {queue} > 5'
CHECK = '"kubeflow.openmetrics.health".over("*").by("endpoint").last(4).count_by_status()'


@pytest.fixture
def monitor(tmp_path):
    def make(query=QUERY, kind='query alert', critical=5, **options):
        path = tmp_path / 'stuck.json'
        if kind == 'query alert':
            options = {'on_missing_data': 'show_no_data', **options}
        options = {'thresholds': {'critical': critical}, **options}
        path.write_text(json.dumps({'definition': {'type': kind, 'query': query, 'options': options}}))
        return read_monitor(path)

    return make


def test_episodes_follow_each_other_by_group(monitor):
    recorded = recording({'depth': [series('gauge', 'queue:a', 0, 9, 9, 0), series('gauge', 'queue:b', 0, 0, 0, 9)]})
    episodes = monitor().episodes(recorded)

    assert episodes == [
        Episode(('queue:a',), State.OK, 1, 1),
        Episode(('queue:a',), State.ALERT, 2, 3),
        Episode(('queue:a',), State.OK, 4, 4),
        Episode(('queue:b',), State.OK, 1, 3),
        Episode(('queue:b',), State.ALERT, 4, 4),
    ]
    assert fired(episodes) == [episodes[1], episodes[4]]


def test_options_reach_the_states(monitor):
    recorded = recording({'depth': [series('gauge', 'queue:a', 9, 4, None, None, None)]}, minutes=6)
    thresholds = {'critical': 5, 'critical_recovery': 3}
    held = monitor(thresholds=thresholds, renotify_interval=60)

    assert [(each.state, each.begin, each.end) for each in held.episodes(recorded)] == [
        (State.ALERT, 1, 2),
        (State.NO_DATA, 3, 6),
    ]
    late = monitor('avg(last_2m):sum:depth{*} by {queue} > 5', on_missing_data='resolve', require_full_window=True)
    assert [(each.state, each.begin, each.end) for each in late.episodes(recorded)] == [
        (State.ALERT, 2, 2),
        (State.OK, 3, 6),
    ]
    new = monitor(new_group_delay=60, on_missing_data='show_and_notify_no_data')
    assert [(each.state, each.begin, each.end) for each in new.episodes(recorded)] == [
        (State.OK, 2, 2),
        (State.NO_DATA, 3, 6),
    ]


def test_options_of_a_service_check_reach_the_states(monitor):
    thresholds = {'critical': 2, 'ok': 3}
    silent = monitor(
        CHECK, 'service check', thresholds=thresholds, timeout_h=1, new_group_delay=120, notify_no_data=False
    )
    recorded = recording({}, minutes=70, statuses=statuses('endpoint:x', 2, 2, 2))

    assert [(each.state, each.begin, each.end) for each in silent.episodes(recorded)] == [
        (State.ALERT, 2, 62),
        (State.OK, 63, 70),
    ]


@pytest.mark.parametrize(
    'changes, reason',
    [
        (
            {'query': 'avg(last_1m):sum:depth > 5'},
            "query 'avg(last_1m):sum:depth > 5': '>' at position 24 is outside the language",
        ),
        ({'kind': 'log alert'}, f"query '{QUERY}': the type 'log alert' is not evaluated"),
        ({'critical': 6}, 'options: the threshold critical is not the 5 of the query'),
        (
            {'thresholds': {'critical': 5, 'critical_recovery': 7}},
            'options: critical_recovery is not on the other side of the threshold critical',
        ),
        ({'scheduling_options': {}}, "options: an option has 'scheduling_options', which is not evaluated"),
        (
            {'on_missing_data': 'resolve', 'notify_no_data': False},
            "options: an option has 'notify_no_data', which is not evaluated",
        ),
        ({'on_missing_data': 'default'}, "options: the on_missing_data 'default' is not evaluated"),
        (
            {'query': CHECK, 'kind': 'service check', 'critical': 3, 'notify_no_data': True},
            'options: notify_no_data is not evaluated',
        ),
        (
            {'query': CHECK, 'kind': 'service check', 'critical': 4},
            'options: the last 4 answers are not more than a threshold wants',
        ),
        (
            {'query': CHECK, 'kind': 'service check', 'critical': 3, 'on_missing_data': 'resolve'},
            "options: an option has 'on_missing_data', which is not evaluated",
        ),
        ({'query': QUERY.replace('*', '$ns')}, "there is no template variable 'ns'"),
    ],
)
def test_what_cannot_be_evaluated_is_told_with_its_place(monitor, changes, reason):
    with pytest.raises(AssetError) as error:
        monitor(**changes)
    assert str(error.value).startswith('stuck.json: ')
    assert reason in str(error.value)


def test_a_query_without_meaning_is_told_with_its_place(monitor):
    with pytest.raises(AssetError) as error:
        monitor().episodes(recording({'depth': [series('count', 'queue:a', 1)]}))
    assert str(error.value) == 'stuck.json: query: depth is a count, which needs .as_count() or .as_rate()'


def test_files_that_are_none(tmp_path):
    file = tmp_path / 'broken.json'
    for text, reason in (('{', 'not JSON'), ('[]', 'not a JSON object'), ('{}', 'definition: it is missing')):
        file.write_text(text)
        with pytest.raises(AssetError, match=f'broken.json: {reason}'):
            read_monitors(tmp_path)
    file.unlink()
    with pytest.raises(AssetError, match='there are no monitors'):
        read_monitors(tmp_path)
    with pytest.raises(AssetError, match='broken.json: No such file or directory'):
        read_monitor(file)
