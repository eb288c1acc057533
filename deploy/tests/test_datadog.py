# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files for Agents: what they configure is what the table says, and they agree with each other."""

import re
from pathlib import Path

import pytest
import yaml

from datadog_checks.kubeflow.__about__ import __version__
from datadog_checks.kubeflow.catalogue import load_catalogue
from deploy.endpoints import read

from .instances import taken

ROOT = Path(__file__).parents[2]
DATADOG = ROOT / 'deploy' / 'datadog'
CHECKS = sorted([*DATADOG.glob('cluster-checks/*.yaml'), *DATADOG.glob('conf.d/kubeflow.d/*.yaml')])
README = (DATADOG / 'README.md').read_text()
ROWS = read()

every_check = pytest.mark.parametrize('path', CHECKS, ids=lambda path: path.relative_to(DATADOG).as_posix())


def content(name):
    return yaml.safe_load((DATADOG / name).read_text())


def options(instance):
    """What is said of an endpoint beside where it is and how its series are tagged."""
    return {name: value for name, value in instance.items() if name not in ('openmetrics_endpoint', 'tags')}


@every_check
def test_the_check_takes_every_instance(path):
    instances = yaml.safe_load(path.read_text())['instances']

    assert instances
    for instance in instances:
        url = instance['openmetrics_endpoint'].partition('?')[0]
        assert taken(instance) == url.replace('%%host%%', '127.0.0.1')


@every_check
def test_what_runs_once_in_the_cluster_says_so(path):
    assert yaml.safe_load(path.read_text()).get('cluster_check', False) == (path.parent.name == 'cluster-checks')


def test_the_services_are_all_those_behind_a_token_and_no_other():
    template = content('cluster-checks/rbac-proxy.yaml')
    rows = [row for row in ROWS if row.auth == 'token' and row.service]

    identifiers = [{'kube_endpoints': {'name': row.service['name'], 'namespace': row.namespace}} for row in rows]
    assert template['advanced_ad_identifiers'] == identifiers
    assert [row.instance for row in rows] == template['instances'] * len(rows)
    # What a file finds too would be scraped twice.
    assert not any(row.auto_conf for row in rows)


def test_the_instances_of_a_host_have_the_form_of_a_component_s():
    forms = [(row.scheme, row.path, options(row.instance)) for row in ROWS]
    for instance in content('conf.d/kubeflow.d/conf.yaml')['instances']:
        url = re.fullmatch(r'(https?)://kubeflow\.example\.com:30\d{3}(/.*)', instance['openmetrics_endpoint'])
        assert (*url.groups(), options(instance)) in forms


def test_the_token_of_a_host_is_handed_on_as_the_one_of_a_pod():
    (instance,) = content('conf.d/kubeflow.d/token.yaml')['instances']
    (row,) = [row for row in ROWS if row.component == 'kserve-controller']

    reader = {'type': 'file', 'path': '/etc/datadog-agent/kubeflow-token'}
    expected = {**options(row.instance), 'auth_token': {**row.instance['auth_token'], 'reader': reader}}
    assert options(instance) == expected


def test_every_instance_of_a_host_names_the_cluster_that_the_others_name():
    tags = [
        one['tags']
        for path in CHECKS
        if 'conf.d' in path.parts
        for one in yaml.safe_load(path.read_text())['instances']
    ]

    cluster = content('helm-values.yaml')['datadog']['clusterName']
    assert len(tags) == 5
    assert tags == [[f'kube_cluster_name:{cluster}']] * 5


@pytest.mark.parametrize('name', ['cluster-checks/federation.yaml', 'conf.d/kubeflow.d/federation.yaml'])
def test_federation_selects_what_katib_and_the_notebook_controller_expose(name):
    (instance,) = content(name)['instances']
    path, _, query = instance['openmetrics_endpoint'].partition('?')
    up, start, pattern = re.fullmatch(r'match\[\]=(\w+)&match\[\]=(\w+)&match\[\]={__name__=~"(.*)"}', query).groups()

    assert path.endswith(':9090/federate')
    assert (up, start) == ('up', 'process_start_time_seconds')
    families = {
        family: source.component
        for entry in load_catalogue().metrics
        for source in entry.component_sources
        for family in source.families
    }
    selected = {component for family, component in families.items() if re.fullmatch(pattern, family)}
    assert selected == {'katib-controller', 'notebook-controller'}


def test_helm_and_the_operator_are_told_the_same():
    values, spec = content('helm-values.yaml'), content('datadogagent.yaml')['spec']
    image = '{repository}:{tag}'.format(**values['agents']['image'])

    assert spec['global']['clusterName'] == values['datadog']['clusterName']
    assert spec['global']['site'] == values['datadog']['site']
    assert spec['global']['credentials']['apiSecret']['secretName'] == values['datadog']['apiKeyExistingSecret']
    assert spec['features']['clusterChecks'] == {
        'enabled': values['datadog']['clusterChecks']['enabled'],
        'useClusterChecksRunners': values['clusterChecksRunner']['enabled'],
    }
    assert spec['override']['nodeAgent']['image'] == spec['override']['clusterChecksRunner']['image'] == {'name': image}
    assert '{repository}:{tag}'.format(**values['clusterChecksRunner']['image']) == image
    assert spec['override']['clusterChecksRunner']['replicas'] == values['clusterChecksRunner']['replicas']


def test_the_operator_s_config_map_is_the_one_that_is_made():
    config_map = content('datadogagent.yaml')['spec']['override']['clusterAgent']['extraConfd']['configMap']

    assert f'kubectl create configmap {config_map["name"]} --namespace datadog' in README
    assert '--from-file deploy/datadog/cluster-checks\n' in README
    assert config_map['items'] == [{'key': 'rbac-proxy.yaml', 'path': 'kubeflow.yaml'}]
    assert (DATADOG / 'cluster-checks' / 'rbac-proxy.yaml').is_file()


def test_the_secret_that_is_made_is_the_one_that_is_read():
    (secret,) = set(re.findall(r'kubectl create secret generic (.*) --namespace (.*) --from-literal (.*)=', README))
    agent = content('datadogagent.yaml')

    reference = agent['spec']['global']['credentials']['apiSecret']
    assert secret == (reference['secretName'], agent['metadata']['namespace'], reference['keyName'])
    # The chart reads the key of this name.
    assert secret == (content('helm-values.yaml')['datadog']['apiKeyExistingSecret'], 'datadog', 'api-key')


def test_the_chart_does_not_take_the_tag_for_a_version_of_the_agent():
    image = content('helm-values.yaml')['agents']['image']

    assert image == {'repository': 'registry.example.com/agent-kubeflow', 'tag': __version__, 'doNotCheckTag': True}


def test_the_image_is_built_with_the_wheel_of_this_version():
    dockerfile = (DATADOG / 'Dockerfile').read_text()
    wheel = 'datadog_kubeflow-{}-py3-none-any.whl'

    assert f'ARG KUBEFLOW_CHECK={__version__}\n' in dockerfile
    assert f'COPY dist/{wheel.format("${KUBEFLOW_CHECK}")} /\n' in dockerfile
    assert f'RUN agent integration install -r -w /{wheel.format("${KUBEFLOW_CHECK}")} ' in dockerfile
    assert re.findall(r'dist/(\S+\.whl)', README) == [wheel.format(__version__)]
    assert content('helm-values.yaml')['agents']['image']['tag'] == __version__


def test_the_readme_names_every_file_and_commands_name_files_that_are_there():
    for path in DATADOG.rglob('*'):
        if path.is_file() and path.name != 'README.md':
            assert path.name in README or f'{path.parent.relative_to(DATADOG)}/' in README, path
    paths = re.findall(r'deploy/datadog[\w./-]*', README)
    assert len(paths) >= 5
    for path in paths:
        assert (ROOT / path).exists(), path
