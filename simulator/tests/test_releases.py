# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..components.component import Component
from ..releases import RELEASES, UnknownRelease, deployments

EVERY_RELEASE = [None, *RELEASES]


def matrix(kubeflow):
    return {each.name: each.release for each in deployments(kubeflow)}


def test_releases_of_kubeflow():
    assert RELEASES == ('1.9', '1.10', '1.11', '26.03')


@pytest.mark.parametrize('kubeflow', EVERY_RELEASE)
def test_deployments_can_be_told_apart_and_made(kubeflow):
    installed = deployments(kubeflow)
    assert len({each.name for each in installed}) == len(installed)
    for each in installed:
        assert issubclass(each.component, Component)
        assert each.door in ('http', 'https', 'token')


@pytest.mark.parametrize(
    'kubeflow, katib, training, notebook, kserve, pipelines, argo',
    [
        ('1.9', '0.17', '1.8', '1.9', '0.13', '2.3', '3.4'),
        ('1.10', '0.18', '1.9', '1.10', '0.15', '2.5', '3.5'),
        ('1.11', '0.19', '1.9', '1.10', '0.15', '2.15', '3.7'),
        ('26.03', '0.19', '1.9', '1.10', '0.16', '2.16', '3.7'),
    ],
)
def test_matrix(kubeflow, katib, training, notebook, kserve, pipelines, argo):
    releases = matrix(kubeflow)
    assert releases['katib-controller'] == katib
    assert releases['training-operator'] == training
    assert releases['notebook-controller'] == releases['profile-controller'] == releases['kfam'] == notebook
    assert releases['kserve-server'] == releases['qpext'] == kserve
    assert releases['pipelines-api-server'] == pipelines
    assert releases['argo'] == argo


@pytest.mark.parametrize(
    'kubeflow, sidecars',
    [
        ('1.9', {'queue-proxy-opencensus': '1.12'}),
        ('1.10', {'queue-proxy-opencensus': '1.16'}),
        ('1.11', {'queue-proxy-opencensus': '1.16'}),
        ('26.03', {'queue-proxy-otel': '1.21'}),
    ],
)
def test_the_sidecar_follows_knative(kubeflow, sidecars):
    found = {name: release for name, release in matrix(kubeflow).items() if name.startswith('queue-proxy')}
    assert found == sidecars


def test_the_controller_of_schedules_has_an_endpoint_from_pipelines_2_16_on():
    having = [kubeflow for kubeflow in RELEASES if 'scheduledworkflow-controller' in matrix(kubeflow)]
    assert having == ['26.03']


@pytest.mark.parametrize('kubeflow', EVERY_RELEASE)
def test_doors(kubeflow):
    for each in deployments(kubeflow):
        if each.name == 'tensorboard-controller':
            expected = 'token'
        elif each.name.startswith('argo') and float(each.release) >= 3.6:
            expected = 'https'
        else:
            expected = 'http'
        assert each.door == expected, each.name


def test_notes_say_what_is_not_there_by_default():
    notes = {each.name: each.note for each in deployments('26.03')}
    assert notes['training-operator'].startswith('not in the example installation; ')
    assert 'opt-in from Knative 1.19' in notes['queue-proxy-otel']
    assert notes['kserve-server'] == ''


@pytest.mark.parametrize('kubeflow', EVERY_RELEASE)
def test_notes_say_which_endpoints_network_policies_close(kubeflow):
    """Those of the namespace kubeflow; model servers run in the namespaces of profiles."""
    installed = deployments(kubeflow)
    opened = {each.component.id for each in installed if 'closed by NetworkPolicies' not in each.note}
    serving = {'kserve-server', 'queue-proxy-opencensus', 'queue-proxy-otel', 'mlserver'}
    serving |= {each.component.id for each in installed if each.name == 'qpext'}
    assert opened == serving & {each.component.id for each in installed}


def test_without_a_release_every_component_is_there_in_each_of_its_forms():
    everything = deployments(None)
    assert {each.component.id for each in everything} == {
        each.component.id for kubeflow in RELEASES for each in deployments(kubeflow)
    }
    assert [(each.name, each.door) for each in everything if each.name.startswith('argo')] == [
        ('argo-3.5', 'http'),
        ('argo-3.7', 'https'),
        ('argo-4.0', 'https'),
    ]
    assert {each.name for each in everything} >= {'queue-proxy-opencensus', 'queue-proxy-otel', 'qpext'}


def test_an_unknown_release():
    with pytest.raises(UnknownRelease) as error:
        deployments('1.6')
    assert str(error.value) == "Kubeflow '1.6' is not simulated: the releases are 1.9, 1.10, 1.11, 26.03"
