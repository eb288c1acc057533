# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which redirects a scrape follows, and that what proves the instance never goes to another program."""

import time
from urllib.parse import urlsplit

import pytest

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.fetch.redirects import MOST

from .certificates import pair, server_context
from .origins import Reply, origin, redirect, told

SECRET = 'distinctive-s3cret'


def scraped(url, **options):
    return told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}]))


def leading(location, status=302):
    """An origin whose `/metrics` redirects there."""
    return origin(lambda path, headers: redirect(location, status) if path == '/metrics' else Reply())


def refusal(url, where, status=302):
    return f'There was an error scraping endpoint {url}: {status} redirect for url: {url} leads to {where}'


@pytest.fixture
def token(tmp_path):
    path = tmp_path / 'token'
    path.write_text(SECRET, encoding='ascii')
    return {
        'reader': {'type': 'file', 'path': str(path)},
        'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
    }


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_a_redirect_to_the_same_program_is_followed_with_the_secrets(token, status, aggregator):
    with leading('/metrics/', status) as served:
        assert scraped(served.endpoint, auth_token=token, extra_headers={'X-Api-Key': 'key'}) == ''
    assert [(path, headers['Authorization'], headers['X-Api-Key']) for path, headers in served.asked] == [
        ('/metrics', f'Bearer {SECRET}', 'key'),
        ('/metrics/', f'Bearer {SECRET}', 'key'),
    ]
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, count=1)
    aggregator.assert_metric('kubeflow.katib.experiment.running.total', 1)


def test_the_user_in_the_url_goes_along_to_the_same_program():
    with origin() as served:
        served.reply = lambda path, headers: redirect(f'{served.url}/x') if path == '/metrics' else Reply()
        assert scraped(served.endpoint.replace('//', '//user:pa55@')) == ''
    assert [headers['Authorization'] for _, headers in served.asked] == ['Basic dXNlcjpwYTU1'] * 2


OTHER_PROGRAM = (
    ', another host, port or scheme, which does not get the token or password of the instance: set '
    '`openmetrics_endpoint` to where it leads if that is meant'
)


@pytest.mark.parametrize(
    'options',
    [
        pytest.param({'username': 'agent', 'password': SECRET}, id='password'),
        pytest.param({'headers': {'X-Api-Key': SECRET}}, id='headers'),
        pytest.param({'extra_headers': {'Authorization': f'Bearer {SECRET}'}}, id='extra headers'),
        pytest.param({'auth_type': 'digest', 'username': 'agent', 'password': SECRET}, id='digest'),
    ],
)
@pytest.mark.parametrize('to_port', [True, False])
def test_a_redirect_to_another_program_is_refused_where_there_is_a_secret(aggregator, options, to_port):
    with origin() as other:
        location = f'{other.url}/elsewhere?next={SECRET}' if to_port else 'http://other.host/elsewhere?next=1'
        with leading(location) as served:
            message = scraped(served.endpoint, **options)
            assert message == refusal(served.endpoint, location.partition('?')[0] + OTHER_PROGRAM)
    assert other.asked == []
    (health,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert health.status == ServiceCheck.CRITICAL
    assert SECRET not in health.message and OTHER_PROGRAM in health.message


def test_a_token_or_a_user_in_the_url_stays_too(token):
    with origin() as other, leading(f'{other.url}/x') as served:
        assert OTHER_PROGRAM in scraped(served.endpoint, auth_token=token)
        assert OTHER_PROGRAM in scraped(served.endpoint.replace('//', '//user:pa55@'))
    assert other.asked == []


def test_a_second_redirect_may_not_lead_away_either(token):
    with origin() as other, origin() as served:
        served.reply = lambda path, headers: redirect('/on' if path == '/metrics' else f'{other.url}/x')
        assert OTHER_PROGRAM in scraped(served.endpoint, auth_token=token)
    assert (len(served.asked), other.asked) == (2, [])


def test_a_redirect_to_another_program_is_followed_where_there_is_no_secret():
    with origin() as other, leading(f'http://user:pa55@{urlsplit(other.url).netloc}/x') as served:
        assert scraped(served.endpoint) == ''
    # What the server would have the Agent say of itself is not said.
    ((path, headers),) = other.asked
    assert (path, headers['Authorization']) == ('/x', None)


def test_https_is_kept_to_and_http_may_become_https(tmp_path, token):
    leaf = pair('leaf')
    (tmp_path / 'ca.pem').write_bytes(leaf.pem)
    options = {'tls_ca_cert': str(tmp_path / 'ca.pem')}
    with origin() as plain, origin(context=server_context(tmp_path, leaf)) as secure:
        secure.reply = lambda path, headers: redirect(f'{plain.url}/x')
        assert OTHER_PROGRAM in scraped(secure.endpoint, auth_token=token, **options)
        secure.reply = lambda path, headers: redirect(f'{secure.url.replace("https", "http")}/x')
        assert OTHER_PROGRAM in scraped(secure.endpoint, auth_token=token, **options)
        assert (plain.asked, len(secure.asked)) == ([], 2)
        secure.reply = lambda path, headers: Reply()
        plain.reply = lambda path, headers: redirect(f'{secure.url}/x')
        assert scraped(plain.endpoint, **options) == ''
        # Another port is another program, whatever its scheme.
        assert OTHER_PROGRAM in scraped(plain.endpoint, auth_token=token, **options)


@pytest.fixture
def asked_of_component(mocker):
    """What is asked of `component`, where http redirects to https; no port below 1024 can be had on loopback."""

    def ask(token):
        asked = []

        def get(session, url, **options):
            asked.append((url, options['headers']['Authorization']))
            is_plain = url.startswith('http:')
            response = mocker.MagicMock(status_code=301 if is_plain else 503, is_redirect=is_plain, url=url)
            response.headers = {'Location': url.replace('http:', 'https:')}
            return response

        mocker.patch('requests.Session.get', get)
        scraped('http://component/metrics', auth_token=token)
        return asked

    return ask


def test_https_of_the_same_host_on_the_usual_port_gets_the_secrets(asked_of_component, token):
    assert asked_of_component(token) == [
        ('http://component/metrics', f'Bearer {SECRET}'),
        ('https://component/metrics', f'Bearer {SECRET}'),
    ]


@pytest.mark.parametrize(
    'location, shown',
    [
        ('file:///etc/passwd', 'file:///etc/passwd'),
        ('ftp://host/x', 'ftp://host/x'),
        ('unix://%2Fvar%2Frun%2Fdocker.sock/x', 'unix://%2Fvar%2Frun%2Fdocker.sock/x'),
        ('data:text/plain,up%201', 'data:text/plain,up%201'),
        ('http://[::1', 'what is no URL'),
        ('http://host:port/', 'http://host:port/'),
        ('http://host/' + 'x' * 3000, f'http://host/{"x" * 88}...'),
    ],
)
def test_where_no_exposition_can_be_is_not_gone_to(location, shown):
    with leading(location) as served:
        assert scraped(served.endpoint) == refusal(
            served.endpoint,
            f'{shown}, which is no http address to scrape: set `openmetrics_endpoint` to the metrics port of the '
            'component',
        )


@pytest.mark.parametrize(
    'location',
    ['/dex/auth?client_id=x', '/oauth2/start?rd=%2F', 'https://login.host/oauth2/sign_in', '/login', '/authservice/x'],
)
def test_a_login_page_is_called_one(location, token):
    with leading(location) as served:
        for options in ({}, {'auth_token': token}):
            where = location if '://' in location else f'{served.url}{location}'
            assert scraped(served.endpoint, **options) == refusal(
                served.endpoint,
                f'{where.partition("?")[0]}, a login page before the component: set `openmetrics_endpoint` to the '
                'address of the pod or of its Service, not to the host name of the gateway',
            )
    assert [path for path, _ in served.asked] == ['/metrics'] * 2


def test_redirects_come_to_an_end(aggregator):
    with origin(lambda path, headers: redirect(f'{path.partition("?")[0]}x?s=1')) as served:
        started = time.monotonic()
        assert scraped(served.endpoint) == (
            f'There was an error scraping endpoint {served.endpoint}: More than {MOST} redirects for url: '
            f'{served.endpoint}, the last one to {served.endpoint}{"x" * (MOST + 1)}: set `openmetrics_endpoint` to '
            'the address of the exposition itself'
        )
        assert time.monotonic() - started < 5
    assert len(served.asked) == MOST + 1
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, count=1)


def test_the_time_of_a_scrape_is_for_all_redirects_together():
    def slow(path, headers):
        time.sleep(0.4)
        return redirect(f'{path}x')

    with origin(slow) as served:
        started = time.monotonic()
        message = scraped(served.endpoint, scrape_timeout=1)
        assert time.monotonic() - started < 1.5
    assert '`scrape_timeout`' in message
    assert len(served.asked) == 3


def test_the_option_not_to_follow_is_kept():
    with leading('/metrics/') as served:
        assert scraped(served.endpoint, allow_redirects=False).endswith(
            f'302 redirect for url: {served.endpoint}, which `allow_redirects: false` forbids to follow: set '
            '`openmetrics_endpoint` to where it leads'
        )
    assert len(served.asked) == 1


def test_a_proxy_is_asked_for_what_a_redirect_leads_to_as_well():
    with origin(lambda path, headers: redirect('/x') if path.endswith('/metrics') else Reply()) as proxy:
        url = 'http://component.invalid:8080/metrics'
        assert scraped(url, proxy={'http': proxy.url}) == ''
    assert [path for path, _ in proxy.asked] == [url, 'http://component.invalid:8080/x']


def test_no_proxy_is_kept_to_after_a_redirect():
    with origin() as proxy, origin() as other, leading(f'{other.url.replace("127.0.0.1", "localhost")}/x') as served:
        assert scraped(served.endpoint, proxy={'http': proxy.url, 'no_proxy': ['127.0.0.1']}) == ''
        assert [path for path, _ in proxy.asked] == [f'{other.url.replace("127.0.0.1", "localhost")}/x']
    assert (len(served.asked), other.asked) == (1, [])
