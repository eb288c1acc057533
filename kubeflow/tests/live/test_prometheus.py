# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check against a Prometheus server that runs, which scrapes simulated components and files."""

import contextlib
import re
import runpy
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from datadog_checks.base import AgentCheck
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue
from runner.aggregator import MonotonicCount
from simulator.server import Simulator

from ..common import exposition, instance_of
from ..federation import Scraped, federate
from .availability import available
from .environment import cache_directory
from .process import free_ports
from .prometheus import Prometheus, find_program

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]

# What kube-prometheus attaches to each target besides `job` and `instance`; `service` and `namespace` are labels of
# some components too.
ATTACHED = {'namespace': 't-namespace', 'container': 't-container', 'service': 't-service', 'endpoint': 't-endpoint'}

# An hour of the world.
STEP = 3600

DOCUMENTED = {name for entry in load_catalogue().metrics if entry.documented for name in entry.submitted_names()}


@pytest.fixture(scope='session')
def program():
    """The path of the server. Where there is none the tests are skipped, in CI they fail."""
    return available(lambda: find_program(cache_directory()))


@pytest.fixture
def prometheus(program, tmp_path):
    """Start a server: `prometheus(*scrape_configs)` gives one that is ready; it ends with the test."""
    with contextlib.ExitStack() as running:
        yield lambda *configs: running.enter_context(Prometheus(program, tmp_path / 'prometheus', configs))


@pytest.fixture(scope='module')
def bare(program, tmp_path_factory):
    """A server that scrapes none but itself, and has done so."""
    (port,) = free_ports(1)
    itself = {'job_name': 'prometheus', 'static_configs': [{'targets': [f'127.0.0.1:{port}']}]}
    with Prometheus(program, tmp_path_factory.mktemp('bare') / 'prometheus', [itself], port) as server:
        server.wait_until_scraped()
        yield server


@pytest.fixture
def simulator():
    """A Kubeflow whose time stands still, with every component in each of its forms."""
    with Simulator(speed=None) as running:
        yield running


@pytest.fixture
def files():
    """The address of a server that has the payload of each fixture at `/<fixture>/metrics`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            text = exposition(self.path.split('/')[1])
            openmetrics = text.endswith('# EOF\n')
            body = text.encode()
            self.send_response(200)
            self.send_header(
                'Content-Type',
                'application/openmetrics-text; version=1.0.0; charset=utf-8'
                if openmetrics
                else 'text/plain; version=0.0.4; charset=utf-8',
            )
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def of_files(address, *fixtures, labels=None, honor_labels=False):
    """The scrape configurations of fixtures; a job is named as its fixture."""
    for fixture in fixtures:
        yield {
            'job_name': fixture,
            'metrics_path': f'/{fixture}/metrics',
            'honor_labels': honor_labels,
            'static_configs': [{'targets': [address], 'labels': dict(labels or {})}],
        }


def of_simulator(simulator, *names, labels=None, honor_labels=False):
    """The scrape configurations of these endpoints, or of all that can be scraped; a job is named as its endpoint."""
    for endpoint in simulator.endpoints:
        if endpoint.obstacle or names and endpoint.name not in names:
            continue
        url = urlsplit(endpoint.url)
        config = {
            'job_name': endpoint.name,
            'metrics_path': url.path,
            'scheme': url.scheme,
            'tls_config': {'insecure_skip_verify': True},
            'honor_labels': honor_labels,
            'static_configs': [{'targets': [url.netloc], 'labels': dict(labels or {})}],
        }
        if token := endpoint.instance.get('auth_token'):
            config['authorization'] = {'credentials_file': token['reader']['path']}
        yield config


def check_of(url, **options):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, 'tag_by_endpoint': False, **options}])


@pytest.fixture
def submitted(aggregator, dd_run_check):
    """Run checks once: how often each sample was submitted, by name, type, value and tags without the target's."""

    def run(*checks):
        aggregator.reset()
        for check in checks:
            check.warnings.clear()
            dd_run_check(check)
        return Counter(
            (stub.name, stub.type, stub.value, tuple(sorted(filter(of_component, stub.tags))))
            for name in aggregator.metric_names
            for stub in aggregator.metrics(name)
        )

    return run


def of_component(tag):
    label, _, value = tag.partition(':')
    return label not in ('job', 'instance') and value not in ATTACHED.values()


def metrics(samples):
    return {name for name, _, _, _ in samples}


def test_all_documented_metrics_arrive_with_the_types_and_values_of_the_exposition(prometheus, files, submitted):
    server = prometheus(*of_files(files, 'documented', 'documented-openmetrics'))
    server.wait_until_scraped()
    for fixture in ('documented', 'documented-openmetrics'):
        options = instance_of(fixture)
        del options['openmetrics_endpoint']
        direct = submitted(check_of(f'http://{files}/{fixture}/metrics', **options))
        assert metrics(direct) == DOCUMENTED and len(DOCUMENTED) == 48
        assert submitted(check_of(server.federate(f'{{job="{fixture}"}}'))) == direct


@pytest.mark.parametrize('honor_labels', [True, False])
@pytest.mark.parametrize('labels', [{}, ATTACHED], ids=['plain', 'kube-prometheus'])
def test_every_series_of_the_simulator_is_what_direct_scraping_gives(
    prometheus, simulator, submitted, labels, honor_labels
):
    configs = list(of_simulator(simulator, labels=labels, honor_labels=honor_labels))
    assert {config['scheme'] for config in configs} == {'http', 'https'}
    server = prometheus(*configs)
    federated = check_of(server.federate('{job=~".*"}'))
    direct = [
        KubeflowCheck('kubeflow', {}, [{**endpoint.instance, 'tag_by_endpoint': False}])
        for endpoint in simulator.endpoints
        if not endpoint.obstacle
    ]
    for _ in range(2):
        simulator.step(STEP)
        server.wait_until_scraped()
        expected = submitted(*direct)
        assert submitted(federated) == expected
        assert federated.warnings == []
        # The simulator has every documented metric that some component exposes.
        assert len(metrics(expected) & DOCUMENTED) > 20


def test_the_selectors_of_the_readme_bring_every_documented_metric(prometheus, simulator, submitted):
    server = prometheus(*of_simulator(simulator))
    simulator.step(STEP)
    server.wait_until_scraped()
    generator = runpy.run_path(str(ROOT / 'kubeflow' / 'scripts' / 'generate.py'))
    catalogue = load_catalogue()
    documented = [entry for entry in catalogue.metrics if entry.documented]
    chosen = [each for group in generator['selectors'](catalogue, documented).values() for each in group]

    everything = submitted(check_of(server.federate('{job=~".*"}')))
    selected = submitted(check_of(server.federate('up', *chosen)))
    assert documented_of(selected) == documented_of(everything)


def documented_of(samples):
    return {sample: times for sample, times in samples.items() if sample[0] in DOCUMENTED}


def test_an_inference_counts_once_though_the_model_server_and_its_sidecar_are_scraped(prometheus, simulator, submitted):
    pod = {'pod': 'toy-predictor-0'}
    names = ('kserve-server', 'queue-proxy-otel')
    server = prometheus(*of_simulator(simulator, *names, labels=pod))
    simulator.step(STEP)
    server.wait_until_scraped()
    direct = submitted(KubeflowCheck('kubeflow', {}, [dict(simulator['kserve-server'].instance)]))
    federated = submitted(check_of(server.federate('{job=~".*"}')))
    for name in ('kubeflow.kserve.inferences.count', 'kubeflow.kserve.inference.duration.seconds.sum'):
        values = sorted(value for each, _, value, _ in direct.elements() if each == name)
        assert values == sorted(value for each, _, value, _ in federated.elements() if each == name) != []
    # What the model server does not count comes from the sidecar.
    assert 'kubeflow.kserve.inference.request.bytes.count' in metrics(federated) - metrics(direct)


def test_counts_are_whole_where_a_component_restarts(prometheus, simulator, aggregator, dd_run_check):
    server = prometheus(*of_simulator(simulator, 'katib-controller'))
    name = 'kubeflow.katib.experiment.created.count'
    federated = check_of(server.federate('{job="katib-controller"}', 'up'))
    direct = KubeflowCheck('kubeflow', {}, [dict(simulator['katib-controller'].instance)])

    def total(check):
        aggregator.reset()
        dd_run_check(check)
        return sum(stub.value for stub in aggregator.metrics(name))

    counts, added, exposed = {}, [], []
    for restarts in (False, False, True, False, True, False):
        if restarts:
            simulator.restart('katib-controller')
        simulator.step(STEP)
        exposed.append(total(direct))
        server.wait_until_scraped()
        total(federated)
        for stub in aggregator.metrics(name):
            series = counts.setdefault(tuple(sorted(stub.tags)), MonotonicCount())
            series.add(stub.value, 0, stub.flush_first_value)
        added.append(sum(filter(None, [series.flush() for series in counts.values()])))

    # Nothing at first, then what came since; after a restart all that the new process has counted.
    first, second, third, fourth, fifth, sixth = exposed
    assert added == [0, second - first, third, fourth - third, fifth, sixth - fifth]
    assert third < second and fifth < fourth and min(added[1:]) > 0


def test_a_target_that_does_not_answer_is_missed_and_counts_on(prometheus, simulator, aggregator, dd_run_check):
    server = prometheus(*of_simulator(simulator, 'katib-controller'))
    name = 'kubeflow.katib.experiment.created.count'
    check = check_of(server.federate('{job="katib-controller"}'))
    seen = []
    for fault in (None, None, 'unavailable', 'recover', None):
        if fault:
            getattr(simulator, fault)('katib-controller')
        simulator.step(STEP)
        server.wait_until_scraped(down=['katib-controller'] if fault == 'unavailable' else [])
        aggregator.reset()
        dd_run_check(check)
        # The server answered, whatever became of its targets.
        aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.OK, count=1)
        seen.append({stub.flush_first_value for stub in aggregator.metrics(name)})
    assert seen == [{False}, {True}, set(), {False}, {True}]


@pytest.mark.parametrize('honor_labels', [True, False])
def test_the_pages_of_other_tests_are_what_the_server_answers(prometheus, files, honor_labels):
    fixtures = ('katib-0.19', 'qpext-0.20', 'mlserver-1.7', 'seldon-v1-1.18', 'triton-24.07', 'documented-openmetrics')
    configs = list(of_files(files, *fixtures, labels=ATTACHED, honor_labels=honor_labels))
    server = prometheus(*configs)
    server.wait_until_scraped()
    page = server.get('/federate', **{'match[]': '{__name__!~"up|scrape_.*",job!=""}'})
    made = federate(
        *(
            Scraped(exposition(fixture), {**ATTACHED, 'job': fixture, 'instance': files}, honor_labels)
            for fixture in fixtures
        )
    )
    assert samples_of(page) == samples_of(made)
    assert re.findall(r'^#.*', page, re.MULTILINE) == re.findall(r'^#.*', made, re.MULTILINE)


def samples_of(page):
    return Counter(
        (family.name, family.type, sample.name, tuple(sample.labels.items()), repr(float(sample.value)))
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    )


@pytest.mark.parametrize(
    'path, expected',
    [
        ('/metrics', "Likely cause: these are a Prometheus server's own metrics, not those of what it scrapes; "),
        ('/federate', 'answered without any series, for it federates what the parameter `match[]` selects'),
        ('/federate?match[]=none', 'answered without any series: it has none that the selectors of `match[]`'),
        ('/federate?match[]={job=~".+"}', 'Likely cause: the `+` in a selector, which a URL takes for a space'),
        ('/federate?match[]=up', "federates is Kubeflow's. First families seen: up."),
    ],
)
def test_an_answer_with_nothing_of_kubeflow_is_explained(bare, dd_run_check, path, expected):
    check = check_of(bare.url + path)
    dd_run_check(check)
    (warning,) = check.warnings
    assert expected in warning and bare.url in warning


@pytest.mark.parametrize(
    'path, expected',
    [
        ('/federate?match[]={', 'A selector of `match[]` in `openmetrics_endpoint` is not valid'),
        ('/api/v1/query?query=up', 'this is a page or the query API of a Prometheus server'),
        ('/api/v1/query', 'this is a page or the query API of a Prometheus server'),
        # A page of its own, or an error where the package is unpacked and not installed.
        ('/graph', 'this is a page or the query API of a Prometheus server'),
    ],
)
def test_an_answer_that_is_no_exposition_is_explained(bare, aggregator, dd_run_check, path, expected):
    check = check_of(bare.url + path)
    with pytest.raises(Exception, match=re.escape(expected)):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.CRITICAL, count=1)


def test_openmetrics_is_answered_in_the_text_format(bare, dd_run_check):
    with pytest.raises(Exception, match='`use_latest_spec: true` asks for OpenMetrics'):
        dd_run_check(check_of(bare.federate('up'), use_latest_spec=True))
