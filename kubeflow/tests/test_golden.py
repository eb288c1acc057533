# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What users see: for every fixture the whole output of the check, in a file beside it.

After a change that is meant, `pytest --update-golden` rewrites the files and their diff is what to review.
"""

from difflib import unified_diff

import pytest

from .common import ENDPOINT_TAG, FIXTURES, FIXTURES_DIRECTORY, Run, exposition, instance_of
from .fixtures import build

HEAD = f'# Every line of metrics and service checks also carries {ENDPOINT_TAG}'


def render(run: Run) -> str:
    """A run as text, one line for each thing submitted, in the order of submission."""
    lines = [HEAD, '', '# metric type value tags']
    lines += [f'{one.name} {one.type} {_number(one.value)} {",".join(one.tags)}'.rstrip() for one in run.samples]
    lines += ['', '# service checks']
    lines += [f'{name} {status} {",".join(tags)}'.rstrip() for name, status, tags in run.service_checks]
    lines += ['', '# warnings', *run.warnings, '', '# components', *run.components]
    return '\n'.join(lines) + '\n'


def _number(value: float) -> str:
    return repr(value).removesuffix('.0')


@pytest.mark.parametrize('fixture', FIXTURES)
def test_output_is_the_golden_file(fixture, run, pytestconfig):
    path = FIXTURES_DIRECTORY / fixture / 'expected.txt'
    actual = render(run(exposition(fixture), instance_of(fixture)))

    if pytestconfig.getoption('--update-golden'):
        path.write_text(actual, encoding='utf-8')
        return

    expected = path.read_text(encoding='utf-8') if path.exists() else ''
    diff = ''.join(
        unified_diff(expected.splitlines(True), actual.splitlines(True), 'expected.txt', 'what the check submits', n=1)
    )
    assert not diff, f'{fixture} (if this is meant: --update-golden)\n{diff}'


def test_fixtures_are_what_the_builder_writes():
    built = build.payloads()

    assert FIXTURES == sorted(built)
    stale = [name for name, text in built.items() if text != exposition(name)]
    assert not stale, f'run `python -m tests.fixtures.build` in the directory `kubeflow`; it changes {stale}'


def test_no_fixture_has_two_builders(monkeypatch):
    monkeypatch.setattr(build.by_hand, 'payloads', lambda: {'go-only': '', 'katib-0.19': ''})
    with pytest.raises(ValueError, match='^katib-0.19: given by simulated.yaml and by by_hand, keep one of the two$'):
        build.payloads()
