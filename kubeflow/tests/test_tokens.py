# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The token that an instance reads from a file, and the warning where others may read what it sends."""

import os

import pytest

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck

from .common import TEXT
from .origins import EXPOSITION, Reply, origin, told

REMOTE = 'http://component:8080/metrics'


def token_of(path, **reader):
    return {
        'reader': {'type': 'file', 'path': str(path), **reader},
        'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
    }


def check_of(url, **options):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}])


def sent(served):
    return [headers['Authorization'] for _, headers in served.asked]


@pytest.fixture
def served():
    with origin() as running:
        yield running


def test_a_token_that_is_replaced_is_sent_from_the_next_scrape_on(served, tmp_path):
    path = tmp_path / 'token'
    path.write_text('first-token\n', encoding='ascii')
    check = check_of(served.endpoint, auth_token=token_of(path))
    assert [told(check), told(check)] == ['', '']
    path.write_text('second-token', encoding='ascii')
    assert [told(check), told(check)] == ['', '']
    assert sent(served) == ['Bearer first-token'] * 2 + ['Bearer second-token'] * 2


def test_a_token_of_the_same_length_and_time_is_noticed_by_its_file(served, tmp_path):
    paths = [tmp_path / name for name in ('token', 'next')]
    for path, text in zip(paths, ('token-a', 'token-b'), strict=True):
        path.write_text(text, encoding='ascii')
        os.utime(path, (1000, 1000))
    check = check_of(served.endpoint, auth_token=token_of(paths[0]))
    told(check)
    paths[1].replace(paths[0])
    told(check)
    assert sent(served) == ['Bearer token-a', 'Bearer token-b']


def test_a_token_is_followed_through_the_links_of_a_projected_volume(served, tmp_path):
    # As Kubernetes writes it: token -> ..data/token, ..data -> a directory for each version, replaced by a rename.
    for version in ('one', 'two'):
        directory = tmp_path / f'..{version}'
        directory.mkdir()
        (directory / 'token').write_text(f'token-{version}', encoding='ascii')
    (tmp_path / '..data').symlink_to('..one')
    (tmp_path / 'token').symlink_to('..data/token')
    check = check_of(served.endpoint, auth_token=token_of(tmp_path / 'token'))
    told(check)
    (tmp_path / '..data_tmp').symlink_to('..two')
    (tmp_path / '..data_tmp').replace(tmp_path / '..data')
    told(check)
    assert sent(served) == ['Bearer token-one', 'Bearer token-two']


def test_a_token_is_read_once_as_long_as_its_file_stays(served, tmp_path, mocker):
    path = tmp_path / 'token'
    path.write_text('token', encoding='ascii')
    check = check_of(served.endpoint, auth_token=token_of(path))
    told(check)
    read = mocker.patch('builtins.open', side_effect=AssertionError('read again'))
    assert [told(check), told(check)] == ['', '']
    read.assert_not_called()


def test_a_request_that_is_refused_is_sent_once(tmp_path):
    path = tmp_path / 'token'
    path.write_text('token', encoding='ascii')
    with origin(lambda *_: Reply(401, body=b'Unauthorized')) as served:
        assert '401 Client Error: Unauthorized' in told(check_of(served.endpoint, auth_token=token_of(path)))
    assert sent(served) == ['Bearer token']


@pytest.mark.parametrize(
    'content, problem',
    [
        pytest.param(b'', 'is empty: write the token into it', id='empty'),
        pytest.param(b' \n', 'is empty: write the token into it', id='blank'),
        pytest.param(
            b'one\ntwo\n',
            'does not hold one token on one line: a header cannot have what is in it',
            id='two lines',
        ),
        pytest.param(
            'schlüssel'.encode(),
            'does not hold one token on one line: a header cannot have what is in it',
            id='not ASCII',
        ),
        pytest.param(b'\xff\xfe', 'is no text: it has to hold the token alone', id='binary'),
    ],
)
def test_a_file_without_a_token_sends_nothing_and_is_one_sentence(served, tmp_path, aggregator, content, problem):
    path = tmp_path / 'token'
    path.write_bytes(b'old-token')
    check = check_of(served.endpoint, auth_token=token_of(path))
    assert told(check) == ''
    path.write_bytes(content)
    expected = f'The file {path} of `auth_token`, for {served.endpoint}, {problem}'
    assert [told(check), told(check)] == [expected, expected]
    health = aggregator.service_checks('kubeflow.openmetrics.health')
    assert [(each.status, each.message) for each in health[1:]] == [(ServiceCheck.CRITICAL, expected)] * 2
    path.write_bytes(b'new-token\n')
    assert told(check) == ''
    assert sent(served) == ['Bearer old-token', 'Bearer new-token']


def test_a_file_that_is_gone_is_one_sentence_until_it_is_back(served, tmp_path):
    path = tmp_path / 'token'
    check = check_of(served.endpoint, auth_token=token_of(path))
    expected = (
        f'The file {path} that an option of the instance names is not there: look at `auth_token`, its path is one in '
        f'the container of the Agent that scrapes {served.endpoint}'
    )
    assert told(check) == expected
    path.write_text('token', encoding='ascii')
    assert told(check) == ''
    path.unlink()
    assert told(check) == expected
    assert sent(served) == ['Bearer token']


def test_the_pattern_of_the_reader_finds_the_token_and_says_where_it_does_not(served, tmp_path):
    path = tmp_path / 'token'
    path.write_text('user: agent\ntoken: abc\n', encoding='ascii')
    check = check_of(served.endpoint, auth_token=token_of(path, pattern='token: (.+)'))
    assert told(check) == ''
    path.write_text('nothing', encoding='ascii')
    assert told(check) == (
        f'The file {path} of `auth_token`, for {served.endpoint}, holds no token: The pattern `token: (.+)` setting of '
        f'`auth_token` reader does not match anything in file: {path}'.replace(' setting of `auth_token` reader', '')
    )
    assert sent(served) == ['Bearer abc']


def warned(mock_http_response, url, **options):
    mock_http_response(EXPOSITION.decode(), headers={'Content-Type': TEXT})
    check = check_of(url, **options)
    runs = []
    for _ in range(2):
        assert check.run() == ''
        runs.append(check.get_warnings())
    assert runs[0] == runs[1]
    return runs[0]


def unencrypted(secret):
    return [
        f'{REMOTE} is sent the secret of {secret} unencrypted, so that others may read it: write `https` in '
        '`openmetrics_endpoint` where the component speaks TLS, and leave the secret out where it asks for none.'
    ]


@pytest.mark.parametrize(
    'options, secret',
    [
        pytest.param({'username': 'agent', 'password': 'pa55'}, '`username` and `password`', id='basic'),
        pytest.param({'auth_type': 'digest', 'username': 'a', 'password': 'b'}, '`auth_type`', id='digest'),
        pytest.param({'headers': {'X-Api-Key': 'key'}}, 'the header `X-Api-Key`', id='headers'),
        pytest.param({'extra_headers': {'Cookie': 'key'}}, 'the header `Cookie`', id='extra headers'),
        pytest.param(
            {'extra_headers': {'X-A': '1'}, 'username': 'a', 'password': 'b'},
            '`username` and `password` and of the header `X-A`',
            id='two',
        ),
    ],
)
def test_a_secret_that_goes_over_plain_http_is_warned_of_at_every_run(mock_http_response, options, secret):
    assert warned(mock_http_response, REMOTE, **options) == unencrypted(secret)


def test_a_token_or_a_user_in_the_url_is_warned_of_too(mock_http_response, tmp_path):
    path = tmp_path / 'token'
    path.write_text('token', encoding='ascii')
    assert warned(mock_http_response, REMOTE, auth_token=token_of(path)) == unencrypted('`auth_token`')
    url = REMOTE.replace('://', '://user:pa55@')
    assert warned(mock_http_response, url) == unencrypted('the user name in `openmetrics_endpoint`')


@pytest.mark.parametrize(
    'url, options',
    [
        pytest.param(REMOTE.replace('http', 'https'), {'username': 'agent', 'password': 'pa55'}, id='https'),
        pytest.param('http://127.0.0.1:8080/metrics', {'username': 'agent', 'password': 'pa55'}, id='loopback'),
        pytest.param('http://[::1]:8080/metrics', {'username': 'agent', 'password': 'pa55'}, id='loopback of IPv6'),
        pytest.param('http://localhost/metrics', {'username': 'agent', 'password': 'pa55'}, id='localhost'),
        pytest.param(REMOTE, {}, id='no secret'),
        pytest.param(REMOTE, {'headers': {'User-Agent': 'x', 'Accept': '*/*', 'Host': 'y'}}, id='harmless headers'),
        pytest.param(REMOTE, {'username': 'agent'}, id='a user name alone is not sent'),
    ],
)
def test_where_nobody_can_read_a_secret_there_is_no_warning(mock_http_response, url, options):
    assert warned(mock_http_response, url, **options) == []
