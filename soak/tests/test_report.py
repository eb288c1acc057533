# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..report import verdict
from ..soak import Difference, Findings
from ..usage import Usage

MEASURE = Usage(blocks=1000, resident=10_000, descriptors=9, threads=1)


def findings(*later, **changed):
    measures = dict(enumerate([MEASURE, MEASURE, *(later or (MEASURE, MEASURE))]))
    return Findings(**{'runs': 10, 'compared': {'katib-controller': 3}, 'measures': measures, **changed})


def test_nothing_is_wrong_where_all_held():
    assert verdict(findings()) == []


@pytest.mark.parametrize(
    'changed, reason',
    [
        ({'blocks': 1100}, 'memory grew: blocks from 1,000 to 1,100'),
        ({'resident': 11_000}, 'memory grew: resident from 10,000 to 11,000'),
        ({'descriptors': 10}, 'descriptors were left: 9, then 10'),
        ({'threads': 2}, 'threads were left: 1, then 2'),
    ],
)
def test_what_grew_is_named(changed, reason):
    assert verdict(findings(MEASURE, Usage(**{**vars(MEASURE), **changed}))) == [reason]


def test_a_wrong_count_a_decrease_and_an_unexpected_error_are_named():
    wrong = Difference('katib-controller', 'kubeflow.katib.trial.created.count', ('namespace:a',), 2, 3)

    assert verdict(findings(differences=[wrong])) == ['1 of 3 counts are not what happened']
    assert verdict(findings(negative={'katib-controller: x'})) == ['counts decreased: katib-controller: x']
    assert verdict(findings(unexpected_errors=['argo: gone'])) == ['1 runs went wrong, the first: argo: gone']


def test_an_endpoint_of_which_nothing_was_compared_is_named():
    assert verdict(findings(compared={'argo': 0, 'kfam': 2})) == ['no count was compared of argo']
