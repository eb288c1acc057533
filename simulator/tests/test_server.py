# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The ports: what they answer, when they open and close, and what goes wrong with them on demand."""

import gzip
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests

from ..components import OpenCensusQpext, OpenTelemetryQpext
from ..exposition import GO, PYTHON, RawCounter
from ..faults import BadFault
from ..releases import RELEASES, UnknownRelease, deployments
from ..server import Simulator, StartError
from ..world import World
from .serving import Ticker, control, deployment, fetch, free_ports, is_open, stepped, ticks

RETRY = 0.02


def until(condition):
    """Wait for the condition; whether it came to hold."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(RETRY)
    return False


def connection(endpoint):
    return http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=10)


class Dying(Ticker):
    """Answers until it is told to die."""

    program = 'Dying'
    dies = False

    def payload(self):
        if self.dies:
            raise LookupError('no such\n  shard')
        return super().payload()


@pytest.mark.parametrize('kubeflow', [None, *RELEASES])
def test_every_deployment_is_served_as_its_instance_says(kubeflow):
    with Simulator(kubeflow, speed=None) as simulator:
        served = [endpoint for endpoint in simulator.endpoints if not endpoint.obstacle]
        assert [endpoint.name for endpoint in served] == [each.name for each in deployments(kubeflow)]
        assert served
        for endpoint, each in zip(served, deployments(kubeflow), strict=True):
            assert endpoint.title == endpoint.component.title
            assert (endpoint.component.release, type(endpoint.component)) == (each.release, each.component)
            assert urlsplit(endpoint.url).path == each.component.path
            answer = fetch(endpoint)
            assert answer.status_code == 200, endpoint.name
            assert answer.headers['Content-Type'] == endpoint.component.dialect.content_type
            assert '# TYPE ' in answer.text
        urls = [endpoint.url for endpoint in simulator.endpoints]
        assert len({urlsplit(url).port for url in urls}) == len(urls)


def test_what_nobody_gets_past():
    with Simulator(RELEASES[-1], speed=None, warm_up=0) as simulator:
        shut = {endpoint.obstacle: endpoint for endpoint in simulator.endpoints if endpoint.obstacle}
        assert list(shut) == ['istio', 'login']
        for endpoint in shut.values():
            assert endpoint.component is None
            assert endpoint.how.startswith('not at all: ')
            assert endpoint.instance == {'openmetrics_endpoint': endpoint.url}
        istio = fetch(shut['istio'])
        assert (istio.status_code, istio.text) == (403, 'RBAC: access denied')
        assert (istio.headers['Server'], istio.headers['Content-Type']) == ('istio-envoy', 'text/plain')
        login = fetch(shut['login'])
        assert (login.status_code, login.headers['Content-Type']) == (200, 'text/html; charset=utf-8')
        assert login.text.startswith('<!DOCTYPE html>')
        assert '<form' in login.text
        answer = control(shut['istio'], 'restart')
        sentence = 'notebook-controller-istio is no component that could restart'
        assert (answer.status_code, answer.text) == (400, f'{sentence}\n')
        with pytest.raises(BadFault, match=sentence):
            simulator.restart('notebook-controller-istio')


def test_nothing_is_left_after_the_stop():
    before = set(threading.enumerate())
    with Simulator() as simulator, ExitStack() as stack:
        endpoints = simulator.endpoints
        for endpoint in endpoints:
            stack.enter_context(requests.Session()).get(endpoint.url, verify=False, timeout=10)
    assert not [endpoint.url for endpoint in endpoints if is_open(endpoint.url)]
    assert set(threading.enumerate()) <= before
    simulator.stop()


def test_an_idle_connection_does_not_hold_up_the_stop():
    with stepped() as simulator:
        client = connection(simulator['ticker'])
        client.request('GET', '/metrics')
        assert client.getresponse().read()
        silent = socket.create_connection((client.host, client.port), timeout=10)
        # Accepted once a later connection has been answered.
        fetch(simulator['ticker'])
    assert silent.recv(1) == b''
    assert client.sock.recv(1) == b''
    silent.close()
    client.close()


def test_stepped_time_is_exact():
    with stepped(warm_up=25) as simulator:
        endpoint = simulator['ticker']
        assert ticks(endpoint) == 2
        assert ticks(endpoint) == 2
        simulator.step(5)
        assert ticks(endpoint) == 3
        simulator.step(100)
        assert ticks(endpoint) == 13
        assert simulator.world.now == 130


def test_time_runs_by_itself():
    with Simulator(deployments=[deployment()], speed=10_000) as simulator:
        with pytest.raises(RuntimeError, match='speed=None'):
            simulator.step(1)
        before = ticks(simulator['ticker'])
        # The warm-up.
        assert before >= 60
        assert until(lambda: ticks(simulator['ticker']) > before)
    stopped = simulator.world.now
    time.sleep(RETRY)
    assert simulator.world.now == stopped


@pytest.mark.parametrize('options, epoch', [({}, World.EPOCH), ({'epoch': 5000.0}, 5000.0)])
def test_the_world_begins_on_the_same_day_where_time_stands_still(options, epoch):
    assert stepped(**options).world.epoch == epoch


def test_components_that_run_by_themselves_started_a_warm_up_ago():
    before = time.time()
    running = Simulator(speed=1, warm_up=600, deployments=[deployment()])
    assert before - 600 <= running.world.epoch <= time.time() - 600


def test_a_scrape_sees_no_half_step():
    class Halves(Ticker):
        def __init__(self, world, release):
            super().__init__(world, release)
            self._first, self._second = (
                RawCounter(name, name, registry=self.registry) for name in ('first_total', 'second_total')
            )
            world.schedule(1, self._both)

        def _both(self):
            self._first.inc()
            # Long enough for another thread to run in between.
            time.sleep(0.0005)
            self._second.inc()
            self.world.schedule(1, self._both)

        @property
        def counts(self):
            return self._first._value.get(), self._second._value.get()

    def counts(endpoint):
        lines = dict(line.split() for line in fetch(endpoint).text.splitlines() if not line.startswith('#'))
        return lines['first_total'], lines['second_total']

    each = deployment(Halves), deployment(name='other')
    with Simulator(deployments=each, speed=500, warm_up=0) as simulator, ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: counts(simulator['ticker']), range(40)))
    assert len(set(seen)) > 1
    assert not [pair for pair in seen if pair[0] != pair[1]]


def test_the_same_seed_is_the_same_world():
    def payloads(seed):
        with Simulator(RELEASES[-1], seed=seed, speed=None) as simulator:
            (katib,) = (each for each in simulator.endpoints if each.name == 'katib-controller')
            return [line for line in fetch(katib).text.splitlines() if line.startswith('katib_')]

    assert payloads(7) == payloads(7) != payloads(8)


def test_it_grows_with_namespaces():
    def namespaces(number):
        with Simulator(RELEASES[-1], namespaces=number, speed=None) as simulator:
            lines = fetch(simulator['katib-controller']).text.splitlines()
        return sum(line.startswith('katib_experiment_created_total{') for line in lines)

    assert (namespaces(1), namespaces(9)) == (1, 9)


def test_a_restart_counts_from_nothing():
    with stepped() as simulator:
        endpoint = simulator['ticker']
        simulator.step(60)
        old = endpoint.component
        assert ticks(endpoint) == 6
        simulator.restart('ticker')
        assert old.closed
        assert endpoint.component is not old
        assert ticks(endpoint) == 0
        simulator.step(20)
        assert ticks(endpoint) == 2
        answer = control(endpoint, 'restart')
        assert (answer.status_code, answer.text) == (200, 'ticker: restart\n')
        assert ticks(endpoint) == 0


def test_slow_answers_come_late():
    with stepped() as simulator:
        endpoint = simulator['ticker']
        simulator.slow('ticker', 0.3)
        started = time.monotonic()
        assert ticks(endpoint) == 0
        assert time.monotonic() - started >= 0.3
        assert control(endpoint, 'slow?seconds=3600').text == 'ticker: slow, 3600.0 seconds\n'
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(endpoint.url, timeout=0.2)
        simulator.recover('ticker')
        assert ticks(endpoint) == 0


def test_a_slow_answer_does_not_hold_up_the_stop():
    with stepped() as simulator, ThreadPoolExecutor(1) as pool:
        simulator.slow('ticker', 3600)
        scrape = pool.submit(requests.get, simulator['ticker'].url, timeout=60)
        # The scrape is under way once its connection is known.
        assert until(lambda: simulator._ports[0]._connections)
        simulator.stop()
        with pytest.raises(requests.exceptions.ConnectionError):
            scrape.result(30)


def test_cut_answers_promise_more_than_comes():
    with stepped() as simulator:
        endpoint = simulator['ticker']
        whole = fetch(endpoint).content
        simulator.cut('ticker', 20)
        client = connection(endpoint)
        client.request('GET', '/metrics', headers={'Accept-Encoding': 'gzip'})
        answer = client.getresponse()
        assert (answer.status, answer.headers['Content-Length']) == (200, str(len(whole)))
        assert answer.headers['Content-Encoding'] is None
        with pytest.raises(http.client.IncompleteRead) as caught:
            answer.read()
        assert caught.value.partial == whole[:20]
        client.close()
        assert control(endpoint, f'cut?bytes={len(whole)}').status_code == 200
        assert fetch(endpoint).content == whole
        assert control(endpoint, 'recover').text == 'ticker: recover\n'
        assert fetch(endpoint).content == whole


def test_unavailable_until_recovery():
    with stepped(deployment(), deployment(name='other')) as simulator:
        endpoint = simulator['ticker']
        simulator.unavailable('ticker')
        answer = fetch(endpoint)
        assert (answer.status_code, answer.text) == (503, 'Service Unavailable\n')
        assert fetch(simulator['other']).status_code == 200
        simulator.recover('ticker')
        assert fetch(endpoint).status_code == 200
        assert control(endpoint, 'unavailable').status_code == 200
        assert fetch(endpoint).status_code == 503


def test_faults_may_be_there_from_the_start():
    simulator = stepped()
    simulator.unavailable('ticker')
    with simulator:
        assert fetch(simulator['ticker']).status_code == 503


@pytest.mark.parametrize(
    'request_, method, status, text',
    [
        ('slow?seconds=soon', 'POST', 400, "'soon' is no number of seconds"),
        (f'cut?bytes={"9" * 5000}', 'POST', 400, "'999999999999...9999999999999' is no number of bytes"),
        ('cut', 'POST', 400, '/-/cut needs bytes once, as in /-/cut?bytes=2000'),
        (
            'explode',
            'POST',
            404,
            'there is no /-/explode; there are /-/restart, /-/slow, /-/cut, /-/unavailable and /-/recover',
        ),
        ('unavailable', 'GET', 405, '/-/unavailable is asked for with POST'),
    ],
)
def test_bad_requests_for_faults_change_nothing(request_, method, status, text):
    with stepped() as simulator:
        answer = control(simulator['ticker'], request_, method)
        assert (answer.status_code, answer.text) == (status, f'{text}\n')
        assert fetch(simulator['ticker']).status_code == 200


def test_bad_faults_in_process():
    simulator = stepped()
    with pytest.raises(BadFault, match='-1 is no number of seconds'):
        simulator.slow('ticker', -1)
    with pytest.raises(BadFault, match='-1 is no number of bytes'):
        simulator.cut('ticker', -1)
    for call in (simulator.restart, simulator.__getitem__):
        with pytest.raises(KeyError, match="there is no endpoint 'nobody'; there are ticker"):
            call('nobody')


def test_a_connection_serves_many_scrapes():
    with stepped() as simulator:
        client = connection(simulator['ticker'])
        for seconds in (10, 20):
            simulator.step(10)
            client.request('GET', '/metrics')
            used = client.sock
            assert f'ticks_total {seconds // 10}'.encode() in client.getresponse().read()
            assert client.sock is used
        client.request('HEAD', '/metrics')
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b'')
        assert int(answer.headers['Content-Length']) > 0
        client.request('GET', '/metrics?name[]=x')
        assert client.getresponse().read()
        client.request('GET', '/')
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (404, b'404 page not found\n')
        client.close()


@pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
def test_an_exposition_is_asked_for_with_get(method):
    with stepped() as simulator:
        answer = requests.request(method, simulator['ticker'].url, timeout=10)
        assert (answer.status_code, answer.headers['Allow'], answer.text) == (405, 'GET, HEAD', 'Method Not Allowed\n')


@pytest.mark.parametrize(
    'line, status, sentence',
    [
        ('GET http://[x/metrics HTTP/1.1', 400, "'http://[x/metrics' is no URL"),
        ('POST http://[x/-/restart HTTP/1.1', 400, "'http://[x/-/restart' is no URL"),
        ('BREW /metrics HTTP/1.1', 501, "Unsupported method ('BREW')"),
        (f'GET /{"x" * 70_000} HTTP/1.1', 414, 'Request-URI Too Long'),
    ],
)
def test_requests_that_cannot_be_read(line, status, sentence, capfd):
    with stepped() as simulator:
        parts = urlsplit(simulator['ticker'].url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as client:
            client.sendall(f'{line}\r\nHost: x\r\n\r\n'.encode())
            answer = http.client.HTTPResponse(client)
            answer.begin()
            text = answer.read().decode()
        assert (answer.status, answer.headers['Connection']) == (status, 'close')
        assert answer.headers['Content-Type'] == 'text/plain; charset=utf-8'
        if status != 414:
            assert text == f'{sentence}\n'
        assert fetch(simulator['ticker']).status_code == 200
    assert capfd.readouterr() == ('', '')


@pytest.mark.parametrize(
    'accepted, compressed',
    [
        ('gzip', True),
        ('br, gzip;q=0.5', True),
        ('identity', False),
        ('gzip;q=0', False),
        ('br, gzip; q=0.000', False),
        ('gzip;q=0.001', True),
    ],
)
def test_go_programs_compress(accepted, compressed):
    with stepped() as simulator:
        client = connection(simulator['ticker'])
        client.request('GET', '/metrics', headers={'Accept-Encoding': accepted})
        answer = client.getresponse()
        body = answer.read()
        client.close()
    assert answer.headers['Content-Encoding'] == ('gzip' if compressed else None)
    assert b'ticks_total 0' in (gzip.decompress(body) if compressed else body)


def test_python_programs_do_not_compress():
    class Python(Ticker):
        dialect = PYTHON

    assert Ticker.dialect is GO
    with stepped(deployment(Python)) as simulator:
        answer = fetch(simulator['ticker'], **{'Accept-Encoding': 'gzip'})
    assert 'Content-Encoding' not in answer.headers
    assert 'ticks_total 0.0' in answer.text


@pytest.mark.parametrize('component', [OpenCensusQpext, OpenTelemetryQpext])
def test_qpext_answers_with_a_head_of_its_own(component):
    """Go, and yet not compressed and without `escaping`, as recorded from KServe 0.20."""
    deployed = next(each for each in (*deployments(None), *deployments('26.03')) if each.component is component)
    with stepped(deployed) as simulator:
        answer = fetch(simulator[deployed.name], **{'Accept-Encoding': 'gzip'})
    assert answer.headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8'
    assert 'Content-Encoding' not in answer.headers


def test_a_component_serves_its_path():
    class Elsewhere(Ticker):
        path = '/prometheus/metrics'

    with stepped(deployment(Elsewhere)) as simulator:
        endpoint = simulator['ticker']
        assert urlsplit(endpoint.url).path == '/prometheus/metrics'
        assert fetch(endpoint).status_code == 200
        assert requests.get(endpoint.url.replace('/prometheus', ''), timeout=10).status_code == 404


def test_a_note_is_part_of_how():
    with stepped(deployment(door='https', note='from Argo 3.6')) as simulator:
        assert simulator['ticker'].how == 'tls_verify: false; in a cluster: from Argo 3.6'


def test_a_component_that_dies_ends_the_simulation():
    with stepped(deployment(Dying), deployment(name='other')) as simulator:
        assert fetch(simulator['ticker']).status_code == 200
        simulator['ticker'].component.dies = True
        sentence = 'Dying 1 (ticker) died while it answered: LookupError: no such shard'
        answer = fetch(simulator['ticker'])
        assert (answer.status_code, answer.text) == (500, f'{sentence}\n')
        assert simulator.wait() == sentence
        assert fetch(simulator['other']).status_code == 500
        assert control(simulator['other'], 'restart').status_code == 500


def test_a_component_that_does_not_restart_ends_the_simulation():
    class Once(Ticker):
        made = 0

        def __init__(self, world, release):
            super().__init__(world, release)
            Once.made += 1
            if Once.made > 1:
                raise RuntimeError('no database')

    with stepped(deployment(Once)) as simulator:
        sentence = 'Ticker 1 (ticker) did not restart: RuntimeError: no database'
        answer = control(simulator['ticker'], 'restart')
        assert (answer.status_code, answer.text) == (500, f'{sentence}\n')
        assert simulator.wait() == sentence


def test_ports_follow_the_base_port():
    base = free_ports(3)
    each = deployment(), deployment(name='second'), deployment(name='third')
    with stepped(*each, base_port=base) as simulator:
        ports = [urlsplit(endpoint.url).port for endpoint in simulator.endpoints]
        assert ports == [base, base + 1, base + 2]
        assert simulator.names == ('ticker', 'second', 'third')


def test_a_port_that_is_taken():
    base = free_ports(2)
    simulator = stepped(deployment(), deployment(name='second'), base_port=base)
    with socket.create_server(('127.0.0.1', base + 1)):
        with pytest.raises(StartError) as caught:
            simulator.start()
        assert str(caught.value) == f'port {base + 1} of 127.0.0.1 is taken; choose another base port'
    assert not is_open(f'http://127.0.0.1:{base}')
    assert simulator.endpoints == ()


@pytest.mark.parametrize('base', [-1, 0, 65535, 70_000])
def test_base_ports_without_room(base):
    with pytest.raises(StartError) as caught:
        stepped(deployment(), deployment(name='second'), base_port=base).start()
    assert str(caught.value) == f'base port {base} leaves no room for 2 endpoints; choose one from 1 to 65534'


@pytest.mark.parametrize(
    'host, reason',
    [
        # TEST-NET-1, which is nobody's.
        ('192.0.2.1', "host '192.0.2.1' is no address of this machine"),
        ('kubeflow.invalid', "host 'kubeflow.invalid' has no address"),
        ('', "host '' has no address"),
        ('x' * 70, f"host '{'x' * 70}' has no address"),
    ],
)
def test_hosts_that_are_not_this_machine_s(host, reason):
    with pytest.raises(StartError) as caught:
        stepped(host=host).start()
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    'host, shown', [('0.0.0.0', '127.0.0.1'), ('localhost', 'localhost'), ('127.0.0.2', '127.0.0.2')]
)
def test_urls_lead_to_the_host(host, shown):
    with stepped(deployment(door='https'), host=host) as simulator:
        assert urlsplit(simulator['ticker'].url).hostname == shown
        assert fetch(simulator['ticker']).status_code == 200


@pytest.mark.parametrize('host', ['::1', '::'])
def test_ipv6(host):
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('this machine has no IPv6')
    with stepped(host=host) as simulator:
        assert simulator['ticker'].url.startswith('http://[::1]:')
        assert fetch(simulator['ticker']).status_code == 200


def test_nowhere_to_keep_the_token(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('simulator.server.TemporaryDirectory', refuse)
    with pytest.raises(StartError) as caught:
        stepped().start()
    assert str(caught.value) == (
        'no place for the certificate and the token: Permission denied; name a directory in TMPDIR'
    )


def test_unknown_release():
    with pytest.raises(UnknownRelease, match=r'\b1\.2\b'):
        Simulator('1.2')


def test_names_are_distinct():
    with pytest.raises(ValueError, match="2 deployments are named 'ticker'"):
        stepped(deployment(), deployment())
