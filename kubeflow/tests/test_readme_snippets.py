# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the pages tell people to paste is what the check, the table of endpoints and Kubernetes take."""

import json
import re

import kubernetes_validate
import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue
from deploy.endpoints import read

from . import pages
from .pages import ENGLISH

ENDPOINTS = read()
# KServe's aggregated port, which a service has instead of those in the table, and a port that is of the user's choice.
OF_NO_ROW = {'kserve-container': 'http://%%host%%:9088/metrics', 'mpi-operator': 'http://%%host%%:9095/metrics'}
# Of Kubernetes itself; kubernetes_validate knows no others.
BUILT_IN = ('v1', 'networking.k8s.io/v1', 'rbac.authorization.k8s.io/v1')

SNIPPETS = [
    pytest.param(text, id=f'{pages.name(path)}-{number}')
    for path in ENGLISH
    for number, text in enumerate(pages.fenced(pages.read(path), 'yaml'))
]
OBJECTS = [
    pytest.param(data, id=f'{snippet.id}-{number}')
    for snippet in SNIPPETS
    for number, data in enumerate(yaml.safe_load_all(snippet.values[0]))
]
ANNOTATIONS = [
    pytest.param(container, form, json.loads(value), id=f'{data.id}-{container}.{form}')
    for data in OBJECTS
    for name, value in data.values[0].get('metadata', {}).get('annotations', {}).items()
    if name.startswith('ad.datadoghq.com/')
    for container, _, form in [name.removeprefix('ad.datadoghq.com/').rpartition('.')]
]


def instances_of(data):
    """Every instance of the check in a conf.yaml or in annotations of either form."""
    yield from data.get('instances', ())
    for name, value in data.get('metadata', {}).get('annotations', {}).items():
        if name.endswith('.checks'):
            yield from json.loads(value)['kubeflow']['instances']
        elif name.endswith('.instances'):
            yield from json.loads(value)


INSTANCES = [
    pytest.param(instance, id=f'{data.id}-{number}')
    for data in OBJECTS
    for number, instance in enumerate(instances_of(data.values[0]))
]


def test_there_is_something_of_each():
    assert len(SNIPPETS) > 60 and len(ANNOTATIONS) > 60 and len(INSTANCES) > 60


@pytest.mark.parametrize('data', OBJECTS)
def test_a_snippet_is_of_a_known_kind(data):
    keys = set(data)
    assert 'instances' in keys or 'apiVersion' in keys or keys in ({'metadata'}, {'workflowDefaults'}), keys


@pytest.mark.parametrize('instance', INSTANCES)
def test_an_instance_loads(instance):
    url = instance['openmetrics_endpoint'].replace('%%host%%', '127.0.0.1').replace('<port>', '9095')
    check = KubeflowCheck('kubeflow', {}, [{**instance, 'openmetrics_endpoint': url}])
    check.load_configuration_models()
    check.configure_scrapers()
    assert check.scrapers and check._option_warnings == []


@pytest.mark.parametrize('instance', INSTANCES)
def test_an_instance_names_the_port_of_its_service_and_the_token_of_the_table(instance):
    url = re.fullmatch(r'(\w+://)([\w-]+)\.([\w-]+)\.svc:(.*)', instance['openmetrics_endpoint'])
    if url and url[2] != 'prometheus':
        (row,) = [row for row in ENDPOINTS if (row.service.get('name'), row.namespace) == (url[2], url[3])]
        assert f'{url[1]}%%host%%:{url[4]}' == row.url
    if 'auth_token' in instance:
        assert instance['auth_token'] in [row.instance.get('auth_token') for row in ENDPOINTS]


@pytest.mark.parametrize('container, form, value', ANNOTATIONS)
def test_an_annotation_has_a_form_that_the_agent_reads(container, form, value):
    if form == 'checks':
        assert set(value) == {'kubeflow'} and set(value['kubeflow']) == {'instances'}
    else:
        assert {'check_names': ['kubeflow'], 'init_configs': [{}]}.get(form, value) == value
        assert form in ('check_names', 'init_configs', 'instances')


@pytest.mark.parametrize('container, form, value', ANNOTATIONS)
def test_an_annotation_names_a_container_and_its_endpoint(container, form, value):
    rows = [row for row in ENDPOINTS if row.container == container or container in ('service', 'endpoints')]
    assert rows
    urls = {row.url for row in rows} | {OF_NO_ROW.get(container)}
    for instance in {'checks': lambda: value['kubeflow']['instances'], 'instances': lambda: value}.get(form, list)():
        assert instance['openmetrics_endpoint'] in urls
        (tls,) = {row.scheme for row in rows if row.url == instance['openmetrics_endpoint']} or {'http'}
        assert instance.get('tls_verify', True) == (tls == 'http')


def test_annotations_of_a_pod_are_complete():
    for data in OBJECTS:
        forms = {}
        for name in data.values[0].get('metadata', {}).get('annotations', {}):
            container, _, form = name.rpartition('.')
            forms.setdefault(container, set()).add(form)
        for container, found in forms.items():
            if container.startswith('ad.datadoghq.com/'):
                assert found in ({'checks'}, {'check_names', 'init_configs', 'instances'}), data.id


@pytest.mark.parametrize('data', [data for data in OBJECTS if 'cluster_check' in data.values[0]])
def test_a_cluster_check_names_a_service_of_the_endpoint(data):
    (identifier,) = data['advanced_ad_identifiers']
    (instance,) = data['instances']
    found = [
        row
        for row in ENDPOINTS
        if (row.service.get('name'), row.namespace)
        == (identifier['kube_endpoints']['name'], identifier['kube_endpoints']['namespace'])
    ]
    assert [row.url for row in found] == [instance['openmetrics_endpoint']]


@pytest.mark.parametrize('data', [data for data in OBJECTS if data.values[0].get('apiVersion') in BUILT_IN])
def test_an_object_of_kubernetes_has_its_schema(data):
    kubernetes_validate.validate(data, '1.31', strict=True)


def kinds(kind):
    return [data.values[0] for data in OBJECTS if data.values[0].get('kind') == kind]


def selected(labels):
    return {row.port for row in ENDPOINTS if row.labels == labels}


def test_the_network_policy_opens_the_port_of_the_pods_it_selects():
    (policy,) = kinds('NetworkPolicy')
    ((rule,),) = [policy['spec']['ingress']]
    assert {each['port'] for each in rule['ports']} == selected(policy['spec']['podSelector']['matchLabels'])


def test_the_authorization_policy_opens_the_port_of_the_pods_it_selects():
    (policy,) = kinds('AuthorizationPolicy')
    (operation,) = [to['operation'] for rule in policy['spec']['rules'] for to in rule['to']]
    assert {int(port) for port in operation['ports']} == selected(policy['spec']['selector']['matchLabels'])
    assert (operation['methods'], operation['paths']) == (['GET'], ['/metrics'])


def test_the_role_allows_what_a_token_is_asked_for():
    (role,) = kinds('ClusterRole')
    (binding,) = kinds('ClusterRoleBinding')
    assert role['rules'] == [{'nonResourceURLs': ['/metrics'], 'verbs': ['get']}]
    assert binding['roleRef']['name'] == role['metadata']['name']


def test_the_setting_of_knative_is_the_one_of_the_table():
    (config,) = kinds('ConfigMap')
    ((key, value),) = config['data'].items()
    assert f"{key}: {value} in Knative's {config['metadata']['name']}" in {row.needs for row in ENDPOINTS}


def test_the_histogram_of_argo_feeds_the_duration_of_runs():
    (defaults,) = [data.values[0]['workflowDefaults'] for data in OBJECTS if 'workflowDefaults' in data.values[0]]
    (histogram,) = yaml.safe_load(defaults)['spec']['metrics']['prometheus']
    (entry,) = [entry for entry in load_catalogue().metrics if entry.name == 'pipeline.run.duration.seconds']
    (source,) = entry.component_sources
    assert tuple(source.families) == (f'argo_workflows_{histogram["name"]}',)
    assert source.rename['workflow_namespace'] == 'namespace'
    assert {label['key'] for label in histogram['labels']} == {'status', 'workflow_namespace'}
    bounds = histogram['histogram']['buckets']
    assert bounds == sorted(bounds)


def test_the_settings_named_in_prose_are_those_of_the_table():
    text = pages.read(pages.INTEGRATION / 'COMPONENTS.md')
    needs = {row.needs for row in ENDPOINTS if row.needs}
    named = {setting for setting in re.findall(r'`([^`\n]+)`', text) for need in needs if setting in need}
    assert {'--monitoring-port', '--metrics-bind-address=:8080', 'metrics_mode=prometheus'} <= named
