# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The end-to-end tests of the environment `simulator` from the first command to the last, with programs that stand in
for kind, kubectl, docker and the Agent.

`kubectl port-forward` leads to a simulator in this process, the Agent is the runner of this repository. ddev makes the
environment, runs the tests and ends the environment in a process each, and so does this.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.server import Simulator

from .kind.plan import ROOT, read_plan
from .kind.simulator import TOKEN

pytestmark = pytest.mark.slow

VERSION = '26.03'
PYTEST = [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '--no-header', '-rs']

# Writes down how it was called. As `kubectl port-forward` it forwards, until it is killed as the real one is.
STAND_IN = '''#!{python}
import json, os, shutil, socket, sys, threading

here = os.path.dirname(os.path.realpath(__file__))
name = os.path.basename(sys.argv[0])
with open(os.path.join(here, 'calls'), 'a') as file:
    file.write(' '.join([name, *sys.argv[1:]]) + chr(10))
if sys.argv[1] != 'port-forward':
    sys.exit()
open(os.path.join(here, f'{os.getpid()}.pid'), 'w').close()

local, _, remote = sys.argv[-1].partition(':')
target = json.load(open(os.path.join(here, 'ports')))[remote]


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One of the two is gone.
        pass


def serve(client):
    with client, socket.create_connection(('127.0.0.1', target)) as server:
        back = threading.Thread(target=pump, args=(server, client))
        back.start()
        pump(client, server)
        back.join()


listener = socket.create_server((sys.argv[sys.argv.index('--address') + 1].split(',')[1], int(local)))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
'''

# Called as `python -m ddev env agent kubeflow <environment> check --json …`: the runner's output, with the tag by which
# the tests see that an Agent found a container.
AGENT = '''#!{python}
import os, subprocess, sys

here = os.path.dirname(os.path.realpath(__file__))
with open(os.path.join(here, 'calls'), 'a') as file:
    file.write(' '.join([f'agent in {os.getcwd()}:', *sys.argv[1:]]) + chr(10))
command = ['{python}', '-m', 'runner', '--config', os.path.join(here, 'agent.yaml'), '--json']
sys.exit(subprocess.run(command, cwd={root!r}).returncode)
'''


@pytest.fixture
def tools(tmp_path):
    """A directory with the stand-ins, and behind their port-forward a simulated Kubeflow."""
    for name, text in (('kind', STAND_IN), ('kubectl', STAND_IN), ('docker', STAND_IN), ('agent', AGENT)):
        path = tmp_path / name
        path.write_text(text.replace('{python}', sys.executable).replace('{root!r}', repr(str(ROOT))))
        path.chmod(0o755)
    token = tmp_path / 'token'
    token.write_text(TOKEN)
    with Simulator(VERSION, token_file=token, speed=None) as simulator:
        ports = {one.name: int(one.url.split(':')[2].split('/')[0]) for one in simulator.endpoints}
        plan = read_plan('simulator', VERSION)
        (tmp_path / 'ports').write_text(json.dumps({one.port: ports[one.name] for one in plan.endpoints}))
        yield tmp_path
        # What a test that failed in between has left.
        for pid in running(forwarding(tmp_path)):
            os.kill(pid, signal.SIGKILL)


def forwarding(tools):
    """The ids of all processes that ever forwarded a port."""
    return [int(path.stem) for path in tools.glob('*.pid')]


def session(tools, *arguments, **variables):
    """A process of pytest as ddev starts it, with the stand-ins first on PATH."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith('DDEV_')},
        'PATH': f'{tools}{os.pathsep}{os.environ["PATH"]}',
        'HATCH_ENV_ACTIVE': f'e2e.simulator-{VERSION}',
        'KUBEFLOW_ENVIRONMENT': 'simulator',
        'KUBEFLOW_VERSION': VERSION,
        **variables,
    }
    command = [*PYTEST, *arguments]
    return subprocess.run(
        command, cwd=ROOT / 'kubeflow', env=environ, capture_output=True, text=True, timeout=300, check=False
    )


def calls(tools):
    path = tools / 'calls'
    lines = path.read_text().splitlines()
    path.unlink()
    return lines


def running(processes):
    return [pid for pid in processes if Path(f'/proc/{pid}').exists() and 'Z' not in state(pid)]


def state(pid):
    return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]


def test_the_environment_is_made_tested_and_ended(tools):
    plan = read_plan('simulator', VERSION)
    result = tools / 'result.json'

    up = session(tools, 'tests/test_endpoint.py', DDEV_E2E_DOWN='false', DDEV_E2E_RESULT_FILE=str(result))
    assert up.returncode == 0, up.stdout + up.stderr
    made = calls(tools)
    steps = [' '.join(line.split()[:3]) for line in made if 'port-forward' not in line]
    assert steps == [
        'docker info',
        'kind create cluster',
        'kind export kubeconfig',
        'docker build --tag',
        'kind load docker-image',
        'kubectl apply --server-side',
        'kubectl set env',
        'kubectl rollout status',
    ]
    forwards = [line for line in made if 'port-forward' in line]
    assert sorted(line.rpartition(':')[2] for line in forwards) == sorted(str(one.port) for one in plan.endpoints)

    state = json.loads(result.read_text())
    variables = state['metadata']['e2e_env_vars']
    pids = forwarding(tools)
    assert len(running(pids)) == len(plan.endpoints)

    try:
        instances = from_state(variables)['instances']
        assert list(instances) == [one.name for one in plan.endpoints]
        tagged = [{**instance, 'tags': ['image_name:simulator']} for instance in instances.values()]
        (tools / 'agent.yaml').write_text(json.dumps({'init_config': {}, 'instances': tagged}))

        tests = session(tools, '-m', 'e2e', 'tests', DDEV_E2E_PARENT_PYTHON=str(tools / 'agent'), **variables)
        assert tests.returncode == 0, tests.stdout + tests.stderr
        assert '3 passed, 1 skipped' in tests.stdout
        assert 'about what released components do' in tests.stdout
        (agent,) = calls(tools)
        # Elsewhere ddev would not find the integration.
        assert agent.startswith(f'agent in {ROOT}: -m ddev env agent kubeflow e2e.simulator-{VERSION} check --json')
        assert '--check-rate' in agent
    finally:
        down = session(
            tools, 'tests/test_endpoint.py', DDEV_E2E_UP='false', DDEV_E2E_RESULT_FILE=str(result), **variables
        )
    assert down.returncode == 0, down.stdout + down.stderr
    assert [' '.join(line.split()[:3]) for line in calls(tools)] == ['docker info', 'kind delete cluster']
    assert running(pids) == []


def from_state(variables):
    from datadog_checks.dev._env import deserialize_data

    return deserialize_data(variables['DDEV_E2E_ENV_kind'])


def test_what_cannot_be_forwarded_leaves_nothing_behind(tools):
    ports = json.loads((tools / 'ports').read_text())
    # The second endpoint is refused, once the first one is forwarded.
    (tools / 'ports').write_text(json.dumps({'9400': ports['9400']}))

    up = session(tools, 'tests/test_endpoint.py', DDEV_E2E_DOWN='false', DDEV_E2E_RESULT_FILE='x')

    assert up.returncode == 1
    assert 'RetryError' in up.stdout
    assert [line for line in calls(tools) if 'delete' in line] == [
        f'kind delete cluster --name cluster-kubeflow-e2e.simulator-{VERSION}'
    ]
    assert len(forwarding(tools)) == 2 and running(forwarding(tools)) == []


def test_an_environment_that_is_not_named_is_an_error_and_nothing_is_made(tools):
    up = session(
        tools, 'tests/test_endpoint.py', DDEV_E2E_DOWN='false', DDEV_E2E_RESULT_FILE='x', KUBEFLOW_VERSION='1.8'
    )

    assert up.returncode == 1
    assert "BadPlan: KUBEFLOW_VERSION is '1.8'; it takes one of 1.9, 1.10, 1.11, 26.03." in up.stdout
    assert calls(tools) == ['docker info']


def test_without_ddev_nothing_is_made(tools):
    tests = session(tools, '-m', 'e2e', 'tests')

    assert tests.returncode == 0
    assert 'the end-to-end tests run through ddev: `ddev env test kubeflow <environment>`' in tests.stdout
    assert calls(tools) == ['docker info']


def test_other_tests_need_no_cluster_and_leave_these_out(tools):
    tests = session(tools, 'tests/test_endpoint.py', 'tests/test_e2e.py')

    assert tests.returncode == 0
    assert '4 deselected' in tests.stdout
    assert not (tools / 'calls').exists()
