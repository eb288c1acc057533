# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The annotations that deploy/kustomize adds, against the table of endpoints."""

import re

import pytest

from datadog_checks.kubeflow import KubeflowCheck
from deploy.endpoints import KUBEFLOW, PROFILE, of_release
from simulator.server import Simulator

from .installation import CHECKS, installed, pods, standin, standins
from .instances import taken

every_release = pytest.mark.parametrize('release', KUBEFLOW)

# Rows that no piece annotates, and why.
BY_HAND = {
    'vllm main': "annotations of an LLMInferenceService's pods are not established",
    'epp main': "annotations of an LLMInferenceService's pods are not established",
    'seldon-v1 seldon-container-engine': 'of another project',
}
# Rows whose piece is in no bundle, because more is needed than kustomize can do.
OPTIONAL = {
    'torchserve kserve-container': 'annotations/optional/torchserve',
    'tensorflow-serving kserve-container': 'annotations/optional/tensorflow-serving',
    'workspaces-controller manager': 'annotations/optional/workspaces-controller',
}
# Counted by the model server, so not taken from the sidecar beside it.
INFERENCES = [r'^kubeflow\.kserve\.inferences\.count$', r'^kubeflow\.kserve\.inference\.duration\.']
ERRORS = r'^kubeflow\.kserve\.inference\.errors\.count$'


def named(row):
    return f'{row.component} {row.container}'


def sidecar(row):
    return row.container == 'queue-proxy'


def annotated(objects):
    """The instances by workload and container; those of a runtime by the image of its server."""
    found = {}
    for pod in pods(objects):
        where = pod.images['kserve-container'] if pod.kind == 'ClusterServingRuntime' else pod.name
        for container, instances in pod.instances.items():
            (found[where, container],) = instances
    return found


def expected(rows, objects):
    """What the table says of these objects."""
    found = {}
    for row in rows:
        if row.namespace == PROFILE:
            workloads = row.images
        else:
            workloads = [pod.name for pod in pods(objects) if pod.name == name_of(row, pod)]
            assert workloads, f'no stand-in of {named(row)}'
        found.update({(workload, row.container): row.instance for workload in workloads})
    return found


def name_of(row, pod):
    """The name of a workload that fits the row; where the table has none, it is the component's."""
    return pod.name if re.fullmatch(row.workload or row.component, pod.name) else None


@every_release
def test_the_stand_ins_are_as_the_table_says(release):
    for row in of_release(release):
        if row.namespace == PROFILE or named(row) in OPTIONAL:
            continue
        (pod,) = (pod for pod in pods(standins(release)) if name_of(row, pod))
        (container,) = (each for each in pod.containers if each['name'] == row.container)
        ports = {each['containerPort']: each.get('name', 'unnamed') for each in container.get('ports', ())}

        assert pod.namespace == row.namespace
        assert row.labels.items() <= pod.labels.items()
        assert pod.images[row.container] in row.images
        assert ports.get(row.port, '') == row.declared


@every_release
def test_everything_that_answers_is_annotated_as_the_table_says_and_nothing_else_is(bundles, release):
    rows = [row for row in of_release(release) if named(row) not in BY_HAND.keys() | OPTIONAL.keys()]

    found = {key: instance for key, instance in annotated(bundles[release]).items() if key[1] != 'queue-proxy'}
    assert found == expected([row for row in rows if not sidecar(row)], bundles[release])


@every_release
def test_the_sidecar_gives_what_its_model_server_does_not_count(bundles, release):
    (row,) = filter(sidecar, of_release(release))
    servers = {row.component: row.images for row in of_release(release)}
    expectation = dict.fromkeys(servers['kserve-server'], INFERENCES)
    if row.component == 'queue-proxy-otel':
        # It knows sizes, which up to Knative 1.18 nobody does.
        expectation |= dict.fromkeys(servers['mlserver'] + servers['triton'], [*INFERENCES, ERRORS])

    found = {
        server: instance for (server, name), instance in annotated(bundles[release]).items() if name == 'queue-proxy'
    }
    assert found == {
        server: {**row.instance, 'metric_patterns': {'exclude': patterns}} for server, patterns in expectation.items()
    }


def test_what_is_annotated_by_hand_is_of_the_table():
    rows = {named(row) for release in KUBEFLOW for row in of_release(release)}

    assert not (BY_HAND.keys() | OPTIONAL.keys()) - rows


@pytest.mark.parametrize('name', OPTIONAL)
def test_what_needs_more_has_a_piece_of_its_own(kustomize, tmp_path, name):
    (row,) = (row for row in of_release('26.03.1') if named(row) == name)

    objects = installed(kustomize, tmp_path, standin('kserve') + standin('workspaces'), [OPTIONAL[name]])
    assert annotated(objects) == expected([row], objects)


def test_a_server_is_known_by_its_whole_name(kustomize, tmp_path):
    runtimes = [content for content in standin('kserve') if content['kind'] == 'ClusterServingRuntime']
    names = ['mlserver', 'kserve-pmmlserver', 'my-mlserver-gpu', 'automlserver', 'sklearnserver2']
    objects = [{**runtimes[0], 'metadata': {'name': name}} for name in names]

    found = installed(kustomize, tmp_path, objects, ['annotations/model-servers'])
    ports = {pod.name: [re.search(r':(\d+)/', str(each))[1] for each in pod.instances.values()] for pod in pods(found)}
    assert ports == {
        'mlserver': ['8082'],
        'kserve-pmmlserver': ['8080'],
        'my-mlserver-gpu': ['8082'],
        'automlserver': [],
        'sklearnserver2': [],
    }


@every_release
def test_the_check_takes_every_instance(bundles, release):
    for (_, _), instance in annotated(bundles[release]).items():
        assert taken(instance) == instance['openmetrics_endpoint'].replace('%%host%%', '127.0.0.1')


def test_the_annotation_is_of_a_container_that_is_there(bundles):
    for objects in bundles.values():
        for pod in pods(objects):
            # KServe adds the sidecar.
            known = {each['name'] for each in pod.containers} | {'queue-proxy'}
            assert {match[1] for match in map(CHECKS.fullmatch, pod.annotations) if match} <= known


PYTHON_SERVER = {'inferences', 'inference.duration.seconds'}


@pytest.mark.parametrize(
    'release, server, image, counted, added',
    [
        ('1.9', 'kserve-server', 'sklearnserver', PYTHON_SERVER, {'inference.errors'}),
        (
            '26.03',
            'kserve-server',
            'sklearnserver',
            PYTHON_SERVER,
            {'inference.errors', 'inference.request.bytes', 'inference.response.bytes'},
        ),
        (
            '26.03',
            'mlserver',
            'mlserver',
            PYTHON_SERVER | {'inference.errors'},
            {'inference.request.bytes', 'inference.response.bytes'},
        ),
    ],
)
def test_an_inference_counts_once(bundles, aggregator, dd_run_check, release, server, image, counted, added):
    """Both instances of a pod, run at the simulator: of what is documented nothing comes from both."""
    instances = annotated(bundles[release])

    def submitted(endpoint, container):
        aggregator.reset()
        dd_run_check(
            KubeflowCheck('kubeflow', {}, [{**instances[image, container], 'openmetrics_endpoint': endpoint.url}])
        )
        parts = re.compile(
            r'kubeflow\.kserve\.(inferences|inference\.(?:duration|errors|re.+\.bytes).*)\.(?:count|sum|bucket)'
        )
        return {found[1] for found in map(parts.fullmatch, aggregator.metric_names) if found}

    with Simulator(release, speed=None) as simulator:
        (proxy,) = (each for each in simulator.endpoints if each.name.startswith('queue-proxy'))
        assert submitted(simulator[server], 'kserve-container') == counted
        assert submitted(proxy, 'queue-proxy') == added
