# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The program, short; the targets are those of a long run by hand, the floors those of `test_floors`."""

import json

import pytest

from .program import bench


@pytest.mark.slow
def test_all_that_is_measured_of_a_payload_is_printed():
    program = bench('kserve', '--rounds', '2')

    assert program.returncode in (0, 1), program.stderr
    for title in ('CPU of a run in ms', 'Samples submitted by a run', 'Endpoints of one Agent'):
        assert f'=== {title}' in program.stdout
    assert 'Growth' not in program.stdout
    assert ('FAIL' in program.stdout) == bool(program.returncode)


def test_the_same_as_json():
    program = bench('katib', '--rounds', '2', '--only', 'cpu', '--json')

    assert program.returncode in (0, 1), program.stderr
    measured = json.loads(program.stdout)
    (result,) = measured['results']
    (verdict,) = measured['verdicts']
    assert result['payload']['name'] == 'katib'
    assert result['figures']['lines'] == 877
    assert result['samples']['check'] > 300
    assert result['samples']['stock'] > 300
    assert 0 < result['runs']['plain']['check'] < 60
    assert verdict['held'] == (program.returncode == 0)


@pytest.mark.parametrize(
    'arguments, reason',
    [
        (['--rounds', '0'], "argument --rounds: '0' is no whole number above 0"),
        (
            ['argo'],
            "argument PAYLOAD: 'argo' is no payload: choose from katib, queue-proxy, queue-proxy-busy, kserve, "
            'foreign, namespaces, models, mlserver',
        ),
    ],
)
def test_bad_usage_is_told_in_one_sentence(arguments, reason):
    program = bench(*arguments)

    assert program.returncode == 2
    assert program.stderr == f'bench: {reason}\n'
