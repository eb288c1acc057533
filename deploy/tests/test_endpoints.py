# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The table of endpoints: read as meant, complete, and in agreement with what else the project says of endpoints."""

import re
from collections import Counter

import pytest

from datadog_checks.kubeflow.catalogue import load_catalogue
from deploy.endpoints import KUBEFLOW, TOKEN_PATH, TableError, of_release, read
from simulator.releases import RELEASES, deployments

from .instances import taken

ROWS = read()
# Neither its container nor its port is established.
NOWHERE = {'jobset'}

every_row = pytest.mark.parametrize('row', ROWS, ids=lambda row: f'{row.component}-{row.container}-{row.programs}')


def first(text, tmp_path):
    path = tmp_path / 'endpoints.yaml'
    path.write_text(text)
    return read(path)[0]


def test_a_row_is_read_with_what_it_leaves_out(tmp_path):
    row = first('[{component: a, namespace: n, container: c, images: [i], port: 1, no_auto: x}]', tmp_path)

    assert (row.images, row.kubeflow, row.scheme, row.path, row.network) == (('i',), (), 'http', '/metrics', False)
    assert row.url == 'http://%%host%%:1/metrics'
    assert row.instance == {'openmetrics_endpoint': 'http://%%host%%:1/metrics'}


def test_https_and_a_token_become_options(tmp_path):
    text = '[{component: a, namespace: n, container: c, port: 2, path: /m, scheme: https, auth: token, no_auto: x}]'

    assert first(text, tmp_path).instance == {
        'openmetrics_endpoint': 'https://%%host%%:2/m',
        'tls_verify': False,
        'auth_token': {
            'reader': {'type': 'file', 'path': TOKEN_PATH},
            'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
        },
    }


def test_a_port_of_the_user_s_choice_is_left_to_the_user(tmp_path):
    row = first('[{component: a, namespace: n, container: c, no_auto: x}]', tmp_path)

    assert row.url == 'http://%%host%%:<port>/metrics'


@pytest.mark.parametrize(
    'text, sentence',
    [
        ('{component: a, namespace: n, container: c, no_auto: x, colour: red}', 'has the unknown field colour'),
        ('{component: a, namespace: n, no_auto: x}', 'lacks the field container'),
        ('{component: a, namespace: n, container: c}', 'needs one of auto_conf and no_auto'),
        ('{component: a, namespace: n, container: c, auto_conf: x, no_auto: y}', 'needs one of auto_conf and no_auto'),
        (
            "{component: a, namespace: n, container: c, no_auto: x, kubeflow: ['1.10', '1.8']}",
            'names Kubeflow 1.8, which is none of 1.9, 1.10, 1.11, 26.03, 26.03.1',
        ),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(text, sentence, tmp_path):
    with pytest.raises(TableError, match=f'^{re.escape(f"row 1 (a) of endpoints.yaml {sentence}")}$'):
        first(f'[{text}]', tmp_path)


def test_a_row_without_a_component_is_named_by_its_place(tmp_path):
    with pytest.raises(TableError, match=r'^row 1 \(without component\) of endpoints\.yaml lacks the field component$'):
        first('[{namespace: n, container: c, no_auto: x}]', tmp_path)


def test_every_component_of_the_check_has_a_row():
    components = load_catalogue().components.values()

    assert {row.component for row in ROWS} | NOWHERE == {one.id for one in components if not one.shared}
    assert not {row.component for row in ROWS} & NOWHERE


def test_rows_that_nothing_else_holds_are_as_their_sources_say():
    """Those that neither a stand-in nor the simulator has."""
    rows = {f'{row.component} {row.container} {row.programs}'.strip(): row for row in ROWS}

    found = {
        name: (rows[name].url, rows[name].declared, rows[name].auth, dict(rows[name].labels))
        for name in (
            'mpi-operator mpi-operator',
            'vllm main in an LLMInferenceService, KServe 0.16 and later',
            'epp main KServe 0.16 and later',
            'modelmesh mm from 0.7',
            'seldon-v1 seldon-container-engine up to 1.18',
            'seldon-v2 agent from 2.0',
            'seldon-v2 pipelinegateway from 2.0',
        )
    }
    part_of, component = 'app.kubernetes.io/part-of', 'app.kubernetes.io/component'
    assert list(found.values()) == [
        ('http://%%host%%:<port>/metrics', '', '', {'app': 'mpi-operator'}),
        (
            'http://%%host%%:8000/metrics',
            '',
            '',
            {part_of: 'llminferenceservice', component: 'llminferenceservice-workload'},
        ),
        (
            'http://%%host%%:9090/metrics',
            'metrics',
            'token',
            {part_of: 'llminferenceservice', component: 'llminferenceservice-router-scheduler'},
        ),
        ('https://%%host%%:2112/metrics', 'prometheus', '', {'app.kubernetes.io/name': 'modelmesh-controller'}),
        ('http://%%host%%:8000/prometheus', 'metrics', '', {}),
        ('http://%%host%%:9006/metrics', 'metrics', '', {'app.kubernetes.io/name': 'seldon-server'}),
        ('http://%%host%%:9006/metrics', 'metrics', '', {}),
    ]


def test_pods_of_users_are_known_by_what_kserve_writes():
    """KServe makes them, so no manifest has these containers."""
    rows = {row.component: row for row in ROWS if row.labels.get('component') == 'predictor'}

    assert {name: (row.container, row.port, row.declared) for name, row in rows.items()} == {
        'kserve-server': ('kserve-container', 8080, ''),
        'mlserver': ('kserve-container', 8082, ''),
        'triton': ('kserve-container', 8002, ''),
        'torchserve': ('kserve-container', 8082, ''),
        'tensorflow-serving': ('kserve-container', 8080, ''),
        'vllm': ('kserve-container', 8080, ''),
        'queue-proxy-opencensus': ('queue-proxy', 9091, 'http-usermetric'),
        'queue-proxy-otel': ('queue-proxy', 9091, 'http-usermetric'),
    }


def test_services_lead_to_the_port_of_their_row():
    services = {(row.namespace, *row.service.values()): row for row in ROWS if row.service}

    assert {name: row.port for name, row in services.items()} == {
        ('kubeflow', 'katib-controller', 'metrics'): 8080,
        ('kubeflow', 'training-operator', 'monitoring-port'): 8080,
        ('kubeflow-workspaces', 'workspaces-controller-metrics-service', 8080): 8080,
        ('kubeflow', 'profiles-kfam', 8081): 8081,
        ('kubeflow', 'tensorboard-controller-controller-manager-metrics-service', 8443): 8443,
        ('kubeflow', 'pvcviewer-controller-manager-metrics-service', 8443): 8443,
        ('kubeflow', 'kserve-controller-manager-metrics-service', 8443): 8443,
        ('kubeflow', 'ml-pipeline', 8888): 8888,
    }


def test_a_release_has_the_rows_that_name_it():
    assert [row.scheme for row in of_release('1.10') if row.component == 'argo-workflow-controller'] == ['http']
    assert [row.scheme for row in of_release('26.03') if row.component == 'argo-workflow-controller'] == ['https']


@every_row
def test_a_row_makes_an_instance_that_the_check_takes(row):
    assert taken(row.instance) == f'{row.scheme}://127.0.0.1:{row.port or 8080}{row.path}'


@every_row
def test_the_values_of_a_row_are_among_the_known_ones(row):
    assert row.scheme in ('http', 'https') and row.auth in ('', 'token') and row.istio in ('', 'deny', 'dashboard')
    assert row.path.startswith('/') and re.compile(row.workload)
    assert set(row.service) in (set(), {'name', 'port'})
    if row.kubeflow:
        start = KUBEFLOW.index(row.kubeflow[0])
        assert row.kubeflow == KUBEFLOW[start : start + len(row.kubeflow)]


@pytest.mark.parametrize('kubeflow', KUBEFLOW)
def test_a_component_has_one_form_in_a_release(kubeflow):
    forms = Counter((row.component, row.container) for row in of_release(kubeflow))

    assert max(forms.values()) == 1


@pytest.mark.parametrize('kubeflow', RELEASES)
def test_the_simulated_releases_agree(kubeflow):
    """The simulator's doors, paths and notes say of each component what the table says."""
    rows = {row.component: row for row in of_release(kubeflow)}
    # The series of qpext go by the Knative that it was built with, the rows by the one that is installed.
    for one in (each for each in deployments(kubeflow) if each.name != 'qpext'):
        row = rows[one.component.id]
        door = 'token' if row.auth else row.scheme
        assert (one.door, one.component.path) == (door, row.path), one.name
        assert ('NetworkPolicies' in one.note) == row.network, one.name
        assert ("Istio's deny-all policy" in one.note) == (row.istio == 'deny'), one.name
        assert ('Istio to all but the dashboard' in one.note) == (row.istio == 'dashboard'), one.name
