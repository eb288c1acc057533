# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Prometheus's own unit tests for rules, as a function."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeflow.tests.live.environment import Unavailable, cache_directory
from kubeflow.tests.live.prometheus import find_program

# In seconds.
TIMEOUT = 120

# The labels of a series, `__name__` among them, and its samples: one a minute, None for none.
Stored = Mapping[frozenset[tuple[str, str]], list[float | None]]


def find_promtool() -> Path:
    """The path of promtool, which comes with the server. Raises `Unavailable`."""
    beside = find_program(cache_directory()).with_name('promtool')
    found = beside if beside.exists() else shutil.which('promtool')
    if not found:
        raise Unavailable('no `promtool` on PATH or beside `prometheus`')
    return Path(found)


@dataclass(frozen=True)
class Question:
    """An expression, the minute to evaluate it at, and the series expected with their values."""

    expression: str
    minute: int
    answer: Mapping[str, float]


@dataclass(frozen=True)
class Alarms:
    """Alerts of one name that fire at that minute: labels and annotations of each."""

    alert: str
    minute: int
    firing: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...]


class Promtool:
    """Runs the rules of a PrometheusRule on series that are given."""

    def __init__(self, program: Path, directory: Path, rule: Mapping[str, Any]):
        self._program = program
        self._directory = directory
        (directory / 'rules.yml').write_text(yaml.safe_dump(rule['spec']))

    def faults(self, stored: Stored, questions: Iterable[Question | Alarms]) -> str:
        """What is otherwise than the questions expect, in promtool's words; '' where all is as expected."""
        questions = list(questions)
        test = {
            'interval': '1m',
            'input_series': [
                {'series': text(dict(labels)), 'values': notation(values)} for labels, values in stored.items()
            ],
            'promql_expr_test': [
                {
                    'expr': each.expression,
                    'eval_time': f'{each.minute}m',
                    'exp_samples': [{'labels': series, 'value': value} for series, value in each.answer.items()],
                }
                for each in questions
                if isinstance(each, Question)
            ],
            'alert_rule_test': [
                {
                    'alertname': each.alert,
                    'eval_time': f'{each.minute}m',
                    'exp_alerts': [
                        {'exp_labels': dict(labels), 'exp_annotations': dict(annotations)}
                        for labels, annotations in each.firing
                    ],
                }
                for each in questions
                if isinstance(each, Alarms)
            ],
        }
        path = self._directory / 'test.yml'
        # JSON is YAML, and written faster.
        path.write_text(json.dumps({'rule_files': ['rules.yml'], 'evaluation_interval': '1m', 'tests': [test]}))
        done = subprocess.run(
            [self._program, 'test', 'rules', path], capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        return '' if done.returncode == 0 else done.stdout + done.stderr

    def answered(self, stored: Stored, expressions: Iterable[str], minute: int) -> set[str]:
        """Those of the expressions that give a number at that minute, all else than NaN."""
        questions = {f'count(({each}) > -Inf) > bool 0': each for each in expressions}
        said = self.faults(stored, [Question(each, minute, {'{}': 1}) for each in questions])
        failed = {json.loads(quoted) for quoted in re.findall(r'^ +expr: (".*"), time: ', said, re.MULTILINE)}
        assert failed <= set(questions) and bool(failed) == bool(said), said
        return {each for question, each in questions.items() if question not in failed}


def text(labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it; `labels` has its name under `__name__`."""
    pairs = ','.join(f'{name}={json.dumps(value)}' for name, value in sorted(labels.items()) if name != '__name__')
    return f'{labels.get("__name__", "")}{{{pairs}}}'


def notation(values: Iterable[float | None]) -> str:
    """Samples as promtool reads them: where a series ends it is stale."""
    words, there = [], False
    for value in values:
        words.append(repr(value) if value is not None else 'stale' if there else '_')
        there = value is not None
    return ' '.join(words)
