# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What deploy/kustomize opens to the Agent, against the table of endpoints."""

import pytest

from deploy.endpoints import KUBEFLOW, PROFILE, of_release

from .installation import PART_OF, SETTINGS, added, by_identity, installed, pods, standin, standins
from .kustomize import RenderError
from .test_kustomize_annotations import name_of

every_release = pytest.mark.parametrize('release', KUBEFLOW)

AGENT = {'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'datadog'}}}


def rows_of(objects, rows):
    """The rows, each with the pod that it is about."""
    return [(pod, row) for row in rows for pod in pods(objects) if name_of(row, pod)]


def opened(objects, kind, ports):
    """What policies of a kind open: namespace, workload, and each of what `ports` finds in a policy."""
    found = []
    for policy in added(objects, kind):
        selected = [pod for pod in pods(objects) if pod.selected(policy)]
        assert selected, f'{policy["metadata"]["name"]} selects nothing'
        found += [(pod.namespace, pod.name, *port) for pod in selected for port in ports(policy)]
    assert len(set(found)) == len(found)
    return set(found)


# --- NetworkPolicies --------------------------------------------------------------------------------------------------


@every_release
def test_network_policies_open_the_ports_of_the_table_and_no_other(bundles, release):
    objects = bundles[release]

    def ports(policy):
        assert policy['spec']['policyTypes'] == ['Ingress']
        (rule,) = policy['spec']['ingress']
        return [(port['protocol'], port['port']) for port in rule['ports']]

    rows = [row for row in of_release(release) if row.network]
    expected = {(pod.namespace, pod.name, 'TCP', row.port) for pod, row in rows_of(objects, rows)}
    assert len(expected) == len(rows)
    assert opened(objects, 'NetworkPolicy', ports) == expected


@every_release
def test_network_policies_let_the_agent_in_alone(bundles, release):
    peers = [rule['from'] for policy in added(bundles[release], 'NetworkPolicy') for rule in policy['spec']['ingress']]

    assert peers == [[{**AGENT, 'podSelector': {'matchExpressions': []}}]] * len(peers)


@pytest.fixture
def policies(kustomize, tmp_path):
    """The objects of 26.03.1 with its NetworkPolicies, by settings."""

    return lambda settings: installed(kustomize, tmp_path, standins('26.03.1'), ['26.03.1/network-policies'], settings)


def test_the_settings_say_who_is_let_in(policies):
    expression = {'key': 'app', 'operator': 'In', 'values': ['my-agent', 'my-runner']}
    spec = {**SETTINGS['spec'], 'namespace': 'monitoring', 'pods': {'matchExpressions': [expression]}}

    peer = {
        'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'monitoring'}},
        'podSelector': {'matchExpressions': [expression]},
    }
    found = added(policies({**SETTINGS, 'spec': spec}), 'NetworkPolicy')
    assert [policy['spec']['ingress'][0]['from'] for policy in found] == [[peer]] * 12


@pytest.mark.parametrize('field', [{'commonLabels': {'team': 'a'}}, {'labels': [{'pairs': {'team': 'a'}}]}])
def test_labels_of_the_user_s_do_not_shut_the_agent_out(kustomize, tmp_path, field):
    """Kustomize writes `commonLabels` into the selectors of a policy, those of its sources too."""
    objects = installed(kustomize, tmp_path, standins('26.03.1'), ['26.03.1/network-policies'], **field)

    found = added(objects, 'NetworkPolicy')
    peer = {**AGENT, 'podSelector': {'matchExpressions': []}}
    assert [policy['spec']['ingress'][0]['from'] for policy in found] == [[peer]] * 12
    assert all([pod for pod in pods(objects) if pod.selected(policy)] for policy in found)


def test_policies_of_the_user_are_left_as_they_are(policies):
    before, after = by_identity(standins('26.03.1')), by_identity(policies(SETTINGS))

    theirs = [key for key in before if key[0] == 'NetworkPolicy']
    assert len(theirs) == 6
    assert [after[key] for key in theirs] == [before[key] for key in theirs]


@pytest.mark.parametrize(
    'release, lacking',
    [
        (release, namespace)
        for release in KUBEFLOW
        for namespace in sorted({row.namespace for row in of_release(release) if row.network})
    ],
)
def test_pods_that_no_policy_selects_are_not_closed_by_the_first(kustomize, tmp_path, release, lacking):
    objects = [
        content
        for content in standins(release)
        if (content['kind'], content['metadata'].get('namespace')) != ('NetworkPolicy', lacking)
    ]

    with pytest.raises(RenderError, match=rf'nothing selected by NetworkPolicy.*/default-allow-same-.*\.{lacking}:'):
        installed(kustomize, tmp_path, objects, [f'{release}/network-policies'])


# --- settings ---------------------------------------------------------------------------------------------------------

NEEDED = {'rbac': ['subjects'], '1.9/network-policies': ['namespace', 'pods'], '26.03.1': list(SETTINGS['spec'])}


@pytest.mark.parametrize('piece', NEEDED)
def test_missing_settings_are_named(kustomize, tmp_path, piece):
    with pytest.raises(RenderError, match='nothing selected by Settings.*/datadog-kubeflow'):
        installed(kustomize, tmp_path, standins('26.03.1'), [piece], None)


@pytest.mark.parametrize('piece, key', [(piece, key) for piece, keys in NEEDED.items() for key in keys])
def test_a_missing_setting_is_named(kustomize, tmp_path, piece, key):
    settings = {**SETTINGS, 'spec': {name: value for name, value in SETTINGS['spec'].items() if name != key}}

    with pytest.raises(RenderError, match=f'fieldPath `spec.{key}` is missing for replacement source Settings'):
        installed(kustomize, tmp_path, standins('26.03.1'), [piece], settings)


@every_release
def test_the_settings_are_not_applied(bundles, release):
    kinds = {content['kind'] for content in bundles[release]}

    assert kinds == {content['kind'] for content in standins(release)} | {'ClusterRole', 'ClusterRoleBinding'}
    assert not [name for kind, _, name in by_identity(bundles[release]) if kind == 'ConfigMap' and 'datadog' in name]


# --- tokens -----------------------------------------------------------------------------------------------------------


@every_release
def test_tokens_of_the_agent_may_read_metrics_and_nothing_else(bundles, release):
    objects = by_identity(bundles[release])
    name = 'datadog-agent-kubeflow-metrics'

    assert objects['ClusterRole', '', name]['rules'] == [{'nonResourceURLs': ['/metrics'], 'verbs': ['get']}]
    binding = objects['ClusterRoleBinding', '', name]
    assert binding['roleRef'] == {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': name}
    assert binding['subjects'] == SETTINGS['spec']['subjects']


def test_the_settings_name_service_accounts(kustomize, tmp_path):
    subjects = [
        {'kind': 'ServiceAccount', 'namespace': 'monitoring', 'name': name} for name in ('my-agent', 'my-runner')
    ]
    settings = {**SETTINGS, 'spec': {**SETTINGS['spec'], 'subjects': subjects}}

    (binding,) = (
        content
        for content in installed(kustomize, tmp_path, [], ['rbac'], settings)
        if content['kind'] == 'ClusterRoleBinding'
    )
    assert binding['subjects'] == subjects


# --- Istio ------------------------------------------------------------------------------------------------------------


@every_release
def test_istio_lets_a_scrape_through_where_the_table_says_it_is_refused(bundles, release):
    objects = bundles[release]

    def operations(policy):
        assert policy['spec']['action'] == 'ALLOW'
        (rule,) = policy['spec']['rules']
        # Nobody outside the mesh has an identity that a policy could ask for.
        assert rule.keys() == {'to'}
        for target in rule['to']:
            operation = target['operation']
            (port,) = operation['ports']
            yield int(port), *(value for key in ('methods', 'paths') for value in operation.get(key, ()))

    rows = [row for row in of_release(release) if row.istio]
    expected = {
        # Under TLS neither method nor path is seen, and a rule that names them would match nothing.
        (pod.namespace, pod.name, row.port, *(() if row.scheme == 'https' else ('GET', row.path)))
        for pod, row in rows_of(objects, rows)
    }
    assert len(expected) == len(rows)
    assert {row.namespace for row in rows}.isdisjoint({PROFILE})
    assert opened(objects, 'AuthorizationPolicy', operations) == expected


@every_release
def test_sidecars_keep_their_other_ports(bundles, release):
    """No annotation of Istio is touched: what is excluded stays excluded, and nothing more is."""
    before = {pod.name: pod for pod in pods(standins(release))}

    for pod in pods(bundles[release]):
        name = 'traffic.sidecar.istio.io/excludeInboundPorts'
        assert pod.annotations.get(name) == before[pod.name].annotations.get(name)


def test_policies_without_the_deployments_have_the_label_piece_for_those(kustomize, tmp_path):
    """Policies and Deployments may be of different kustomizations."""
    parts = tmp_path / 'policies', tmp_path / 'deployments'
    for part in parts:
        part.mkdir()
    policies = installed(kustomize, parts[0], standin('network-policies'), ['26.03/istio'])
    deployments = installed(kustomize, parts[1], standin('notebooks'), ['labels'])

    own = [policy for policy in policies if 'datadog-kubeflow/component' in str(policy['spec'].get('selector'))]
    assert [[pod.name for pod in pods(deployments) if pod.selected(policy)] for policy in own] == [
        ['pvcviewer-controller-manager'],
        ['tensorboard-controller-deployment'],
    ]
    assert all(PART_OF.items() <= policy['metadata']['labels'].items() for policy in own)
