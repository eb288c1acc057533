# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What deploy/prometheus renders: the objects, their schemas, whom they let in."""

import re
import shutil

import pytest

from deploy.endpoints import KUBEFLOW, of_release
from kubeflow.tests.kind.objects import faults
from kubeflow.tests.wheels import Models, download

from .kustomize import render
from .monitored import DIRECTORY, documents

# The newest there is a package of, and whose source `monitored` follows.
OPERATOR = '0.80.1.0'
PACKAGE = 'cloudcoil/models/prometheus_operator'
MODULES = {'monitoring.coreos.com/v1': 'v1', 'monitoring.coreos.com/v1alpha1': 'v1alpha1'}
MONITORING = {'PodMonitor', 'ServiceMonitor', 'PrometheusRule'}

OPTIONAL = sorted(path.name for path in (DIRECTORY / 'optional').iterdir())


# Of all that is optional.
LINES = [
    ('components: []\n', 'components:\n'),
    *((f'#  - optional/{name}\n', f'  - optional/{name}\n') for name in OPTIONAL),
]

# What is in no file that Prometheus is to read: the port is that of kfam's API.
CLOSED = {'kfam'}


@pytest.fixture(scope='module')
def stock(kustomize):
    """The objects without anything optional."""
    return render(kustomize, DIRECTORY)


@pytest.fixture(scope='module')
def objects(kustomize, tmp_path_factory):
    """The objects with all that is optional."""
    return render(kustomize, changed(tmp_path_factory.mktemp('all'), kustomization=LINES))


def changed(tmp_path, **files):
    """A copy of the directory in which texts of files are replaced: by path without suffix, pairs of old and new."""
    copy = shutil.copytree(DIRECTORY, tmp_path / 'prometheus')
    for name, pairs in files.items():
        path = copy / f'{name}.yaml'
        text = path.read_text(encoding='utf-8')
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding='utf-8')
    return copy


def named(content):
    return content['kind'], content['metadata']['name']


def namespaces(content):
    """Every namespace of Prometheus's that an object names."""
    match content['kind']:
        case 'NetworkPolicy':
            for rule in content['spec']['ingress']:
                for peer in rule['from']:
                    yield peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']
        case 'ClusterRoleBinding':
            yield from (subject['namespace'] for subject in content['subjects'])
        case kind if kind in MONITORING:
            yield content['metadata']['namespace']


def test_what_is_optional_is_added_by_a_line_each(stock, objects):
    assert sorted(map(named, stock)) == sorted(map(named, documents('monitors/*.yaml', 'rules.yaml', 'rbac.yaml')))
    added = [content for content in objects if content not in stock]
    files = documents('optional/*/podmonitors.yaml', 'optional/*/networkpolicies.yaml')
    assert sorted(map(named, added)) == sorted(map(named, files))
    assert len(objects) == len(stock) + len(added)


def test_nothing_stock_closes_anything(stock):
    assert 'NetworkPolicy' not in {content['kind'] for content in stock}


def test_one_file_says_where_prometheus_is(kustomize, tmp_path):
    settings = [
        ('namespace: monitoring', 'namespace: observability'),
        ('serviceAccount: prometheus-k8s', 'serviceAccount: stack-prometheus'),
        ('release: kube-prometheus-stack', 'release: stack'),
    ]
    found = render(kustomize, changed(tmp_path, settings=settings, kustomization=LINES))
    assert {namespace for content in found for namespace in namespaces(content)} == {'observability'}
    assert all(any(namespaces(content)) for content in found if content['kind'] != 'ClusterRole')
    monitoring = [content for content in found if content['kind'] in MONITORING]
    assert {content['metadata']['labels']['release'] for content in monitoring} == {'stack'}
    (binding,) = [content for content in found if content['kind'] == 'ClusterRoleBinding']
    assert binding['subjects'] == [{'kind': 'ServiceAccount', 'name': 'stack-prometheus', 'namespace': 'observability'}]


@pytest.mark.parametrize('kubernetes', ['1.29', '1.34'])
def test_objects_are_valid_for_kubernetes(objects, kubernetes):
    known = [content for content in objects if content['kind'] not in MONITORING]
    assert [fault for content in known for fault in faults(content, kubernetes)] == []


@pytest.mark.slow
def test_objects_have_only_fields_of_the_operator(objects, tmp_path):
    wheel = download('cloudcoil-models-prometheus-operator', OPERATOR, tmp_path)
    models = {version: Models(wheel, f'{PACKAGE}/{module}.py') for version, module in MODULES.items()}

    def found(content):
        return list(models[content['apiVersion']].faults(content, content['kind'], content['kind']))

    several = [content for content in objects if content['kind'] in MONITORING]
    several += documents('alertmanager-config.yaml')
    assert {content['kind'] for content in several} == MONITORING | {'AlertmanagerConfig'}
    for content in several:
        assert found(content) == []
        wrong = {**content, 'spec': {**content['spec'], 'nonsense': 1}}
        assert [fault.rpartition(' has no ')[2] for fault in found(wrong)] == ['nonsense']
    # A scalar that has a type of its own.
    (monitor,) = documents('monitors/spark.yaml')
    monitor['spec']['podMetricsEndpoints'][0]['relabelings'][0]['sourceLabels'] = [1]
    assert found(monitor) == ['PodMonitor.spec.podMetricsEndpoints.relabelings.sourceLabels is no str']


def opened(objects):
    """What the policies open: (namespace, pod labels, port)."""
    for content in objects:
        if content['kind'] == 'NetworkPolicy':
            labels = content['spec']['podSelector'].get('matchLabels', {})
            for rule in content['spec']['ingress']:
                for port in rule['ports']:
                    assert port['protocol'] == 'TCP'
                    yield content['metadata']['namespace'], labels, port['port']


@pytest.mark.parametrize('release', KUBEFLOW)
def test_each_metrics_port_is_open_to_prometheus(objects, release):
    for row in of_release(release):
        if row.network and row.component not in CLOSED:
            assert any(
                (labels.items() <= row.labels.items() and port == row.port)
                if labels
                else (port == row.declared and not row.labels)
                for namespace, labels, port in opened(objects)
                if namespace == row.namespace
            ), row


def test_nothing_but_metrics_ports_is_open_to_prometheus(objects):
    rows = [row for release in KUBEFLOW for row in of_release(release) if row.network and row.component not in CLOSED]
    for namespace, labels, port in opened(objects):
        there = [row for row in rows if row.namespace == namespace and labels.items() <= row.labels.items()]
        assert port in {row.port for row in there} | {row.declared for row in there if not labels}


def test_prometheus_may_discover_pods_and_services_and_read_metrics_alone(objects):
    (role,) = [content for content in objects if content['kind'] == 'ClusterRole']
    assert {verb for rule in role['rules'] for verb in rule['verbs']} == {'get', 'list', 'watch'}
    assert {resource for rule in role['rules'] for resource in rule.get('resources', ())} == {
        'services',
        'endpoints',
        'endpointslices',
        'pods',
    }
    assert [rule['nonResourceURLs'] for rule in role['rules'] if 'nonResourceURLs' in rule] == [['/metrics']]


def test_the_example_of_alertmanager_knows_the_alerts():
    (config,) = documents('alertmanager-config.yaml')
    alerts = {
        rule['alert']
        for group in documents('rules.yaml')[0]['spec']['groups']
        for rule in group['rules']
        if 'alert' in rule
    }
    route = config['spec']['route']
    (matcher,) = route['matchers']
    assert all(re.fullmatch(matcher['value'], alert) for alert in alerts)
    for rule in config['spec']['inhibitRules']:
        for each in rule['sourceMatch'] + rule['targetMatch']:
            assert each['name'] != 'alertname' or each['value'] in alerts
    receivers = {receiver['name'] for receiver in config['spec']['receivers']}
    assert {route['receiver'], *(each['receiver'] for each in route['routes'])} == receivers
