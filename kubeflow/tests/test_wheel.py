# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'datadog_checks/kubeflow/'

# Scrapes a server of its own with the installed check and prints the names of what was submitted.
SCRAPE = '''
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from datadog_checks.base.stubs import aggregator
from datadog_checks.kubeflow import KubeflowCheck

PAYLOAD = b"""\\
# HELP katib_experiment_created_total Experiments.
# TYPE katib_experiment_created_total counter
katib_experiment_created_total{namespace="team"} 3
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
        self.end_headers()
        self.wfile.write(PAYLOAD)

    def log_message(self, *args):
        pass


server = HTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f'http://127.0.0.1:{server.server_port}/metrics'
check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url}])
error = check.run()
server.shutdown()
assert not error, error
print(*aggregator.metric_names)
'''


def run(*command):
    """Run `command`; returns what it printed, fails the test with its whole output when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f'{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}')
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The path of the wheel, built from the working tree."""
    directory = tmp_path_factory.mktemp('wheel')
    run(sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', directory, ROOT)
    (path,) = directory.glob('*.whl')
    return path


@pytest.fixture(scope='module')
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope='module')
def metadata(wheel, names):
    (name,) = (name for name in names if name.endswith('.dist-info/METADATA'))
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(name).decode('utf-8'))


@pytest.fixture(scope='module')
def agent_python(tmp_path_factory):
    """The interpreter of an environment that holds the base package and what the Agent ships with it, not more."""
    directory = tmp_path_factory.mktemp('agent')
    venv.create(directory, with_pip=True)
    python = directory / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
    run(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'datadog-checks-base[deps]')
    return python


@pytest.mark.slow
def test_the_wheel_is_pure_and_bears_the_version_of_the_check(wheel):
    assert wheel.name == 'datadog_kubeflow-3.0.0-py3-none-any.whl'


@pytest.mark.slow
def test_the_wheel_holds_the_check_and_nothing_else(names):
    foreign = [name for name in names if not name.startswith((PACKAGE, 'datadog_kubeflow-3.0.0.dist-info/'))]

    assert foreign == []


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(names):
    package = ROOT / PACKAGE
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }

    assert {name for name in names if name.startswith(PACKAGE)} == expected
    assert f'{PACKAGE}data/conf.yaml.example' in names
    assert f'{PACKAGE}data/auto_conf.yaml' in names
    assert f'{PACKAGE}metrics/katib.yaml' in names


@pytest.mark.slow
def test_the_wheel_needs_the_base_package_only(metadata):
    required = [line for line in metadata.get_all('Requires-Dist') if 'extra ==' not in line]

    assert metadata['Name'] == 'datadog-kubeflow'
    assert metadata['Version'] == '3.0.0'
    assert len(required) == 1
    assert required[0].startswith('datadog-checks-base>=')


@pytest.mark.slow
def test_the_wheel_installs_and_scrapes_the_way_an_agent_uses_it(wheel, agent_python):
    run(agent_python, '-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', wheel)

    # Isolated, so that neither the working tree nor the environment of the tests lends it anything.
    origin = run(agent_python, '-I', '-c', 'import datadog_checks.kubeflow as k; print(k.__file__)')
    submitted = run(agent_python, '-I', '-c', SCRAPE)

    assert Path(origin.strip()).is_relative_to(agent_python.parents[1])
    assert 'kubeflow.katib.experiment.created.count' in submitted.split()
