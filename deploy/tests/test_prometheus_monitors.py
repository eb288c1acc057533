# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which endpoints of `endpoints.yaml` a Prometheus server scrapes, told what the operator makes of the monitors."""

import json
import time
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

import pytest

from datadog_checks.kubeflow.catalogue import load_catalogue
from deploy.endpoints import KUBEFLOW, PROFILE, TOKEN_PATH, Endpoint, of_release
from kubeflow.tests.live.availability import available
from kubeflow.tests.live.environment import cache_directory
from kubeflow.tests.live.prometheus import Prometheus, find_program

from .monitored import POD, documents, scrapes

# Rows of the table that no monitor is for.
NOT_SCRAPED = {
    'vllm main': 'its scheme is a setting of the LLMInferenceService',
    'epp main': 'a PodMonitor has no token but that of a Secret in its own namespace',
    'seldon-v1 seldon-container-engine': 'of another project',
    'workspaces-controller manager': 'its overlay brings a ServiceMonitor',
}
# What has two forms that one monitor reads.
JOBS = {'queue-proxy-opencensus': 'queue-proxy', 'queue-proxy-otel': 'queue-proxy'}

# Argo has the scheme of its release, which is in the image's tag.
TAGS = {'up to 3.5': ('v3.4.17-license-compliance', 'v3.5.14'), 'from 3.6': ('v3.6.7', 'v3.7.3', 'v4.0.5')}

SIDECAR = {'name': 'istio-proxy', 'image': 'docker.io/istio/proxyv2:1.28.0', 'ports': {'http-envoy-prom': 15090}}
INIT = {'name': 'storage-initializer', 'image': 'kserve/storage-initializer:v0.15.2', 'ports': {}}


@dataclass(frozen=True)
class Pod:
    """A pod with the containers of these rows: of each its name, its image and its ports by name."""

    rows: list[Endpoint]
    containers: list[dict[str, Any]]
    address: str
    ready: str = 'true'
    phase: str = 'Running'

    @property
    def namespace(self):
        return 'team-a' if self.rows[0].namespace == PROFILE else self.rows[0].namespace

    @property
    def labels(self):
        labels = {label: value for row in self.rows for label, value in row.labels.items()}
        if self.rows[0].namespace == PROFILE:
            labels['serving.kserve.io/inferenceservice'] = 'toy'
        return labels


def named(row):
    return f'{row.component} {row.container}'


def scraped_rows(release):
    return [row for row in of_release(release) if named(row) not in NOT_SCRAPED]


def images(row):
    for image in row.images:
        for tag in TAGS.get(row.programs, ('v1.0@sha256:5f0b',)) if 'argo' in row.component else ('v1.0@sha256:5f0b',):
            yield f'registry.example:5000/some/{image}:{tag}'


def ports(row):
    """By name: the port of the row, if it is declared, and others of the container."""
    if row.declared:
        return {row.declared.replace('unnamed', ''): row.port, 'webhook': 9443}
    return {'user-port': 8080, 'h2c': 9000} if row.container == 'kserve-container' else {}


def pods():
    """Pods as the releases of the distribution have them.

    Containers of one workload are in one pod; of a model server's row there is a pod for each image.
    """
    numbers = count(2)
    for release in KUBEFLOW:
        rows = sorted(of_release(release), key=lambda row: (row.workload, row.component, row.container))
        for _, group in groupby(rows, lambda row: row.workload or named(row)):
            members = list(group)
            for variant in range(max(len(list(images(row))) for row in members)):
                containers = []
                for row in members:
                    choices = list(images(row))
                    image = choices[variant % len(choices)]
                    containers.append({'name': row.container, 'image': image, 'ports': ports(row)})
                third, fourth = divmod(next(numbers), 250)
                yield Pod(members, [*containers, INIT, SIDECAR], f'127.0.{third}.{fourth + 1}')


def no_targets():
    """Pods with a metrics port that are not scraped."""
    rows = {row.component: [row] for row in of_release('26.03')}
    server = {'name': 'kserve-container', 'image': 'kserve/sklearnserver:v0.15.2', 'ports': {'user-port': 8080}}
    sidecar = {'name': 'queue-proxy', 'image': 'knative/queue:v1.21', 'ports': {'http-usermetric': 9091}}
    manager = {'name': 'manager', 'image': 'notebook-controller', 'ports': {}}
    # It loads its model; it has come to its end; its image is the user's own.
    yield Pod(rows['kserve-server'], [server, sidecar], '127.1.0.1', ready='false')
    yield Pod(rows['notebook-controller'], [manager], '127.1.0.2', phase='Succeeded')
    yield Pod(rows['kserve-server'], [{**server, 'image': 'team-a/my-sklearnserver:v1'}], '127.1.0.3')


def discovered(pod, service=''):
    """What Prometheus discovers of one pod: a target for each declared port, one without a port where none is."""
    common = {
        '__meta_kubernetes_namespace': pod.namespace,
        '__meta_kubernetes_service_name': service,
        f'{POD}name': f'pod-{pod.address}',
        f'{POD}ip': pod.address,
        f'{POD}phase': pod.phase,
        f'{POD}ready': pod.ready,
        **{f'{POD}label_{label.translate(str.maketrans("./-", "___"))}': value for label, value in pod.labels.items()},
    }
    for container in pod.containers:
        own = {**common, f'{POD}container_name': container['name'], f'{POD}container_image': container['image']}
        for name, port in container['ports'].items():
            yield {**own, '__address__': joined(pod.address, port), f'{POD}container_port_name': name}
        if not container['ports']:
            yield {**own, '__address__': pod.address}


def joined(address, port):
    return f'[{address}]:{port}' if ':' in address else f'{address}:{port}'


def targets_of(scrape, pods):
    for pod in pods:
        if not scrape.in_namespace(pod.namespace):
            continue
        if not scrape.of_services:
            if scrape.selects(pod.labels):
                yield from discovered(pod)
        for row in pod.rows:
            if scrape.of_services and row.service:
                # A second Service of the same pod.
                for service in (row.service['name'], 'webhook-service'):
                    yield from discovered(pod, service)


# Of IPv6.
LOOPBACK = '::1'


@pytest.fixture(scope='module')
def active(tmp_path_factory):
    """The targets that a server has for these pods."""
    program = available(lambda: find_program(cache_directory()))
    notebooks = [row for row in of_release('26.03') if row.component == 'notebook-controller']
    of_ipv6 = Pod(notebooks, [{'name': 'manager', 'image': 'notebook-controller', 'ports': {}}, SIDECAR], LOOPBACK)
    there = [*pods(), *no_targets(), of_ipv6]
    configs = []
    for number, scrape in enumerate(scrapes()):
        found = [{**labels, '__meta_number': str(number)} for labels in targets_of(scrape, there)]
        configs.append(scrape.config(str(number), found))
    with Prometheus(program, tmp_path_factory.mktemp('targets') / 'prometheus', configs) as server:
        # It hands what it discovered to the scrapers after five seconds.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            targets = json.loads(server.get('/api/v1/targets'))['data']['activeTargets']
            seen = {target['discoveredLabels']['__meta_number'] for target in targets}
            if len(seen) == len(configs):
                return targets
            time.sleep(0.2)
    raise AssertionError(f'the server has targets for {len(seen)} of {len(configs)} jobs')


@pytest.mark.slow
def test_every_endpoint_of_every_release_is_a_target_and_nothing_else_is(active):
    wanted = {
        (f'kubeflow/{JOBS.get(row.component, row.component)}', f'{row.scheme}://{pod.address}:{row.port}{row.path}')
        for pod in pods()
        for row in pod.rows
        if named(row) not in NOT_SCRAPED
    }
    found = [target for target in active if LOOPBACK not in target['scrapeUrl']]
    assert {(target['labels']['job'], target['scrapeUrl']) for target in found} == wanted
    # Not one of them twice.
    assert len(found) == len(wanted) > 100

    labels = [target['labels'] for target in found]
    assert {each['namespace'] for each in labels} == {'kubeflow', 'kubeflow-system', 'team-a'}
    assert all(each['pod'] == f'pod-{each["instance"].rpartition(":")[0]}' for each in labels)
    for each in labels:
        assert ('inferenceservice' in each) == (each['namespace'] == 'team-a')


@pytest.mark.slow
def test_an_address_of_ipv6_is_written_with_brackets(active):
    (target,) = [target for target in active if LOOPBACK in target['scrapeUrl']]
    assert target['scrapeUrl'] == 'http://[::1]:8080/metrics'
    assert target['labels']['instance'] == '[::1]:8080'


def test_the_table_has_what_is_not_scraped():
    components = {named(row) for release in KUBEFLOW for row in of_release(release)}
    assert set(NOT_SCRAPED) <= components


def test_only_what_asks_for_a_token_or_has_a_certificate_of_its_own_gets_them():
    rows = {JOBS.get(row.component, row.component): row for release in KUBEFLOW for row in scraped_rows(release)}
    assert {scrape.job.removeprefix('kubeflow/') for scrape in scrapes()} == set(rows)
    for scrape in scrapes():
        row = rows[scrape.job.removeprefix('kubeflow/')]
        assert scrape.endpoint.get('scheme', 'http') == row.scheme
        assert scrape.endpoint.get('tlsConfig') == ({'insecureSkipVerify': True} if row.scheme == 'https' else None)
        assert scrape.endpoint.get('bearerTokenFile') == (TOKEN_PATH if row.auth == 'token' else None)
        assert scrape.of_services == (row.auth == 'token')
        # What users run could write any label.
        assert scrape.honors_labels == (row.namespace != PROFILE)


def test_monitors_bear_names_of_kubeflow_s():
    names = [monitor['metadata']['name'] for monitor in documents('monitors/*.yaml', 'optional/*/podmonitors.yaml')]
    assert len(names) == len(set(names))
    assert all(name.startswith('kubeflow-') for name in names)


# Programs that are not built on controller-runtime, besides those of the pods of users.
WITHOUT_CONTROLLERS = {'kfam', 'pipelines-api-server', 'scheduledworkflow-controller', 'argo-workflow-controller'}


def sample_names(entry, source):
    kind = source.exposed_type(entry.type)
    for family in source.families:
        if kind in ('histogram', 'summary'):
            parts = {'bucket', 'count', 'sum'} if kind == 'histogram' else {'count', 'sum'}
            yield from (f'{family}_{part}' for part in parts)
        else:
            yield family


def test_what_the_check_reads_of_a_component_is_stored():
    components = {}
    for entry in load_catalogue().metrics:
        for source in entry.component_sources:
            components.setdefault(source.component, set()).update(sample_names(entry, source))
    for scrape in scrapes():
        job = scrape.job.removeprefix('kubeflow/')
        own = [name for name in components if JOBS.get(name, name) == job]
        read = set().union(*(components[name] for name in own)) | components['go-runtime']
        if not scrape.by_service and job not in WITHOUT_CONTROLLERS:
            read |= components['controller-runtime']
        lost = {name for name in read if not scrape.kept.fullmatch(name)}
        # They bear the e-mail addresses of kfam's callers.
        assert lost == ({'request_kf', 'request_kf_failure'} if job == 'kfam' else set()), job
