# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import os
import socket
import ssl
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from ..server import StartError
from .serving import control, deployment, fetch, stepped


def served(door):
    return stepped(deployment(door=door))


def connection(endpoint):
    parts = urlsplit(endpoint.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def token_path(simulator):
    return Path(simulator['ticker'].instance['auth_token']['reader']['path'])


def test_http_needs_nothing():
    with served('http') as simulator:
        endpoint = simulator['ticker']
        assert endpoint.instance == {'openmetrics_endpoint': endpoint.url}
        assert endpoint.url.startswith('http://127.0.0.1:')
        assert endpoint.how == 'no option needed'
        assert endpoint.obstacle == ''
        assert fetch(endpoint).status_code == 200


def test_https_is_self_signed():
    with served('https') as simulator:
        endpoint = simulator['ticker']
        assert endpoint.instance == {'openmetrics_endpoint': endpoint.url, 'tls_verify': False}
        assert endpoint.how == 'tls_verify: false'
        assert fetch(endpoint).status_code == 200
        with pytest.raises(requests.exceptions.SSLError, match='self-signed'):
            requests.get(endpoint.url, timeout=10)


@pytest.mark.parametrize('name', ['localhost', '127.0.0.1', '::1'])
def test_the_certificate_is_for_this_machine(name):
    with served('https') as simulator:
        parts = urlsplit(simulator['ticker'].url)
        pem = ssl.get_server_certificate((parts.hostname, parts.port))
        trusting = ssl.create_default_context(cadata=pem)
        with connection(simulator['ticker']) as plain, trusting.wrap_socket(plain, server_hostname=name) as secured:
            assert secured.version() in ('TLSv1.2', 'TLSv1.3')
        with connection(simulator['ticker']) as plain, pytest.raises(ssl.SSLCertVerificationError):
            trusting.wrap_socket(plain, server_hostname='kubeflow.example')


def test_the_certificate_is_another_one_at_each_start():
    pems = set()
    for _ in range(2):
        with served('https') as simulator:
            parts = urlsplit(simulator['ticker'].url)
            pems.add(ssl.get_server_certificate((parts.hostname, parts.port)))
    assert len(pems) == 2


def test_plain_http_on_an_https_port():
    with served('https') as simulator:
        with connection(simulator['ticker']) as client:
            client.sendall(b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
            answer = client.makefile('rb').read()
    assert answer.startswith(b'HTTP/1.0 400 Bad Request\r\n')
    assert answer.endswith(b'\r\nClient sent an HTTP request to an HTTPS server.\n')


def test_a_client_that_never_begins_the_handshake_keeps_nobody_waiting():
    with served('https') as simulator, connection(simulator['ticker']):
        assert fetch(simulator['ticker']).status_code == 200


@pytest.mark.parametrize(
    'authorization, status, body',
    [
        (None, 401, 'Unauthorized\n'),
        ('', 401, 'Unauthorized\n'),
        ('Basic Zm9vOmJhcg==', 401, 'Unauthorized\n'),
        ('{token}', 401, 'Unauthorized\n'),
        ('bearer-{token}', 401, 'Unauthorized\n'),
        (
            'Bearer {token}x',
            403,
            'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=, subresource=)\n',
        ),
        (
            'Bearer \xe9',
            403,
            'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=, subresource=)\n',
        ),
    ],
)
def test_a_token_is_asked_for(authorization, status, body):
    with served('token') as simulator:
        headers = {}
        if authorization is not None:
            headers['Authorization'] = authorization.replace('{token}', token_path(simulator).read_text()).encode(
                'latin-1'
            )
        answer = requests.get(simulator['ticker'].url, headers=headers, verify=False, timeout=10)
        assert (answer.status_code, answer.text) == (status, body)


def test_the_token_opens():
    with served('token') as simulator:
        endpoint = simulator['ticker']
        path = token_path(simulator)
        assert endpoint.instance == {
            'openmetrics_endpoint': endpoint.url,
            'tls_verify': False,
            'auth_token': {
                'reader': {'type': 'file', 'path': str(path)},
                'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
            },
        }
        assert endpoint.how == f'tls_verify: false, auth_token: bearer token from {path}'
        assert fetch(endpoint).status_code == 200
        assert path.read_text() not in repr(endpoint)


def test_the_token_is_for_its_owner_and_goes_with_the_simulator():
    tokens = set()
    for _ in range(2):
        with served('token') as simulator:
            path = token_path(simulator)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            # The private key is not kept.
            assert os.listdir(path.parent) == ['token']
            tokens.add(path.read_text())
        assert not path.parent.exists()
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32


def test_a_token_file_is_written_once_and_read_from_then_on(tmp_path):
    path = tmp_path / 'token'
    with stepped(deployment(door='token'), token_file=path) as simulator:
        assert token_path(simulator) == path
        assert fetch(simulator['ticker']).status_code == 200
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_text()
    with stepped(deployment(door='token'), token_file=path) as simulator:
        assert fetch(simulator['ticker']).status_code == 200
    assert path.read_text() == first


@pytest.mark.parametrize(
    'content, reason',
    [
        (b'', 'not one bearer token without spaces on one line'),
        (b'\n', 'not one bearer token without spaces on one line'),
        (b'two words', 'not one bearer token without spaces on one line'),
        (b'one\ntwo', 'not one bearer token without spaces on one line'),
        (b'\xff\xfe', 'not ASCII text, so no bearer token'),
    ],
)
def test_bad_token_files(tmp_path, content, reason):
    path = tmp_path / 'token'
    path.write_bytes(content)
    with pytest.raises(StartError) as caught:
        stepped(token_file=path).start()
    assert str(caught.value) == f'token file {path}: {reason}'


def test_token_files_that_cannot_be_read_or_written(tmp_path):
    for path, reason in (
        (tmp_path, 'Is a directory'),
        (tmp_path / 'missing' / 'token', 'No such file or directory'),
    ):
        with pytest.raises(StartError) as caught:
            stepped(token_file=path).start()
        assert str(caught.value) == f'token file {path}: {reason}'


def test_faults_need_no_token():
    with served('token') as simulator:
        assert control(simulator['ticker'], 'unavailable').status_code == 200
        # Before the door: the proxy itself does not answer.
        assert requests.get(simulator['ticker'].url, verify=False, timeout=10).status_code == 503
