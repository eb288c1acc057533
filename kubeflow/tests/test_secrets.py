# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""No secret that an instance sends is written down, whatever the endpoint answers and however much is logged."""

import logging
import socket
from base64 import b64encode

import pytest

from datadog_checks.base.log import TRACE_LEVEL
from datadog_checks.kubeflow import KubeflowCheck

from .certificates import pair, server_context
from .common import TEXT
from .origins import EXPOSITION, Reply, origin, port, redirect

SECRET = 'distinctive-s3cret'
BASIC = b64encode(f'agent:{SECRET}'.encode()).decode()


def echo(headers):
    """What a server may repeat of a request."""
    return ' '.join(str(value) for value in headers.values())


def page(headers):
    return f'{EXPOSITION.decode()}{echo(headers)}\n'.encode()


# What an endpoint answers to a request with these headers.
ANSWERS = {
    'an exposition': lambda path, headers: Reply(),
    'the request, as an error': lambda path, headers: Reply(500, body=f'{path} {echo(headers)}'.encode()),
    'the request, as the reason of an error': lambda path, headers: Reply(403, reason=f'{path} {echo(headers)}'),
    'the request, as a page': lambda path, headers: Reply(body=f'{path} {echo(headers)}'.encode()),
    'the request, as HTML': lambda path, headers: Reply(
        headers={'Content-Type': 'text/html'}, body=f'<html>{echo(headers)}'.encode()
    ),
    'the request, as a content type': lambda path, headers: Reply(
        headers={'Content-Type': echo(headers)}, body=b'<html>'
    ),
    'the request, as a malformed line': lambda path, headers: Reply(body=page(headers)),
    'the request, as a malformed value': lambda path, headers: Reply(
        body=EXPOSITION + f'katib_experiments_current{{namespace="b"}} {echo(headers)}\n'.encode()
    ),
    'the request, in OpenMetrics': lambda path, headers: Reply(
        headers={'Content-Type': 'application/openmetrics-text; version=1.0.0'}, body=page(headers) + b'# EOF\n'
    ),
    'a redirect to another program': lambda path, headers: redirect(f'http://other.host/x?next={SECRET}'),
    'a redirect to a login page': lambda path, headers: redirect(f'/dex/auth?next={SECRET}'),
    'a redirect to nothing': lambda path, headers: redirect(f'file:///x?next={SECRET}'),
    'redirects without an end': lambda path, headers: redirect(f'/metrics?next={SECRET}'),
    'a redirect to itself, once': lambda path, headers: (
        Reply() if path.endswith('#1') or 'once' in path else redirect(f'/once?next={SECRET}')
    ),
    'the request, as a cookie and an encoding': lambda path, headers: Reply(
        headers={'Content-Type': TEXT, 'Set-Cookie': echo(headers), 'Content-Encoding': echo(headers)}
    ),
}

# Where an instance may have one, and what is sent for it; `{file}` has it.
PLACES = {
    'the URL': {'openmetrics_endpoint': f'//agent:{SECRET}@'},
    'the query': {'openmetrics_endpoint': f'/metrics?token={SECRET}'},
    'the token of a file': {
        'auth_token': {
            'reader': {'type': 'file', 'path': '{file}'},
            'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
        }
    },
    'the password': {'username': 'agent', 'password': SECRET},
    'headers': {'headers': {'X-Api-Key': SECRET}},
    'extra headers': {'extra_headers': {'Authorization': f'Bearer {SECRET}'}},
}


def instance_of(url, place, path):
    options = dict(PLACES[place])
    where = options.pop('openmetrics_endpoint', '')
    if where.startswith('//'):
        url = url.replace('//', where)
    elif where:
        url = url.replace('/metrics', where)
    if 'auth_token' in options:
        path.write_text(SECRET, encoding='ascii')
        reader = {**options['auth_token']['reader'], 'path': str(path)}
        options['auth_token'] = {**options['auth_token'], 'reader': reader}
    return {'openmetrics_endpoint': url, 'log_requests': True, 'telemetry': True, 'timeout': 1, **options}


def written(instance, aggregator, caplog, runs=2):
    """All that the runs of an instance leave behind."""
    for name in (None, 'urllib3', 'requests', 'datadog_checks'):
        caplog.set_level(TRACE_LEVEL, logger=name)
    check = KubeflowCheck('kubeflow', {}, [instance])
    errors, warnings = [], []
    for _ in range(runs):
        errors.append(check.run())
        warnings += check.get_warnings()
    service_checks = [
        (each.message, each.tags) for name in aggregator.service_check_names for each in aggregator.service_checks(name)
    ]
    metrics = [(each.name, each.tags) for name in aggregator.metric_names for each in aggregator.metrics(name)]
    formatter = logging.Formatter('%(name)s %(message)s')
    logged = [formatter.format(record) for record in caplog.records]
    assert service_checks and logged
    return repr((errors, warnings, service_checks, metrics, logged))


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('answer', ANSWERS)
def test_no_secret_is_written_down(tmp_path, aggregator, caplog, place, answer):
    with origin(ANSWERS[answer]) as served:
        text = written(instance_of(served.endpoint, place, tmp_path / 'token'), aggregator, caplog)
    # The instance has sent it.
    path, headers = served.asked[0]
    assert SECRET in f'{path} {echo(headers)}' or BASIC in echo(headers)
    assert SECRET not in text and BASIC not in text


@pytest.mark.parametrize('answer', [name for name in ANSWERS if name.startswith('the request')])
def test_no_part_of_a_token_is_written_down_where_messages_are_cut(tmp_path, aggregator, caplog, answer):
    instance = instance_of('', 'the token of a file', tmp_path / 'token')
    # Longer than what is shown of an answer, as the tokens of Kubernetes are.
    token = ''.join(f'{number:04x}-' for number in range(250))
    (tmp_path / 'token').write_text(token, encoding='ascii')
    with origin(ANSWERS[answer]) as served:
        text = written({**instance, 'openmetrics_endpoint': served.endpoint}, aggregator, caplog)
    assert served.asked[0][1]['Authorization'] == f'Bearer {token}'
    assert not [start for start in range(0, len(token), 5) if token[start : start + 8] in text]


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize(
    'answer',
    [
        pytest.param(b'', id='nothing'),
        pytest.param(b'{asked}', id='the request, as a status'),
        pytest.param(b'HTTP/1.1 200 OK\r\n{asked}', id='the request, as headers'),
        pytest.param(b'HTTP/1.1 200 OK\r\nno header\r\n{asked}', id='the request, as malformed headers'),
        pytest.param(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{asked}', id='the request, as a chunk'),
        pytest.param(b'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{asked}', id='the request, cut short'),
    ],
)
def test_no_secret_is_written_down_where_a_port_does_not_speak_http(tmp_path, aggregator, caplog, place, answer):
    with port(answer) as url:
        text = written(instance_of(url, place, tmp_path / 'token'), aggregator, caplog)
    assert SECRET not in text and BASIC not in text


@pytest.mark.parametrize('place', PLACES)
def test_no_secret_is_written_down_where_nobody_listens(tmp_path, aggregator, caplog, place):
    with socket.create_server(('127.0.0.1', 0)) as server:
        url = f'http://127.0.0.1:{server.getsockname()[1]}/metrics'
    text = written(instance_of(url, place, tmp_path / 'token'), aggregator, caplog)
    assert 'Connection refused' in text
    assert SECRET not in text and BASIC not in text


@pytest.mark.parametrize('place', PLACES)
def test_no_secret_is_written_down_where_tls_fails(tmp_path, aggregator, caplog, place):
    with origin(context=server_context(tmp_path, pair('own'))) as served:
        text = written(instance_of(served.endpoint, place, tmp_path / 'token'), aggregator, caplog)
    assert 'CERTIFICATE_VERIFY_FAILED' in text
    assert SECRET not in text and BASIC not in text


def test_the_password_of_a_key_is_not_written_down(tmp_path, aggregator, caplog):
    own = pair('own')
    for name, content in (('ca.pem', own.pem), ('key.pem', own.key_pem(SECRET))):
        (tmp_path / name).write_bytes(content)
    files = {'tls_ca_cert': 'ca.pem', 'tls_cert': 'ca.pem', 'tls_private_key': 'key.pem'}
    with origin(context=server_context(tmp_path, own)) as served:
        instance = {
            'openmetrics_endpoint': served.endpoint,
            'tls_private_key_password': SECRET,
            **{option: str(tmp_path / name) for option, name in files.items()},
        }
        text = written(instance, aggregator, caplog)
    assert len(served.asked) == 2
    assert SECRET not in text


def test_what_libraries_log_of_other_requests_stays(tmp_path, aggregator, caplog):
    caplog.set_level(logging.DEBUG)
    with origin() as served:
        written({'openmetrics_endpoint': served.endpoint}, aggregator, caplog)
        own = [record.name for record in caplog.records if record.name.startswith('urllib3')]
    logging.getLogger('urllib3.connectionpool').debug('of another check')
    assert (own, caplog.records[-1].getMessage()) == ([], 'of another check')
