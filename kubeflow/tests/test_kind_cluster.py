# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""How commands are run, and what is told where no cluster can be made."""

import os
import stat
import sys
from pathlib import Path

import pytest
import yaml

from datadog_checks.dev.kind import KindLoad

from .kind import cluster
from .kind.cluster import StepFailed, agent, conditions, from_here, missing, run, set_up
from .kind.plan import HERE, OPTIONS, ROOT, Command, Endpoint, read_plan


def python(program, **options):
    return Command((sys.executable, '-c', program), **{'seconds': 20, **options})


@pytest.fixture
def pauses():
    return []


# --- running ----------------------------------------------------------------------------------------------------------


def test_a_command_gives_what_it_prints(capsys):
    assert run(python('print(1, flush=True); import sys; print(2, file=sys.stderr)')).split() == ['1', '2']
    assert capsys.readouterr().err.startswith(f'+ {sys.executable} -c print(1, flush=True)')


def test_a_command_that_fails_is_told_with_its_last_line(pauses):
    with pytest.raises(StepFailed, match='-c .*` failed: no such host$'):
        run(python('print("trying", flush=True); raise SystemExit("no such host")'), pauses.append)
    assert pauses == []


def test_a_command_is_tried_as_often_as_it_may(tmp_path, pauses):
    program = f'p = {str(tmp_path / "n")!r}; open(p, "a").write("."); n = len(open(p).read()); print(n); exit(n < 3)'

    assert run(python(program, attempts=6), pauses.append).strip() == '3'
    assert pauses == [10, 10]

    with pytest.raises(StepFailed, match='failed in 2 attempts: webhook refused'):
        run(python('raise SystemExit("webhook refused")', attempts=2), pauses.append)


def test_a_command_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(cluster, 'GRACE', 1)

    with pytest.raises(StepFailed, match='it did not end within 1 seconds'):
        run(python('import time; time.sleep(60)', seconds=0))


def test_a_command_is_repeated_until_it_prints_what_is_waited_for(tmp_path, pauses):
    program = f'p = {str(tmp_path / "n")!r}; open(p, "a").write("."); print("run", len(open(p).read()))'

    assert run(python(program, matches='run [4-9]', seconds=60), pauses.append).strip() == 'run 4'
    assert pauses == [5, 5, 5]

    with pytest.raises(StepFailed, match='did not print done within 10 seconds: run 6'):
        run(python(program, matches='done', seconds=10), pauses.append)


# --- setting up -------------------------------------------------------------------------------------------------------


@pytest.fixture
def commands_run(monkeypatch):
    """The command lines run, none of them for real."""
    lines = []

    def record(command, sleep=None):
        lines.append(command.argv)
        return '{"data": {"ingress": "{}"}}'

    monkeypatch.setattr(cluster, 'run', record)
    return lines


def test_a_plan_is_run_whole_and_in_order(commands_run):
    one = read_plan('upstream', '26.03')

    set_up(one)

    assert commands_run[0][-1].endswith('namespaces.yaml')
    read = next(
        place for place, line in enumerate(commands_run) if line[1:3] == ('get', 'configmap/inferenceservice-config')
    )
    assert '--patch={"data": {"ingress": "{\\"disableIstioVirtualHost\\": true}"}}' in commands_run[read + 1]
    # One more than commands: the amendment is two.
    assert len(commands_run) == len(list(one.commands())) + 1


def test_a_plan_that_takes_too_long_is_given_up(commands_run, monkeypatch):
    shown = []
    monkeypatch.setattr(cluster.subprocess, 'run', lambda argv, **_: shown.append(argv))
    one = read_plan('simulator', '26.03')
    clock = iter([0, 1, one.longest + 1]).__next__

    with pytest.raises(StepFailed, match='simulator 26.03 was not up within 600 seconds'):
        set_up(one, clock)

    assert len(commands_run) == 1
    # What the cluster looked like then.
    assert [argv[:3] for argv in shown] == [['kubectl', 'get', 'pods'], ['kubectl', 'get', 'events']]


def test_the_simulator_s_image_is_built_and_loaded_before_it_is_used(commands_run):
    build, load, up = conditions(read_plan('simulator', '26.03'))

    build()
    up()

    assert commands_run[0] == ('docker', 'build', '--tag', 'kubeflow-simulator:e2e', str(ROOT / 'simulator'))
    assert isinstance(load, KindLoad) and load.image == 'kubeflow-simulator:e2e'
    assert commands_run[1][:2] == ('kubectl', 'apply')
    assert (ROOT / 'simulator' / 'Dockerfile').is_file()
    assert len(conditions(read_plan('upstream', '26.03'))) == 1


def test_the_simulator_s_manifest_names_the_image_and_its_token():
    _, secret, deployment = yaml.safe_load_all((HERE / 'manifests' / 'simulator.yaml').read_text())
    (container,) = deployment['spec']['template']['spec']['containers']

    from .kind import simulator

    assert container['image'] == simulator.IMAGE
    assert container['readinessProbe']['tcpSocket']['port'] == simulator.BASE_PORT
    assert secret['stringData']['token'] == simulator.TOKEN
    assert f'deployment/{deployment["metadata"]["name"]}' == simulator.WORKLOAD
    assert deployment['metadata']['namespace'] == simulator.NAMESPACE
    dockerfile = (ROOT / 'simulator' / 'Dockerfile').read_text()
    assert f'"--host", "0.0.0.0", "--base-port", "{simulator.BASE_PORT}"' in dockerfile


# --- the Agent --------------------------------------------------------------------------------------------------------


def test_an_agent_in_the_cluster_has_only_what_it_finds(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, 'AGENT_IN_CLUSTER', True)

    config, metadata = agent(read_plan('upstream', '26.03'), '/kubeconfig', tmp_path, [{'openmetrics_endpoint': 'x'}])

    assert config == {'init_config': {}, 'instances': []}
    path = tmp_path / 'auto_conf.yaml'
    assert metadata == {
        'agent_type': 'kubernetes',
        'kubernetes': {'kubeconfig': '/kubeconfig', 'auto_conf': str(path), 'wait_timeout': 600},
    }
    template = yaml.safe_load(path.read_text())
    assert 'notebook-controller' in template['ad_identifiers']
    assert template['instances'] == [{'openmetrics_endpoint': 'http://%%host%%:8080/metrics', **OPTIONS}]


def test_an_agent_beside_the_cluster_has_the_forwarded_ports(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, 'AGENT_IN_CLUSTER', False)
    instances = [{'openmetrics_endpoint': 'http://10.0.0.1:1234/metrics'}]

    config, metadata = agent(read_plan('upstream', '26.03'), '/kubeconfig', tmp_path, instances)

    assert config == {'init_config': {}, 'instances': instances}
    # The file with the token is where the instance says.
    assert metadata == {'agent_type': 'docker', 'docker_volumes': [f'{tmp_path}:{tmp_path}:ro']}


def test_the_agent_finds_every_simulated_endpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, 'AGENT_IN_CLUSTER', True)
    one = read_plan('simulator', '26.03')

    _, metadata = agent(one, '/kubeconfig', tmp_path, [])

    template = yaml.safe_load(Path(metadata['kubernetes']['auto_conf']).read_text())
    assert template['ad_identifiers'] == ['kubeflow-simulator']
    assert template['instances'] == [endpoint.instance('%%host%%') for endpoint in one.endpoints]


def test_the_token_of_the_agent_s_account_is_replaced_outside_the_cluster(tmp_path):
    one = read_plan('upstream', '26.03')
    (endpoint,) = [each for each in one.endpoints if 'auth_token' in each.options]

    options = from_here(endpoint, tmp_path / 'token')

    assert options['auth_token']['reader'] == {'type': 'file', 'path': str(tmp_path / 'token')}
    assert options['auth_token']['writer'] == endpoint.options['auth_token']['writer']
    assert endpoint.options['auth_token']['reader']['path'].startswith('/var/run/secrets/')
    assert from_here(Endpoint('a', 'b', 'c', 'd', 'e', 1, 'auto_conf'), tmp_path) == {}


def test_the_token_is_written_for_its_owner_alone(monkeypatch, tmp_path):
    lines = []
    monkeypatch.setattr(cluster, 'run', lambda command: lines.append(' '.join(command.argv)) or 'secret\n')

    path = cluster.write_token('/kubeconfig', tmp_path)

    assert path.read_text() == 'secret'
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert lines == [
        'kubectl --kubeconfig=/kubeconfig create token metrics-reader --duration=24h --namespace=kubeflow-e2e'
    ]


# --- no cluster -------------------------------------------------------------------------------------------------------


def stand_ins(directory, **programs):
    for name, script in programs.items():
        path = directory / name
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)


@pytest.mark.parametrize('tool', ['kind', 'kubectl', 'docker'])
def test_a_tool_that_is_not_there_is_named(tool, monkeypatch, tmp_path):
    stand_ins(tmp_path, **dict.fromkeys({'kind', 'kubectl', 'docker'} - {tool}, 'exit 0'))
    monkeypatch.setenv('PATH', str(tmp_path))

    assert missing() == (
        f'`{tool}` is not on PATH; the end-to-end tests need kind, kubectl, docker and a running Docker.'
    )


def test_docker_that_does_not_run_is_told_in_its_own_words(monkeypatch, tmp_path):
    says = 'echo Server:; echo "Cannot connect to the Docker daemon." >&2; exit 1'
    stand_ins(tmp_path, kind='exit 0', kubectl='exit 0', docker=says)
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')

    assert missing() == '`docker info` failed: Cannot connect to the Docker daemon.'


def test_docker_that_hangs_is_not_waited_for(monkeypatch, tmp_path):
    stand_ins(tmp_path, kind='exit 0', kubectl='exit 0', docker='exec sleep 60')
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')
    monkeypatch.setattr(cluster, 'GRACE', 1)

    assert missing().startswith('`docker info` gave no answer within 1 seconds')


def test_where_all_is_there_nothing_is_missing(monkeypatch, tmp_path):
    stand_ins(tmp_path, kind='exit 0', kubectl='exit 0', docker='exit 0')
    monkeypatch.setenv('PATH', str(tmp_path))

    assert missing() == ''
