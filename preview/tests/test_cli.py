# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def preview(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, '-m', 'preview', *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_widgets_and_monitors_are_printed_and_drawn(tmp_path):
    program = preview('--minutes', '3', '--interval', '60', '--out', str(tmp_path / 'new'))

    lines = program.stdout.splitlines()
    # Not everything happens in three minutes.
    widgets = lines[: lines.index('Monitors')]
    assert program.returncode == any(line.startswith('  NO DATA') for line in widgets)
    assert '  data     Inferences per second (query_value)' in lines
    assert '  OK       inference_errors' in lines
    drawn = [tmp_path / 'new' / name for name in ('overview.png', 'overview.html')]
    assert lines[-2:] == list(map(str, drawn))
    assert all(path.stat().st_size > 10_000 for path in drawn)


@pytest.mark.parametrize(
    'arguments, reason',
    [
        (
            ['--kubeflow', '0.1'],
            "Kubeflow '0.1' is not simulated: the releases are 1.9, 1.10, 1.11, 26.03",
        ),
        (['--minutes', '0'], "argument --minutes: '0' is no whole number above 0"),
        (['--interval', '7'], "argument --interval: '7' seconds do not divide a minute"),
        (['--seed', 'x'], "argument --seed: 'x' is no whole number"),
        (
            ['--incident', 'inference-errors', '--minutes', '20'],
            'an incident begins after 20 minutes, so --minutes has to be more',
        ),
        (
            ['--incident', 'x'],
            "there is no incident 'x'; there are pipeline-runs-failing, pipeline-runs-pending, katib-trials-failing, "
            'katib-trials-without-metrics, inference-errors, inference-latency, notebook-creation-failing, '
            'controller-reconcile-errors, controller-workqueue-stuck, recurring-runs-late, endpoint-not-scrapable',
        ),
        (['--out', '/dev/null/x', '--minutes', '1'], '/dev/null/x: Not a directory'),
    ],
)
def test_bad_usage_is_told_in_one_sentence(arguments, reason):
    program = preview(*arguments)

    assert program.returncode == 2
    assert program.stdout == ''
    assert program.stderr == f'preview: {reason}\n'
