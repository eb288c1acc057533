# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What deploy/kustomize renders, against the schemas of Kubernetes, Istio and KServe."""

import copy

import pytest

from deploy.endpoints import KUBEFLOW
from kubeflow.tests.kind.objects import faults
from kubeflow.tests.kind.plan import read_plan, versions
from kubeflow.tests.wheels import Models, download

every_release = pytest.mark.parametrize('release', KUBEFLOW)

OTHERS = {'AuthorizationPolicy', 'ClusterServingRuntime'}
# Of Istio 1.24, the newest there is a package of.
ISTIO = '1.24.2.1'


def nodes():
    """The versions of Kubernetes that the releases run on, as `1.34`."""
    return sorted(
        {read_plan('upstream', release).pins['node'].removeprefix('v').rpartition('.')[0] for release in versions()}
    )


@every_release
@pytest.mark.parametrize('kubernetes', nodes())
def test_objects_are_valid_for_kubernetes(bundles, release, kubernetes):
    objects = [content for content in bundles[release] if content['kind'] not in OTHERS]
    assert {'Deployment', 'ConfigMap', 'NetworkPolicy', 'ClusterRole', 'ClusterRoleBinding'} == {
        content['kind'] for content in objects
    }

    assert [fault for content in objects for fault in faults(content, kubernetes)] == []


def all_of(bundles, kind):
    return [content for objects in bundles.values() for content in objects if content['kind'] == kind]


@pytest.mark.slow
def test_authorization_policies_have_only_fields_of_istio(bundles, tmp_path):
    wheel = download('cloudcoil-models-istio', ISTIO, tmp_path)
    models = Models(wheel, 'cloudcoil/models/istio/security/v1beta1')
    policies = all_of(bundles, 'AuthorizationPolicy')
    assert {policy['apiVersion'] for policy in policies} == {'security.istio.io/v1beta1'}

    def found(spec):
        return list(models.faults(spec, 'AuthorizationPolicySpec', 'spec'))

    assert [fault for policy in policies for fault in found(policy['spec'])] == []
    # It would be noticed.
    wrong = copy.deepcopy(next(policy['spec'] for policy in policies if policy['spec']))
    wrong['rules'][0]['to'][0]['operation'] = {'ports': [8080], 'verbs': ['GET']}
    assert found(wrong) == [
        'spec.rules.to.operation.ports is no str',
        'spec.rules.to.operation: Operation has no verbs',
    ]


@pytest.mark.slow
def test_runtimes_have_only_fields_of_kserve(bundles, tmp_path):
    runtimes = all_of(bundles, 'ClusterServingRuntime')

    for release in sorted({read_plan('upstream', each).pins['kserve'].removeprefix('v') for each in versions()}):
        models = Models(download('kserve', release, tmp_path / release), 'kserve/models')
        for runtime in runtimes:
            assert list(models.faults(runtime, 'V1alpha1ClusterServingRuntime', runtime['metadata']['name'])) == []
        wrong = {**runtimes[0], 'spec': {**runtimes[0]['spec'], 'annotation': {}}}
        assert list(models.faults(wrong, 'V1alpha1ClusterServingRuntime', 'it')) == [
            'it.spec: V1alpha1ServingRuntimeSpec has no annotation'
        ]
