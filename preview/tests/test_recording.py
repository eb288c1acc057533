# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from ..recording import Plan, as_kept


def test_tags_are_kept_as_datadog_keeps_them():
    assert as_kept('status:EarlyStopped') == 'status:earlystopped'
    assert as_kept('kind:reject profile (taking) over') == 'kind:reject_profile_taking_over'
    assert as_kept('path:/a.b:c-d/') == 'path:/a.b:c-d/'
    assert as_kept('k:' + 'v' * 300) == 'k:' + 'v' * 198


def test_a_run_before_the_recording_gives_counters_something_to_compare_with(record_apart):
    recording = record_apart(Plan('26.03', 2, 60, endpoints=('katib-controller',)))

    assert {each.kind for each in recording.series['kubeflow.controller.workqueue.adds.count']} == {'count'}
    for metric in ('kubeflow.controller.workqueue.adds.count', 'kubeflow.controller.workqueue.depth'):
        assert [[time for time, _ in each.points] for each in recording.series[metric]] == [[0, 60]] * 3
    assert [(status.time, status.status) for status in recording.statuses] == [(0, 0), (60, 0)]
