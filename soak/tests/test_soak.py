# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The program, short: the long run is started by hand."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.releases import deployments

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
    compared, endpoints, events = map(int, re.findall(r'\d+', figures['counts compared']))
    assert endpoints == len(deployments(None))
    assert compared > 100
    assert events > 10_000
    runs, failed = map(int, re.findall(r'\d+', figures['runs']))
    assert failed == 60 // 5
    assert runs % 60 == 0


@pytest.mark.slow
@pytest.mark.parametrize('ending, seconds', [(signal.SIGINT, 0.8), (signal.SIGINT, 4.0), (signal.SIGTERM, 4.0)])
def test_nothing_is_left_of_a_soak_that_is_interrupted(tmp_path, ending, seconds):
    with subprocess.Popen(
        [sys.executable, '-m', 'soak', '--rounds', '100000'],
        cwd=ROOT,
        env={**os.environ, 'TMPDIR': str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        time.sleep(seconds)
        # As a terminal does: to the program and to the simulator beside it.
        os.killpg(program.pid, ending)
        error = program.stderr.read()
    assert program.returncode
    assert 'Traceback' not in error
    deadline = time.monotonic() + 30
    while group_is_alive(program.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not group_is_alive(program.pid)
    assert list(tmp_path.iterdir()) == []


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


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
