# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is done to a cluster for the end-to-end tests, as far as it can be known without one."""

import json
import re
from collections import Counter

import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck
from deploy.endpoints import of_release
from simulator.releases import RELEASES

from .kind.objects import faults, manifests
from .kind.plan import (
    ENVIRONMENTS,
    HERE,
    MANIFESTS,
    OPTIONS,
    Amendment,
    BadPlan,
    Command,
    Endpoint,
    Plan,
    annotations,
    auto_conf,
    chosen,
    commands,
    read_plan,
    versions,
)

PLANS = [pytest.param(environment, version) for environment in ENVIRONMENTS for version in versions()]
every_plan = pytest.mark.parametrize('environment, version', PLANS)
every_version = pytest.mark.parametrize('version', versions())

# A rollout or a wait that takes longer has failed.
LONGEST = 900

A_PORT = Endpoint('a', 'katib-controller', 'ns', 'deployment/a', 'main', 8443, 'annotation', 'https', options={'x': 1})


def plan(**pins):
    return Plan('upstream', '26.03', 60, pins, (), (A_PORT,))


def all_actions():
    for environment in ENVIRONMENTS:
        yield from yaml.safe_load((HERE / f'{environment}.yaml').read_text())['actions']


def test_the_releases_are_those_that_the_simulator_knows():
    assert versions() == RELEASES


def test_the_environment_variables_choose_a_plan():
    one = chosen({'KUBEFLOW_ENVIRONMENT': 'upstream', 'KUBEFLOW_VERSION': '1.10'})

    assert (one.environment, one.version, one.pins['katib']) == ('upstream', '1.10', 'v0.18.0')


@pytest.mark.parametrize(
    'environ, sentence',
    [
        ({}, 'KUBEFLOW_ENVIRONMENT is not set; it takes one of upstream, simulator.'),
        ({'KUBEFLOW_ENVIRONMENT': 'minikube'}, "KUBEFLOW_ENVIRONMENT is 'minikube'; it takes one of upstream,"),
        ({'KUBEFLOW_ENVIRONMENT': 'upstream'}, 'KUBEFLOW_VERSION is not set; it takes one of 1.9, 1.10, 1.11, 26.03.'),
        (
            {'KUBEFLOW_ENVIRONMENT': 'simulator', 'KUBEFLOW_VERSION': '1.8'},
            "KUBEFLOW_VERSION is '1.8'; it takes one of 1.9, 1.10, 1.11, 26.03.",
        ),
    ],
)
def test_nothing_is_chosen_by_default(environ, sentence):
    with pytest.raises(BadPlan, match=re.escape(sentence)):
        chosen(environ)


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'action, expected',
    [
        (
            {'apply': 'katib.yaml'},
            [f'kubectl apply --server-side --force-conflicts -f {MANIFESTS / "katib.yaml"}'],
        ),
        (
            {'apply': 'https://github.com/o/r/releases/download/{kserve}/kserve.yaml'},
            [
                'kubectl apply --server-side --force-conflicts '
                '-f https://github.com/o/r/releases/download/v0.16.0/kserve.yaml'
            ],
        ),
        (
            {'kustomize': 'github.com/o/r.git/config?ref={kserve}'},
            ['kubectl apply --server-side --force-conflicts -k github.com/o/r.git/config?ref=v0.16.0'],
        ),
        (
            {'rollout': ['deployment/a', 'deployment/b'], 'namespace': 'ns'},
            [
                'kubectl rollout status deployment/a --timeout=60s --namespace=ns',
                'kubectl rollout status deployment/b --timeout=60s --namespace=ns',
            ],
        ),
        (
            {'wait': 'condition=Ready', 'resources': ['pod/a']},
            ['kubectl wait --for=condition=Ready pod/a --timeout=60s'],
        ),
        (
            {'patch': 'configmap/a', 'with': {'data': {'k': 'v'}}, 'namespace': 'ns'},
            ['kubectl patch configmap/a --type=merge --patch={"data": {"k": "v"}} --namespace=ns'],
        ),
        (
            {'set': ['env', 'deployment/a', 'V={kserve}'], 'namespace': 'ns'},
            ['kubectl set env deployment/a V=v0.16.0 --namespace=ns'],
        ),
        ({'restart': ['deployment/a'], 'namespace': 'ns'}, ['kubectl rollout restart deployment/a --namespace=ns']),
        ({'delete': ['job/a', 'job/b']}, ['kubectl delete job/a job/b --wait --timeout=60s']),
        ({'until': ['workflow'], 'matches': 'x'}, ['kubectl get workflow']),
        (
            {'annotate': ['a', 'one of another release']},
            [
                'kubectl patch deployment/a --type=merge --patch='
                + json.dumps({'spec': {'template': {'metadata': {'annotations': annotations(A_PORT)}}}})
                + ' --namespace=ns'
            ],
        ),
    ],
)
def test_an_action_is_these_commands(action, expected):
    assert [' '.join(one.argv) for one in commands({**action, 'seconds': 60}, plan(kserve='v0.16.0'))] == expected


def test_only_what_webhooks_and_networks_refuse_is_tried_again():
    assert {(one.seconds, one.attempts) for one in commands({'apply': 'katib.yaml', 'seconds': 7}, plan())} == {(7, 6)}
    assert {one.attempts for one in commands({'delete': ['job/a'], 'seconds': 7}, plan())} == {1}


def test_a_key_with_json_is_amended_and_otherwise_left():
    action = {'amend': 'configmap/c', 'key': 'k', 'with': {'a': True}, 'namespace': 'ns', 'seconds': 60}
    (amendment,) = commands(action, plan())

    assert amendment.read == Command(('kubectl', 'get', 'configmap/c', '--output=json', '--namespace=ns'), 60)
    written = amendment.write(json.dumps({'data': {'k': '{"a": false, "b": [1]}', 'other': 'x'}}))
    (patch,) = [argument for argument in written.argv if argument.startswith('--patch=')]
    assert json.loads(patch.removeprefix('--patch=')) == {'data': {'k': '{"a": true, "b": [1]}'}}


@pytest.mark.parametrize(
    'action, sentence',
    [
        ({'aply': 'x', 'seconds': 1}, 'upstream.yaml: an action has one verb of apply, '),
        ({'apply': 'x', 'delete': ['y'], 'seconds': 1}, 'not apply, delete, seconds'),
        ({'apply': 'x'}, 'and `seconds`, not apply'),
        ({'kustomize': '{katip}', 'seconds': 1}, "upstream.yaml: {katip} names 'katip', which is no pin of 26.03"),
    ],
)
def test_an_action_that_cannot_be_meant_is_refused(action, sentence):
    with pytest.raises(BadPlan, match=re.escape(sentence)):
        list(commands(action, plan(katib='v1')))


@every_plan
def test_every_command_is_bounded(environment, version):
    for one in read_plan(environment, version).commands():
        one = one.read if isinstance(one, Amendment) else one
        assert one.argv[0] == 'kubectl'
        assert 0 < one.seconds <= LONGEST
        told = [argument for argument in one.argv if argument.startswith('--timeout=')]
        if one.argv[1] in ('wait', 'delete') or one.argv[1:3] == ('rollout', 'status'):
            assert told == [f'--timeout={one.seconds}s']


@every_version
def test_everything_from_elsewhere_is_pinned_to_a_release(version):
    sources = []
    for one in read_plan('upstream', version).commands():
        if not isinstance(one, Amendment) and one.argv[1] == 'apply' and not one.argv[-1].startswith(str(MANIFESTS)):
            sources.append(one.argv[-1])

    assert len(sources) == 11
    for source in sources:
        url, _, query = source.partition('?')
        tag = re.search(r'/releases/download/([^/]+)/', url) or re.search(r'ref=([^&]+)', query)
        assert re.fullmatch(r'(knative-)?v?\d+\.\d+\.\d+', tag[1]), source
        # Without it kustomize gives up a clone after 27 seconds.
        assert '/releases/' in url or '&timeout=240s' in query


@pytest.mark.parametrize('version, protocol', [('1.9', 0), ('1.10', 0), ('1.11', 0), ('26.03', 1)])
def test_knative_is_told_to_expose_requests_where_it_would_not(version, protocol):
    patches = [' '.join(one.argv) for one in read_plan('upstream', version).commands() if isinstance(one, Command)]

    assert sum('"request-metrics-protocol": "prometheus"' in patch for patch in patches) == protocol


def test_a_cluster_has_one_node_of_the_release():
    config = read_plan('upstream', '1.9').kind_config()

    assert config == {
        'kind': 'Cluster',
        'apiVersion': 'kind.x-k8s.io/v1alpha4',
        'nodes': [{'role': 'control-plane', 'image': 'kindest/node:v1.31.12'}],
    }


# --- manifests --------------------------------------------------------------------------------------------------------


def kubernetes(version):
    """The version of Kubernetes as `1.34`."""
    return read_plan('upstream', version).pins['node'].removeprefix('v').rpartition('.')[0]


@every_version
def test_every_manifest_is_valid_for_its_kubernetes(version):
    objects = list(manifests())
    assert len(objects) > 20

    assert [(name, fault) for name, content in objects for fault in faults(content, kubernetes(version))] == []


def spoiled(kind, change):
    content = next(content for _, content in manifests() if content['kind'] == kind)
    content = json.loads(json.dumps(content))
    change(content)
    return content


@pytest.mark.parametrize(
    'kind, change, sentence',
    [
        ('Job', lambda job: job['spec'].update(backoffLimits=1), "'backoffLimits' was unexpected"),
        ('Experiment', lambda one: one['spec'].update(maxTrials=1), "'maxTrials' was unexpected"),
        ('Experiment', lambda one: one['spec']['parameters'][0]['feasibleSpace'].update(min=0.1), 'is not of type'),
        (
            'Experiment',
            lambda one: one['spec']['trialTemplate']['trialSpec']['spec']['template']['spec'].update(restart='Never'),
            "'restart' was unexpected",
        ),
        (
            'PyTorchJob',
            lambda one: one['spec']['pytorchReplicaSpecs']['Master']['template']['spec']['containers'][0].pop('name'),
            "'name' is a required property",
        ),
        ('Notebook', lambda one: one['spec'].update(image='x'), "'image' was unexpected"),
        ('InferenceService', lambda one: one['spec']['predictor'].update(sklearn={}), "'sklearn' was unexpected"),
        ('Namespace', lambda one: one.update(kind='Namespaces'), "Couldn't find schema for kind Namespaces"),
    ],
)
def test_a_manifest_that_is_not_valid_is_noticed(kind, change, sentence):
    (fault,) = faults(spoiled(kind, change), '1.34')

    assert sentence in fault


def named():
    """Every object of the manifests as `<resource>/<name>` with its namespace."""
    return {
        (f'{content["kind"].lower()}/{content["metadata"]["name"]}', namespace(content)) for _, content in manifests()
    }


def namespace(content):
    return content['metadata'].get('namespace')


def test_every_manifest_is_applied_once():
    applied = Counter(action['apply'] for action in all_actions() if '://' not in action.get('apply', '://'))

    assert applied == Counter({path.name: 1 for path in MANIFESTS.iterdir()})


def test_what_is_waited_for_or_deleted_of_ours_is_there():
    ours = {'kubeflow-e2e', 'kubeflow-e2e-quota'}
    waited = {
        (resource, action['namespace'])
        for action in all_actions()
        for resource in (*action.get('resources', ()), *action.get('delete', ()))
        if action.get('namespace') in ours or resource.startswith('job/')
    }

    assert len(waited) == 11
    assert waited <= named()


def test_every_workload_that_ends_is_waited_for():
    """What fails to be done is seen where it fails, not in a metric that is missing at the end."""
    resources = {resource for action in all_actions() for resource in action.get('resources', ())}
    # Two have no end, and of one the trial is waited for.
    endless = {'pytorchjob/restarting', 'notebook/refused', 'experiment/unobserved'}
    kinds = ('Experiment', 'PyTorchJob', 'Notebook', 'InferenceService', 'Job')
    workloads = {f'{one["kind"].lower()}/{one["metadata"]["name"]}' for _, one in manifests() if one['kind'] in kinds}

    assert workloads - endless <= resources


def test_config_maps_and_secrets_that_pods_mount_are_there():
    mounted = set()
    for _, content in manifests():
        if content['kind'] in ('Job', 'Deployment'):
            for volume in content['spec']['template']['spec']['volumes']:
                if 'configMap' in volume:
                    mounted.add((f'configmap/{volume["configMap"]["name"]}', namespace(content)))
                else:
                    mounted.add((f'secret/{volume["secret"]["secretName"]}', namespace(content)))

    assert len(mounted) == 3
    assert mounted <= named()


@pytest.mark.parametrize('name, files', [('requests', 2), ('runs', 3)])
def test_the_bodies_of_requests_are_json_and_all_of_them_sent(name, files):
    objects = {(one['kind'], one['metadata']['name']): one for _, one in manifests()}
    bodies = objects['ConfigMap', name]['data']
    (container,) = objects['Job', name]['spec']['template']['spec']['containers']

    assert len(bodies) == files
    for file, body in bodies.items():
        assert json.loads(body)
        assert file in container['command'][-1]


# --- endpoints --------------------------------------------------------------------------------------------------------


@every_version
def test_the_workloads_are_those_of_the_table_of_endpoints(version):
    rows = {row.component: row for row in of_release(version)}
    named = 0
    for endpoint in read_plan('upstream', version).endpoints:
        if workload := rows[endpoint.component].workload:
            assert re.fullmatch(f'deployment/{workload}', endpoint.workload)
            named += 1
    assert named > 5


def test_an_endpoint_has_what_the_table_says_of_its_release():
    def argo(version):
        (one,) = [each for each in read_plan('upstream', version).endpoints if each.name == 'argo-workflow-controller']
        return one.container, one.instance('h')['openmetrics_endpoint'], one.options

    assert argo('1.10') == ('workflow-controller', 'http://h:9090/metrics', {})
    assert argo('1.11') == ('workflow-controller', 'https://h:9090/metrics', {'tls_verify': False})


@every_version
def test_argo_is_scraped_as_its_release_listens(version):
    one = read_plan('upstream', version)
    (argo,) = [endpoint for endpoint in one.endpoints if endpoint.component == 'argo-workflow-controller']

    minor = tuple(map(int, one.pins['argo'].removeprefix('v').split('.')[:2]))
    assert argo.scheme == ('https' if minor >= (3, 6) else 'http')


@every_version
def test_queue_proxy_and_scheduled_workflows_are_scraped_where_they_expose(version):
    one = read_plan('upstream', version)
    components = {endpoint.component for endpoint in one.endpoints}

    knative = int(one.pins['knative'].split('.')[1])
    assert ('queue-proxy-otel' in components, 'queue-proxy-opencensus' in components) == (knative >= 19, knative < 19)
    pipelines = tuple(map(int, one.pins['pipelines'].split('.')[:2]))
    assert ('scheduledworkflow-controller' in components) == (pipelines >= (2, 16))


@every_plan
def test_no_two_endpoints_are_one_port(environment, version):
    ports = Counter((one.namespace, one.workload, one.port) for one in read_plan(environment, version).endpoints)

    assert max(ports.values()) == 1


@every_plan
def test_the_instances_are_ones_that_the_check_takes(environment, version):
    for endpoint in read_plan(environment, version).endpoints:
        check = KubeflowCheck('kubeflow', {}, [endpoint.instance('127.0.0.1', 12345)])
        check.load_configuration_models()
        check.configure_scrapers()
        assert list(check.scrapers) == [f'{endpoint.scheme}://127.0.0.1:12345{endpoint.path}']
        assert check._option_warnings == []


@every_version
def test_the_agent_finds_by_image_what_the_check_s_own_file_names(version):
    rows = {row.component: row for row in of_release(version)}
    one = read_plan('upstream', version)
    template = auto_conf(one)

    for endpoint in one.endpoints:
        row = rows[endpoint.component]
        found = endpoint.discovery == 'auto_conf'
        assert found == (row.auto_conf == 'auto_conf.yaml')
        if found:
            assert set(row.images) <= set(template['ad_identifiers'])
            assert [endpoint.instance('%%host%%')] == template['instances']


def test_the_agent_finds_by_annotation_what_no_image_names():
    annotated = {name for action in all_actions() for name in action.get('annotate', ())}
    endpoints = [one for version in versions() for one in read_plan('upstream', version).endpoints]

    assert annotated == {one.name for one in endpoints if one.discovery == 'annotation'}
    written = {}
    for _, content in manifests():
        if content['kind'] == 'InferenceService':
            for name, text in content['metadata']['annotations'].items():
                if name.startswith('ad.datadoghq.com/'):
                    written[name] = json.loads(text)
    in_manifests = [one for one in endpoints if one.discovery == 'manifest']
    for endpoint in in_manifests:
        assert written == {name: json.loads(text) for name, text in annotations(endpoint).items()}
    assert {one.discovery for one in endpoints} == {'auto_conf', 'annotation', 'manifest'}


def test_an_annotation_is_what_an_agent_reads():
    assert {name: json.loads(text) for name, text in annotations(A_PORT).items()} == {
        'ad.datadoghq.com/main.checks': {
            'kubeflow': {'instances': [{'openmetrics_endpoint': 'https://%%host%%:8443/metrics', **OPTIONS, 'x': 1}]}
        }
    }


@every_version
def test_the_simulator_s_ports_are_those_that_it_opens(version):
    from simulator.server import Simulator

    endpoints = read_plan('simulator', version).endpoints

    names = Simulator(version, speed=None).names
    assert [one.port for one in endpoints] == [9400 + place for place in range(len(endpoints))]
    assert names[: len(endpoints)] == tuple(one.name for one in endpoints)
    # Behind the rest no scrape gets through.
    assert len(names) == len(endpoints) + 2


# --- the README -------------------------------------------------------------------------------------------------------


README = (HERE / 'README.md').read_text()


def test_the_table_of_pins_is_the_pins():
    table = re.search(r'<!-- releases -->\n.*\n.*\n((?:.*\n)*?)<!-- end -->', README)[1]

    rows = [[cell.strip() for cell in line.strip('|\n').split('|')] for line in table.splitlines()]
    assert rows == [
        [version, *map(str, pins.values())]
        for version, pins in yaml.safe_load((HERE / 'releases.yaml').read_text())['releases'].items()
    ]


def test_commands_of_the_readme_name_environments_that_are_there():
    named = re.findall(r'hatch run e2e e2e\.(\w+)-([\d.]+)', README)

    assert {environment for environment, _ in named} == set(ENVIRONMENTS)
    assert {version for _, version in named} <= set(versions())


def test_the_readme_names_every_file_and_no_other():
    table = README.partition('## Where what is')[2]
    named = set(re.findall(r'`([\w./]+)`', table))

    there = {f'{path.name}/' if path.is_dir() else path.name for path in HERE.iterdir()}
    assert named == there - {'README.md', '__init__.py', '__pycache__/'}
