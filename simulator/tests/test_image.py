# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The image, as far as it can be checked without Docker."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import venv
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.request import urlopen

import pytest

from ..server import Simulator

PACKAGE = Path(__file__).parents[1]
REQUIREMENTS = PACKAGE / 'requirements.txt'


def instructions():
    """The instructions of the Dockerfile as (name, rest)."""
    lines = (PACKAGE / 'Dockerfile').read_text().splitlines()
    return [tuple(line.split(' ', 1)) for line in lines if line and not line.startswith('#')]


def arguments(name):
    return [rest for each, rest in instructions() if each == name]


def requirements():
    """The lower bound of each requirement, by its name."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith('#')]
    return dict(line.split('>=') for line in lines)


def ignored():
    lines = (PACKAGE / '.dockerignore').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def sources():
    """The files of the package that the image holds, relative to it."""
    for path in sorted(PACKAGE.rglob('*')):
        relative = path.relative_to(PACKAGE)
        parents = [str(each) for each in (relative, *relative.parents)]
        if path.is_file() and not any(
            fnmatch(parent, pattern.removeprefix('**/')) or fnmatch(parent, pattern.replace('**', '*'))
            for pattern in ignored()
            for parent in parents
        ):
            yield relative


def build(directory):
    """Lay the files out as the COPY instructions do."""
    for source, target in (rest.split() for rest in arguments('COPY')):
        assert target.endswith('/')
        wanted = sources() if source == '.' else [Path(source)]
        for relative in wanted:
            destination = directory / target / relative
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE / relative, destination)


def test_the_base_is_an_official_python_image():
    assert arguments('FROM') == ['python:3.13-slim']


def test_it_holds_the_program_and_no_tests(tmp_path):
    build(tmp_path)
    built = {path.relative_to(tmp_path) for path in tmp_path.rglob('*') if path.is_file()}
    modules = {
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob('*')
        if path.suffix in ('.py', '.yaml') and 'tests' not in path.relative_to(PACKAGE).parts
    }
    assert modules
    assert built == {'simulator' / each for each in (*modules, Path('requirements.txt'))}


def test_it_installs_what_the_program_imports():
    imported = set()
    for relative in sources():
        if relative.suffix != '.py':
            continue
        for node in ast.walk(ast.parse((PACKAGE / relative).read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split('.')[0])
    distributions = packages_distributions()
    third_party = {distributions[name][0] for name in imported - set(sys.stdlib_module_names)}

    def normal(name):
        return re.sub('[-_.]+', '-', name).lower()

    assert {normal(name) for name in third_party} == {normal(name) for name in requirements()}
    assert [rest.split()[-1] for rest in arguments('RUN')] == ['simulator/requirements.txt']


def test_the_ports_fit():
    (exposed,) = arguments('EXPOSE')
    first, last = map(int, exposed.split('-'))
    command = json.loads(arguments('ENTRYPOINT')[0])
    assert command[command.index('--base-port') + 1] == str(first)
    assert len(Simulator().names) <= last - first + 1


def test_it_does_not_run_as_root():
    (user,) = arguments('USER')
    assert int(user.split(':')[0]) > 0
    names = [name for name, _ in instructions()]
    assert names.index('USER') > max(number for number, name in enumerate(names) if name in ('RUN', 'COPY'))


@pytest.mark.slow
def test_the_entry_point_runs_with_the_lowest_requirements_alone(tmp_path):
    build(tmp_path / 'image')
    venv.create(tmp_path / 'venv', with_pip=True)
    python = str(tmp_path / 'venv' / 'bin' / 'python')
    lowest = [f'{name}=={bound}' for name, bound in requirements().items()]
    subprocess.run(
        [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', *lowest], check=True, timeout=300
    )
    name, *command = json.loads(arguments('ENTRYPOINT')[0])
    assert name == 'python'
    # As in the image, save for the ports, of which some may be taken here.
    command[command.index('--base-port') :] = ['--kubeflow', '26.03']
    process = subprocess.Popen(
        [python, *command],
        cwd=tmp_path / 'image',
        env={'PATH': os.environ['PATH'], 'TMPDIR': str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        with process:
            line = next(line for line in process.stdout if line.startswith('katib-controller '))
            with urlopen(re.search(r'http://\S+', line).group(), timeout=30) as response:
                assert b'katib_experiments_current{' in response.read()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    finally:
        watchdog.cancel()
        process.kill()
    assert process.returncode == 0
