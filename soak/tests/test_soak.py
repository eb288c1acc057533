# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The program, short: the long run is started by hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def soak(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'soak', *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.slow
def test_every_count_is_exact_across_restarts_and_faults_and_nothing_is_left():
    program = soak('--rounds', '60', '--restart', '2', '--fault', '5')

    assert program.returncode == 0, program.stdout + program.stderr
    figures = dict(re.findall(r'^(\S.*?) {2,}(.*)$', program.stdout, re.MULTILINE))
    assert figures['restarts'] == '30'
    assert figures['differences'] == '0'
    compared, events = map(int, re.findall(r'\d+', figures['counts compared']))
    assert compared > 100
    assert events > 10_000
    runs, failed = map(int, re.findall(r'\d+', figures['runs']))
    assert failed == 60 // 5
    assert runs % 60 == 0


@pytest.mark.parametrize(
    'arguments, reason',
    [
        (['--rounds', '0'], "argument --rounds: '0' is no whole number above 0"),
        (['--seed', 'x'], "argument --seed: 'x' is no whole number"),
        (['--kubeflow', '0.1'], "argument --kubeflow: '0.1' is no release: choose from 1.9, 1.10, 1.11, 26.03"),
    ],
)
def test_bad_usage_is_told_in_one_sentence(arguments, reason):
    program = soak(*arguments)

    assert program.returncode == 2
    assert program.stderr == f'soak: {reason}\n'
