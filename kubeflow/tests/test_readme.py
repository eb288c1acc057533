# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the READMEs tell people to paste or type works."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck

INTEGRATION = Path(__file__).parent.parent
READMES = (INTEGRATION / 'README.md', INTEGRATION.parent / 'README.md')
ALL_READMES = (*READMES, INTEGRATION / 'tests' / 'kind' / 'README.md', INTEGRATION.parent / 'simulator' / 'README.md')
SCRIPTS = tomllib.loads((INTEGRATION.parent / 'hatch.toml').read_text())['envs']['default']['scripts'].keys()


def snippets(language):
    for path in READMES:
        for number, text in enumerate(re.findall(rf'```{language}\n(.*?)```', path.read_text(), re.DOTALL)):
            yield pytest.param(text, id=f'{path.parent.name}-{number}')


def instances(text):
    """Every instance of the check in a YAML snippet, be it a conf.yaml or the annotations of a pod."""
    data = yaml.safe_load(text)
    yield from data.get('instances', ())
    for name, value in data.get('metadata', {}).get('annotations', {}).items():
        assert re.fullmatch(r'ad\.datadoghq\.com/[a-z-]+\.checks', name)
        yield from json.loads(value)['kubeflow']['instances']


@pytest.mark.parametrize('text', snippets('yaml'))
def test_a_yaml_snippet_configures_instances_that_load(text):
    found = list(instances(text))
    assert found
    for instance in found:
        instance['openmetrics_endpoint'] = instance['openmetrics_endpoint'].replace('%%host%%', '127.0.0.1')
        check = KubeflowCheck('kubeflow', {}, [instance])
        check.load_configuration_models()
        check.configure_scrapers()
        assert check.scrapers and check._option_warnings == []


@pytest.mark.parametrize('text', snippets('shell'))
def test_a_command_names_a_script_that_is_there(text):
    commands = re.findall(r'hatch run (\w+)', text)
    built = re.findall(r'pip wheel .* (\S+)\n', text)
    assert commands or built
    assert set(commands) <= SCRIPTS
    assert all((INTEGRATION.parent / path / 'pyproject.toml').exists() for path in built)


def test_inline_commands_name_scripts_that_are_there():
    for path in ALL_READMES:
        # ddev is a program of the environment.
        assert set(re.findall(r'hatch run (\w+)', path.read_text())) <= SCRIPTS | {'ddev'}


@pytest.mark.parametrize('path', READMES, ids=lambda path: path.parent.name)
def test_links_and_paths_lead_to_files(path):
    text = path.read_text()
    targets = re.findall(r'\]\(([^)#]+)\)', text) + re.findall(r'^\[\d+\]: (\S+)$', text, re.MULTILINE)
    targets += re.findall(r'^\| `([\w./-]+/[\w./-]*)` \|', text, re.MULTILINE)
    local = [target for target in targets if '://' not in target]
    assert local
    for target in local:
        assert (path.parent / target).exists(), target
