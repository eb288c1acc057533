# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The pieces of deploy/kustomize beside a user's manifests: what they change, and what they leave."""

import copy
import json
import shutil

import pytest
import yaml

from datadog_checks.kubeflow.catalogue import load_catalogue
from deploy.annotations import v2
from deploy.endpoints import KUBEFLOW
from kubeflow.tests.kind.plan import read_plan
from kubeflow.tests.live.environment import cache_directory
from simulator.components.argo import Argo

from .installation import PIECES, STANDINS, by_identity, installed, pods, standin, standins
from .kustomize import RenderError, build, render
from .test_kustomize_annotations import OPTIONAL

every_release = pytest.mark.parametrize('release', KUBEFLOW)

ALL = sorted(str(path.parent.relative_to(PIECES)) for path in PIECES.rglob('kustomization.yaml'))
# What only patches, and so may be added to what it has patched.
PATCHES = ['annotations', '../labels', '../queue-proxy/from-1.19', '../profile-controller-metrics']
# What the pieces bring as objects of their own.
OBJECTS = {'network-policies': 'NetworkPolicy', 'istio': 'AuthorizationPolicy', 'rbac': 'ClusterRole'}


def components(piece):
    """The pieces that a piece is made of, itself included."""
    yield piece
    content = yaml.safe_load((PIECES / piece / 'kustomization.yaml').read_text())
    for path in content.get('components', ()):
        yield from components(str((PIECES / piece / path).resolve().relative_to(PIECES)))


def test_every_piece_is_a_component_that_some_release_has():
    kinds = {yaml.safe_load((PIECES / piece / 'kustomization.yaml').read_text())['kind'] for piece in ALL}
    assert kinds == {'Component'}

    assert {piece for release in KUBEFLOW for piece in components(release)} | set(OPTIONAL.values()) == set(ALL)


@every_release
@pytest.mark.parametrize('piece', ['istio', 'network-policies'])
def test_a_piece_of_policies_brings_the_labels_that_they_select_by(release, piece):
    assert 'labels' in components(f'{release}/{piece}')


def test_every_stand_in_is_of_a_release():
    used = {name for names in yaml.safe_load((STANDINS / 'releases.yaml').read_text()).values() for name in names}

    # Workspaces come with an overlay of the user's choice.
    assert {path.stem for path in STANDINS.glob('*.yaml')} == used | {'releases', 'workspaces'}


# --- what is there stays ----------------------------------------------------------------------------------------------


def changes(before, after, where=''):
    """Each place where `after` is not `before`, with what stands there now; what is no more there is None."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            yield from changes(before.get(key), after.get(key), f'{where}/{key}')
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, f'{where}/{number}')
    elif before is None and isinstance(after, dict):
        for key in after:
            yield from changes(None, after[key], f'{where}/{key}')
    elif before != after:
        yield where, after


@every_release
def test_nothing_of_the_user_s_is_lost_or_changed_but_the_places_meant(bundles, release):
    before, after = by_identity(standins(release)), by_identity(bundles[release])
    template = '/spec/template/metadata'

    found = {
        (kind, where.partition('.com/')[0] if '/ad.datadoghq.com/' in where else where)
        for (kind, namespace, name), content in before.items()
        for where, _ in changes(content, after[kind, namespace, name])
    }
    expected = {
        ('Deployment', f'{template}/annotations/ad.datadoghq'),
        ('Deployment', f'{template}/labels/datadog-kubeflow/component'),
        ('ClusterServingRuntime', '/spec/annotations/ad.datadoghq'),
        ('ConfigMap', '/data/workflowDefaults'),
    }
    if release.startswith('26'):
        expected.add(('ConfigMap', '/data/request-metrics-protocol'))
    if release == '26.03.1':
        expected.add(('Deployment', '/spec/template/spec/containers/0/args'))
    assert found == expected


@every_release
def test_only_policies_and_a_role_are_new(bundles, release):
    new = by_identity(bundles[release]).keys() - by_identity(standins(release)).keys()

    assert {kind for kind, _, _ in new} == {
        'NetworkPolicy',
        'AuthorizationPolicy',
        'ClusterRole',
        'ClusterRoleBinding',
    }
    assert {name.startswith('datadog-agent-') for _, _, name in new} == {True}


# --- what is not there ------------------------------------------------------------------------------------------------


def insisted_on():
    """The policies beside which alone a piece has policies of its own."""
    theirs = standin('network-policies') + standin('network-policies-kubeflow-system')
    return [content for content in theirs if content['metadata']['name'].startswith('default-allow-')]


@pytest.mark.parametrize('piece', [piece for piece in ALL if '/' in piece and piece.split('/')[0] in KUBEFLOW])
def test_what_is_not_installed_is_left_out(kustomize, tmp_path, piece):
    """A Kubeflow without these components: nothing is patched and nothing fails; policies select nothing."""
    needed = insisted_on()
    before, after = by_identity(needed), by_identity(installed(kustomize, tmp_path, needed, [piece]))
    assert {key: after[key] for key in before} == before
    assert {kind for kind, _, _ in after.keys() - before.keys()} <= {OBJECTS.get(piece.split('/')[1])}


@pytest.mark.parametrize(
    'piece', ['labels', 'knative', 'argo-run-durations', 'profile-controller-metrics', 'queue-proxy/from-1.19']
)
def test_a_piece_without_its_target_gives_nothing(kustomize, tmp_path, piece):
    assert installed(kustomize, tmp_path, [], [piece]) == []


@every_release
def test_programs_of_the_same_name_elsewhere_are_not_meant(kustomize, tmp_path, release):
    """An Argo of one's own, for example, whose `workflowDefaults` are nobody's business."""
    # Two namespaces have a ConfigMap of one name.
    elsewhere = by_identity(
        {**copy.deepcopy(content), 'metadata': {**content['metadata'], 'namespace': 'elsewhere'}}
        for content in standins(release) + standin('workspaces')
        if content['kind'] in ('Deployment', 'ConfigMap')
    )
    elsewhere['ConfigMap', 'elsewhere', 'workflow-controller-configmap']['data']['workflowDefaults'] = 'of the user'

    objects = [*insisted_on(), *elsewhere.values()]
    found = by_identity(installed(kustomize, tmp_path, objects, [release, *OPTIONAL.values()]))
    assert {key: found[key] for key in elsewhere} == elsewhere


@every_release
def test_manifests_may_be_without_a_namespace(kustomize, tmp_path, bundles, release):
    """A user's `namespace` field is applied after the pieces."""
    objects = copy.deepcopy([each for each in standins(release) if each['metadata'].get('namespace') == 'kubeflow'])
    for content in objects:
        del content['metadata']['namespace']
    pieces = [f'{release}/annotations', f'{release}/istio', 'argo-run-durations']
    pieces += ['profile-controller-metrics'] if release == '26.03.1' else []

    found = by_identity(installed(kustomize, tmp_path, objects, pieces, namespace='kubeflow'))
    expected = by_identity(bundles[release])
    assert all(found[key] == expected[key] for key in found if key[2] != 'datadog-agent-trainer')
    assert len(found) > len(objects)


def test_an_annotation_that_is_there_is_replaced_and_a_patch_of_the_user_s_goes_before(kustomize, tmp_path):
    (deployment,) = (each for each in standin('notebooks') if each['metadata']['name'].startswith('notebook'))
    name = 'ad.datadoghq.com/manager.checks'
    own = {name: '{"openmetrics": {"instances": []}}', 'team': 'a'}
    deployment['spec']['template']['metadata']['annotations'] = own
    patch = {'spec': {'template': {'metadata': {'annotations': own}}}}
    patch |= {key: deployment[key] for key in ('apiVersion', 'kind', 'metadata')}

    def annotations(**more):
        (pod,) = pods(installed(kustomize, tmp_path, [deployment], ['1.9/annotations'], **more))
        return pod.annotations

    endpoint = 'http://%%host%%:8080/metrics'
    assert annotations() == {**v2('manager', {'openmetrics_endpoint': endpoint}), 'team': 'a'}
    assert annotations(patches=[{'patch': json.dumps(patch)}]) == own


# --- twice ------------------------------------------------------------------------------------------------------------


def test_patches_may_be_applied_again(kustomize, tmp_path, bundles):
    once = bundles['26.03.1']

    assert installed(kustomize, tmp_path, once, [f'26.03.1/{piece}' for piece in PATCHES]) == once


@pytest.mark.parametrize(
    'piece, sentence',
    [
        ('26.03/istio', 'may not add resource with an already registered id: AuthorizationPolicy'),
        ('26.03/network-policies', 'may not add resource with an already registered id: NetworkPolicy'),
        ('rbac', 'may not add resource with an already registered id: ClusterRole'),
        ('argo-run-durations', 'testing value /data/workflowDefaults failed'),
        ('knative', 'testing value /data/request-metrics-protocol failed'),
    ],
)
def test_what_is_there_already_is_not_added_again(kustomize, tmp_path, bundles, piece, sentence):
    with pytest.raises(RenderError, match=sentence):
        installed(kustomize, tmp_path, bundles['26.03'], [piece])


# --- Argo -------------------------------------------------------------------------------------------------------------


def run_durations(objects):
    data = by_identity(objects)['ConfigMap', 'kubeflow', 'workflow-controller-configmap']['data']
    return yaml.safe_load(data['workflowDefaults'])


@every_release
def test_argo_measures_the_runs_that_the_check_knows(bundles, release):
    (histogram,) = run_durations(bundles[release])['spec']['metrics']['prometheus']

    (metric,) = (each for each in load_catalogue().metrics if each.name == 'pipeline.run.duration.seconds')
    assert f'argo_workflows_{histogram["name"]}' in {family for source in metric.sources for family in source.families}
    assert histogram['histogram'] == {'buckets': list(Argo.DURATION_BUCKETS), 'value': '{{workflow.duration}}'}
    assert {label['key']: label['value'] for label in histogram['labels']} == {
        'status': '{{workflow.status}}',
        'workflow_namespace': '{{workflow.namespace}}',
    }


def test_the_argo_of_the_test_clusters_measures_the_same():
    patches = [action for action in read_plan('upstream', '26.03').actions if 'workflowDefaults' in str(action)]
    (told,) = [patch['with']['data']['workflowDefaults'] for patch in patches]

    assert yaml.safe_load(told) == yaml.safe_load(
        (PIECES / 'argo-run-durations' / 'workflow-defaults.yaml').read_text()
    )


def test_defaults_of_the_user_s_are_not_overwritten(kustomize, tmp_path):
    objects = standin('argo')
    objects[1]['data']['workflowDefaults'] = 'spec: {ttlStrategy: {secondsAfterCompletion: 3600}}\n'

    with pytest.raises(RenderError, match='testing value /data/workflowDefaults failed'):
        installed(kustomize, tmp_path, objects, ['argo-run-durations'])


# --- Knative ----------------------------------------------------------------------------------------------------------


def test_the_sidecars_of_services_are_told_to_listen_and_events_are_left_alone(kustomize, tmp_path):
    serving, eventing = standin('knative')

    assert by_identity(installed(kustomize, tmp_path, [serving, eventing], ['knative'])) == by_identity(
        [{**serving, 'data': {**serving['data'], 'request-metrics-protocol': 'prometheus'}}, eventing]
    )


@pytest.mark.parametrize('protocol', ['grpc', 'none', 'prometheus'])
def test_where_somebody_else_receives_these_metrics_is_not_overwritten(kustomize, tmp_path, protocol):
    objects = standin('knative')
    objects[0]['data']['request-metrics-protocol'] = protocol

    with pytest.raises(RenderError, match='testing value /data/request-metrics-protocol failed'):
        installed(kustomize, tmp_path, objects, ['knative'])


# --- profile controller -----------------------------------------------------------------------------------------------

ON = '--metrics-bind-address=:8080'


@pytest.mark.parametrize(
    'arguments, expected',
    [
        (None, [ON]),
        (['--leader-elect'], ['--leader-elect', ON]),
        (['--metrics-bind-address=0', '--leader-elect'], [ON, '--leader-elect']),
        ([ON], [ON]),
    ],
)
def test_the_profile_controller_is_told_to_listen(kustomize, tmp_path, arguments, expected):
    (deployment,) = standin('profiles-26.03.1')
    manager, other = deployment['spec']['template']['spec']['containers']
    manager.pop('args')
    if arguments:
        manager['args'] = arguments

    (pod,) = pods(installed(kustomize, tmp_path, [deployment], ['profile-controller-metrics']))
    assert pod.containers == ({**manager, 'args': expected}, other)
    assert pod.instances == {'manager': [{'openmetrics_endpoint': 'http://%%host%%:8080/metrics'}]}


# --- one kustomize as another -----------------------------------------------------------------------------------------


@pytest.mark.slow
@every_release
def test_kubectl_renders_what_kustomize_renders(kustomize, tmp_path, release):
    if kustomize[0] != 'kubectl' or not shutil.which('go'):
        pytest.skip('there are no two to compare: that takes kubectl and Go on PATH')

    rendered = installed(kustomize, tmp_path, standins(release), [release])
    assert render((build(cache_directory()), 'build'), tmp_path.resolve()) == rendered
