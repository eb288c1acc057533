# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The workflows of GitHub Actions do what the repository knows how to do, and no more than they may."""

import os
import re
import tomllib

import pytest
import yaml

from .kind.plan import ENVIRONMENTS, HERE, ROOT, read_plan, versions

PATHS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in PATHS}
# To YAML 1.1 an unquoted `on` is true.
ON = True

every_workflow = pytest.mark.parametrize('name', WORKFLOWS)


def jobs(name):
    return WORKFLOWS[name]['jobs'].values()


def steps(name):
    return [step for job in jobs(name) for step in job['steps']]


def test_there_are_workflows_for_every_push_and_for_every_night():
    assert {name: list(workflow[ON]) for name, workflow in WORKFLOWS.items()} == {
        'e2e.yml': ['schedule', 'workflow_dispatch'],
        'tests.yml': ['push', 'pull_request'],
    }


@every_workflow
def test_a_workflow_may_only_read_and_comes_to_an_end(name):
    assert WORKFLOWS[name]['permissions'] == {'contents': 'read'}
    assert WORKFLOWS[name]['concurrency']['group'].startswith(name.removesuffix('.yml'))
    for job in jobs(name):
        assert 'permissions' not in job
        assert job['timeout-minutes'] <= 150
        # One release that fails says nothing about the others.
        assert job['strategy']['fail-fast'] is False


@every_workflow
def test_what_others_wrote_is_pinned_to_a_release(name):
    used = [step['uses'] for step in steps(name) if 'uses' in step]

    assert used
    assert all(re.fullmatch(r'[\w-]+/[\w-]+@v\d+\.\d+\.\d+', each) for each in used)


def test_every_push_runs_what_a_merge_asks_for_on_every_python():
    (job,) = jobs('tests.yml')
    (command,) = [step['run'] for step in job['steps'] if 'run' in step]

    assert os.access(ROOT / command, os.X_OK)
    # The name under which setup-python puts the version of the matrix on PATH.
    assert job['steps'][-1]['env'] == {'PYTHON': 'python'}
    project = tomllib.loads((ROOT / 'kubeflow' / 'pyproject.toml').read_text())['project']
    supported = [each.rpartition(' ')[2] for each in project['classifiers'] if ' 3.' in each]
    assert job['strategy']['matrix'] == {'python': supported}


def hatch_environments():
    return tomllib.loads((ROOT / 'kubeflow' / 'hatch.toml').read_text())['envs']


def test_every_night_runs_every_environment_and_release():
    (job,) = jobs('e2e.yml')
    (matrix,) = hatch_environments()['e2e']['matrix']

    assert matrix == {'environment': list(ENVIRONMENTS), 'version': list(versions())}
    assert job['strategy']['matrix'] == matrix
    command = job['steps'][-1]['run']
    assert command == '.venv/bin/hatch run e2e "e2e.${{ matrix.environment }}-${{ matrix.version }}"'
    assert tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']['scripts']['e2e'] == (
        'ddev env test --dev kubeflow {args}'
    )


def test_the_environments_set_the_variables_that_choose():
    environments = hatch_environments()

    assert environments['e2e']['overrides']['matrix'] == {
        'environment': {'env-vars': 'KUBEFLOW_ENVIRONMENT'},
        'version': {'env-vars': 'KUBEFLOW_VERSION'},
    }
    # A matrix whose Python is absent is skipped with exit code 0.
    assert 'python' not in environments['e2e'] and 'matrix' not in environments['default']
    # `ddev env test kubeflow all` is every cluster and nothing else.
    assert environments['default']['e2e-env'] is False
    assert {name for name, one in environments.items() if one.get('e2e-env')} == {'e2e'}


def test_a_night_has_the_kind_whose_node_images_are_pinned_and_the_ddev_for_an_agent_in_the_cluster():
    (kind,) = [step['with'] for step in steps('e2e.yml') if step.get('uses', '').startswith('helm/kind-action')]
    (python,) = [step['with'] for step in steps('e2e.yml') if step.get('uses', '').startswith('actions/setup-python')]

    assert kind['version'] == yaml.safe_load((HERE / 'releases.yaml').read_text())['kind']
    # Else the action would make a cluster of its own.
    assert kind['install_only'] is True
    default = tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']
    assert "ddev==20.1.0; python_version >= '3.13'" in default['dependencies']
    assert python == {'python-version': '3.13'}


def test_a_night_is_long_enough_for_the_longest_environment():
    (job,) = jobs('e2e.yml')
    longest = max(read_plan(environment, versions()[0]).longest for environment in ENVIRONMENTS)

    # Beside it: the last command begun, the cluster, the Agent and the tests.
    assert job['timeout-minutes'] * 60 >= longest + 3600
