# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import sys

import pytest

from .environment import NoInterpreter, Program, Unavailable, cache_directory, provide

pytestmark = pytest.mark.slow

RUNNING = '%d.%d' % sys.version_info[:2]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of the user's; the path of the project's own directory in it."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return cache_directory()


@pytest.fixture
def requirements(tmp_path):
    return tmp_path / 'requirements.txt'


def test_an_environment_is_made_once_and_anew_when_it_is_broken(cache, requirements):
    # Part of every environment, so there is nothing to fetch.
    requirements.write_text('--no-index\npip\n')
    program = Program('pip', requirements, (RUNNING,))

    python = provide(program)
    (environment,) = cache.iterdir()
    assert python.is_relative_to(environment)
    made = environment.stat().st_ino

    assert provide(program) == python
    assert environment.stat().st_ino == made

    python.unlink()
    assert provide(program) == python
    assert python.exists()
    assert [path.name for path in cache.iterdir()] == [environment.name]

    requirements.write_text('pip  # of another kind\n')
    assert provide(program) != python


def test_what_cannot_be_installed_is_explained_and_leaves_nothing(cache, requirements):
    requirements.write_text('--no-index\nno-such-distribution==1.0\n')

    with pytest.raises(Unavailable, match=r'(?s)with no-such-distribution: .*No matching distribution found for no-s'):
        provide(Program('no-such-distribution', requirements, (RUNNING,)))
    assert list(cache.iterdir()) == []


def test_a_missing_python_is_named(requirements):
    with pytest.raises(NoInterpreter, match='no Python 2.7 or 2.6 was found on PATH'):
        provide(Program('pip', requirements, ('2.7', '2.6')))
