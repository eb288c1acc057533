# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Environments with released programs, each made once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT = 900


class Unavailable(Exception):
    """An environment cannot be made on this machine; the message says why."""


class NoInterpreter(Unavailable):
    """The machine has no Python that a program supports."""


@dataclass(frozen=True)
class Program:
    """
    A program that is released as a Python package.

    Attributes:
        name: that of its distribution
        requirements: the file that pins it
        pythons: the releases of Python that the pinned one supports, best first
    """

    name: str
    requirements: Path
    pythons: tuple[str, ...]


def provide(program: Program) -> Path:
    """
    The interpreter of an environment that holds a program and its dependencies.

    It is made on first use and kept in the user's cache directory, under a name that changes with the requirements and
    the interpreter.

    Raises:
        NoInterpreter: no Python that the program supports was found
        Unavailable: the environment could not be made, for want of a package registry for example
    """
    executable, version = find_interpreter(program.pythons)
    seed = b'\0'.join((program.requirements.read_bytes(), executable.encode(), version.encode()))
    environment = cache_directory() / f'{program.name}-{hashlib.sha256(seed).hexdigest()[:16]}'

    if not _usable(environment, program.name):
        try:
            _make(environment, program, executable)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, 'stderr', None) or ''
            raise Unavailable(f'cannot make an environment with {program.name}: {error}\n{said}') from None

    return _python(environment)


def find_interpreter(pythons: tuple[str, ...]) -> tuple[str, str]:
    """
    The path and full version of a Python of these releases, the running one before others on PATH.

    Raises:
        NoInterpreter: there is none
    """
    candidates = [sys.executable, *(shutil.which(f'python{release}') for release in pythons), shutil.which('python3')]

    for candidate in filter(None, candidates):
        # Asked rather than trusted by name: a version manager's stand-in may exist and still not run.
        program = 'import sys; print(sys._base_executable, "%d.%d.%d" % sys.version_info[:3])'
        answer = _run(candidate, '-c', program, check=False)
        if answer.returncode:
            continue
        executable, _, version = answer.stdout.strip().rpartition(' ')
        if version.rpartition('.')[0] in pythons:
            return executable, version

    raise NoInterpreter(f'no Python {", ".join(pythons[:-1])} or {pythons[-1]} was found on PATH')


def cache_directory() -> Path:
    """The directory below the user's caches that is this project's own, as an existing path."""
    root = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    directory = Path(root) / 'datadog-kubeflow'
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def appearing(target: Path, usable: Callable[[], bool]) -> Iterator[Path]:
    """
    A directory to fill, which appears at `target` complete or not at all, also when two sessions make it at once.

    `usable` tells whether what is at `target` already is of use.
    """
    draft = Path(tempfile.mkdtemp(prefix='draft-', dir=target.parent))
    try:
        yield draft

        # A broken one stands in the way of the new, a good one means another session was faster.
        if target.exists() and not usable():
            shutil.rmtree(target)
        if not target.exists():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _usable(environment: Path, distribution: str) -> bool:
    """Whether an environment is there, and its interpreter, which may have been removed since, finds the package."""
    python = _python(environment)
    if not python.exists():
        return False

    program = 'import sys; from importlib.metadata import version; version(sys.argv[1])'
    return _run(python, '-c', program, distribution, check=False).returncode == 0


def _make(environment: Path, program: Program, executable: str) -> None:
    with appearing(environment, lambda: _usable(environment, program.name)) as draft:
        _run(executable, '-m', 'venv', draft)
        pip = (_python(draft), '-m', 'pip', '--quiet', '--disable-pip-version-check', '--no-input')
        _run(*pip, 'install', '-r', program.requirements)


def _python(environment: Path) -> Path:
    return environment / 'bin/python'


def _run(*command: object, check: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=check,
        timeout=INSTALL_TIMEOUT,
    )
