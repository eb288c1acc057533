# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the check says of TLS that fails, and that the options it names mend it, against servers on loopback."""

import logging
import re
import ssl
from collections import namedtuple

import pytest

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.base.utils import http
from datadog_checks.kubeflow import KubeflowCheck

from .certificates import pair, server_context
from .origins import Reply, origin, port, told

AUTHORITY = 'is signed by an authority that is not known here'
OTHER_AUTHORITY = 'is signed by none of the authorities in the file of `tls_ca_cert`'
UNVERIFIED = '`tls_verify: false` scrapes it without knowing who answers'
HOST_REMEDY = (
    'write a name that it holds into `openmetrics_endpoint`, or keep the URL and set `tls_use_host_header: true` and '
    '`extra_headers: {Host: <NAME>}` with such a name'
)
CLIENT_REMEDY = 'set `tls_cert` and `tls_private_key` to files in PEM format that the server takes'

Made = namedtuple('Made', 'root intermediate leaf below')


@pytest.fixture(scope='module')
def made():
    """An authority, one below it, and what each has signed for 127.0.0.1."""
    root = pair('root', is_authority=True)
    intermediate = pair('intermediate', root, is_authority=True)
    return Made(root, intermediate, pair('leaf', root), pair('below', intermediate))


@pytest.fixture
def serve(tmp_path):
    """`serve(shown, *chain)`: an origin with TLS that shows this certificate."""
    running = []

    def start(*shown, reply=None, **options):
        context = server_context(tmp_path, *shown, **options)
        running.append(origin(reply or (lambda path, headers: Reply()), context))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


@pytest.fixture
def file(tmp_path):
    """`file(name, content)`: the path of a new file."""

    def write(name, *content):
        path = tmp_path / name
        path.write_bytes(b''.join(content))
        return str(path)

    return write


def scraped(url, **options):
    """The error of one run, or an empty string."""
    return told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}]))


def sentence(url, text):
    return f'There was an error scraping endpoint {url}: {text}'


def certificate(url, what, reason, remedy):
    return sentence(url, f'The certificate of {url} {what} (CERTIFICATE_VERIFY_FAILED: {reason}): {remedy}')


def test_a_self_signed_certificate_is_refused_until_its_own_file_vouches_for_it(serve, file, aggregator):
    own = pair('own')
    url = serve(own).endpoint
    expected = certificate(
        url,
        'is self-signed',
        'self-signed certificate',
        'set `tls_ca_cert` to a file in PEM format with that certificate; where the component makes another one at '
        f'each start, as Argo Workflows, Trainer and kube-rbac-proxy do, {UNVERIFIED}',
    )
    assert scraped(url) == expected
    (health,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert (health.status, sentence(url, health.message)) == (ServiceCheck.CRITICAL, expected)
    aggregator.assert_metric('kubeflow.katib.experiment.running.total', count=0)
    assert scraped(url, tls_ca_cert=file('own.pem', own.pem)) == ''
    assert scraped(url, tls_verify=False) == ''
    aggregator.assert_metric('kubeflow.katib.experiment.running.total', 1, count=2)


@pytest.mark.parametrize('sends_root', [False, True])
def test_a_private_authority_has_to_be_named(serve, file, made, sends_root):
    url = serve(made.leaf, *[made.root] * sends_root).endpoint
    message = scraped(url)
    assert message.startswith(sentence(url, f'The certificate of {url} {AUTHORITY} (CERTIFICATE_VERIFY_FAILED: '))
    assert message.endswith(
        ': set `tls_ca_cert` to a file in PEM format with the certificate of the authority, and the intermediate ones '
        f'where the server does not send them; without the file {UNVERIFIED}'
    )
    assert scraped(url, tls_ca_cert=file('root.pem', made.root.pem)) == ''


def test_an_intermediate_certificate_that_the_server_does_not_send_goes_into_the_file(serve, file, made):
    url = serve(made.below).endpoint
    assert scraped(url, tls_ca_cert=file('root.pem', made.root.pem)) == certificate(
        url,
        OTHER_AUTHORITY,
        'unable to get local issuer certificate',
        'put the certificate of its authority into the file, and the intermediate ones where the server does not send '
        'them',
    )
    assert scraped(url, tls_ca_cert=file('both.pem', made.root.pem, made.intermediate.pem)) == ''
    assert scraped(serve(made.below, made.intermediate).endpoint, tls_ca_cert=file('root.pem', made.root.pem)) == ''


@pytest.mark.parametrize(
    'days, what, reason, remedy',
    [
        pytest.param(
            (-2, -1),
            'has expired',
            'certificate has expired',
            f'renew it at the component, and compare the clocks of both hosts; until then {UNVERIFIED}',
            id='expired',
        ),
        pytest.param(
            (1, 2),
            'is not valid yet',
            'certificate is not yet valid',
            "compare the clocks of the Agent's and the component's host, then make the component's certificate anew",
            id='not yet valid',
        ),
    ],
)
def test_a_certificate_out_of_its_time_is_told_with_the_clocks(serve, file, made, days, what, reason, remedy):
    url = serve(pair('leaf', made.root, days=days)).endpoint
    root = file('root.pem', made.root.pem)
    assert scraped(url, tls_ca_cert=root) == certificate(url, what, reason, remedy)
    assert scraped(url, tls_verify=False) == ''


@pytest.mark.parametrize(
    'host, reason',
    [
        ('127.0.0.1', "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ('localhost', "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_a_certificate_of_another_host_is_taken_under_a_name_that_it_holds(serve, file, made, host, reason):
    name = 'katib.kubeflow.svc'
    served = serve(pair('leaf', made.root, host=name))
    url = served.endpoint.replace('127.0.0.1', host)
    root = file('root.pem', made.root.pem)
    assert scraped(url, tls_ca_cert=root) == certificate(url, 'is not for the host of the URL', reason, HOST_REMEDY)
    renamed = {'tls_ca_cert': root, 'tls_use_host_header': True}
    assert scraped(url, **renamed, extra_headers={'Host': name}) == ''
    assert scraped(url, **renamed, extra_headers={'Host': 'other'}) == certificate(
        url, 'is not for the host of the URL', 'hostname mismatch', HOST_REMEDY
    )
    assert len(served.asked) == 1


def test_an_option_that_does_not_switch_the_check_of_the_host_off_is_said_to_do_nothing(serve, file, made):
    url = serve(pair('leaf', made.root, host='katib.kubeflow.svc')).endpoint
    assert scraped(url, tls_ca_cert=file('root.pem', made.root.pem), tls_validate_hostname=False).endswith(
        f'{HOST_REMEDY}; `tls_validate_hostname: false` has no effect'
    )


def test_a_certificate_cannot_vouch_for_its_own_authority(serve, file, made, caplog):
    # The base check would fetch the authority from there, and trust it.
    impostor = pair('impostor', is_authority=True)
    with origin(lambda path, headers: Reply(body=impostor.pem)) as library:
        served = serve(pair('leaf', impostor, issuer_url=f'{library.url}/root.crt'))
        assert AUTHORITY in scraped(served.endpoint)
        assert OTHER_AUTHORITY in scraped(served.endpoint, tls_ca_cert=file('root.pem', made.root.pem))
    assert (served.asked, library.asked) == ([], [])
    assert 'AIA' not in caplog.text


def test_http_written_for_https_and_the_other_way_round(serve, made):
    served = serve(made.leaf)
    url = served.endpoint.replace('https', 'http')
    assert 'check scheme and port of `openmetrics_endpoint`' in scraped(url)
    with origin() as plain:
        url = plain.endpoint.replace('http', 'https')
        # OpenSSL names the reason by its version.
        assert re.fullmatch(
            re.escape(sentence(url, f'{url} answers, but not with TLS ('))
            + r'[A-Z_]+\): write `http` for `https` in `openmetrics_endpoint`',
            scraped(url),
        )


def test_a_server_that_asks_for_a_client_certificate_gets_it(serve, file, made):
    served = serve(made.leaf, clients=made.root)
    root = file('root.pem', made.root.pem)
    message = scraped(served.endpoint, tls_ca_cert=root)
    # Whether the alert of the server or the end of the connection comes first is chance.
    assert message.startswith(f'There was an error scraping endpoint {served.endpoint}: {served.endpoint} ')
    assert CLIENT_REMEDY in message
    agent = pair('agent', made.root)
    certificate, key = file('agent.pem', agent.pem), file('agent.key', agent.key_pem())
    assert scraped(served.endpoint, tls_ca_cert=root, tls_cert=certificate, tls_private_key=key) == ''
    both = file('both.pem', agent.pem, agent.key_pem())
    assert scraped(served.endpoint, tls_ca_cert=root, tls_cert=both) == ''
    locked = file('locked.key', agent.key_pem('pa55word'))
    options = {'tls_ca_cert': root, 'tls_cert': certificate, 'tls_private_key': locked}
    assert scraped(served.endpoint, **options, tls_private_key_password='pa55word') == ''


def test_a_server_that_asks_for_a_client_certificate_before_tls_1_3(tmp_path, file, made):
    context = server_context(tmp_path, made.leaf, clients=made.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    root = file('root.pem', made.root.pem)
    stranger = pair('stranger')
    options = {'tls_cert': file('stranger.pem', stranger.pem, stranger.key_pem()), 'tls_ca_cert': root}
    with origin(context=context) as served:
        url = served.endpoint
        assert scraped(url, tls_ca_cert=root) == sentence(
            url,
            f'{url} refuses the handshake (SSLV3_ALERT_HANDSHAKE_FAILURE): where it asks for a client certificate, '
            f'{CLIENT_REMEDY}; if not, it has no cipher in common with `tls_ciphers`',
        )
        assert scraped(url, **options) == sentence(
            url,
            f'{url} does not take the certificate of `tls_cert` (TLSV1_ALERT_UNKNOWN_CA): set `tls_cert` and '
            '`tls_private_key` to one that an authority of the server has signed for clients',
        )


@pytest.mark.parametrize(
    'answer, said',
    [
        # The alert `bad_certificate`, which servers in Go answer to a client without one up to TLS 1.2.
        (
            bytes.fromhex('1503030002022a'),
            f'asks for a client certificate (SSLV3_ALERT_BAD_CERTIFICATE): {CLIENT_REMEDY}',
        ),
        (
            b'',
            'closes the connection without an answer (UNEXPECTED_EOF_WHILE_READING): where it asks for a client '
            f'certificate, {CLIENT_REMEDY}; where it speaks no TLS, write `http` in `openmetrics_endpoint`',
        ),
    ],
)
def test_a_server_that_leaves_the_handshake_may_want_a_client_certificate(answer, said):
    with port(answer) as url:
        url = url.replace('http', 'https')
        assert scraped(url) == sentence(url, f'{url} {said}')


@pytest.mark.parametrize(
    'options', [{}, {'tls_protocols_allowed': ['TLSv1', 'TLSv1.1'], 'tls_ciphers': ['DEFAULT@SECLEVEL=0']}]
)
def test_a_version_of_tls_that_is_too_old_is_not_spoken_whatever_the_options(options):
    # The alert `protocol_version`, which a server of TLS 1.1 answers to a client that begins at 1.2.
    with port(bytes.fromhex('15030200020246')) as url:
        url = url.replace('http', 'https')
        assert scraped(url, **options) == sentence(
            url,
            f'{url} speaks only versions of TLS below 1.2, which the client does not, whatever `tls_protocols_allowed` '
            'says (TLSV1_ALERT_PROTOCOL_VERSION): have the component, or a proxy before it, speak TLS 1.2',
        )


def test_an_alert_of_tls_to_plain_http_is_told_as_that():
    with port(bytes.fromhex('15030100020246')) as url:
        assert scraped(url) == sentence(url, f'{url} speaks TLS: write `https` for `http` in `openmetrics_endpoint`')


def test_a_file_that_cannot_be_used_is_named_with_its_option_before_anything_is_sent(serve, file, made):
    served = serve(made.leaf)
    url = served.endpoint
    certificate, key = file('leaf.pem', made.leaf.pem), file('leaf.key', made.leaf.key_pem())
    page = file('page.pem', b'<html>')
    for options, expected in (
        (
            {'tls_ca_cert': '/nowhere/ca.pem'},
            'The file /nowhere/ca.pem that an option of the instance names is not there: look at `tls_ca_cert`, its '
            f'path is one in the container of the Agent that scrapes {url}',
        ),
        (
            {'tls_ca_cert': page},
            f'The file {page} of `tls_ca_cert`, for {url}, holds no certificate in PEM format, a text with the line '
            '-----BEGIN CERTIFICATE-----',
        ),
        (
            {'tls_cert': certificate, 'tls_private_key': certificate},
            f'The file {certificate} of `tls_private_key`, for {url}, holds no private key in PEM format, a text with '
            'the line -----BEGIN PRIVATE KEY-----',
        ),
        (
            {'tls_cert': certificate},
            f'The file {certificate} of `tls_cert`, for {url}, holds a certificate without its key: set '
            '`tls_private_key` to the file of the key',
        ),
        (
            {'tls_cert': certificate, 'tls_private_key': file('locked.key', made.leaf.key_pem('pa55word'))},
            f'The file {file("locked.key", made.leaf.key_pem("pa55word"))} of `tls_private_key`, for {url}, holds an '
            'encrypted key: set `tls_private_key_password`, or name a key that is not encrypted',
        ),
        (
            {'tls_cert': certificate, 'tls_private_key': file('other.key', made.root.key_pem())},
            f'To scrape {url}, name a key in `tls_private_key` and a certificate in `tls_cert` that belong together: '
            'these do not',
        ),
        (
            {'tls_ciphers': ['NONE-OF-THESE']},
            f'To scrape {url}, leave out `tls_ciphers`, or name a cipher in it that the client has: it has none of '
            'these',
        ),
    ):
        check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}])
        assert [told(check), told(check)] == [expected, expected]
    wrong = {'tls_private_key': file('locked.key', made.leaf.key_pem('pa55word')), 'tls_private_key_password': 'no'}
    assert scraped(url, tls_cert=certificate, **wrong).startswith(
        f'To scrape {url}, name files in PEM format in `tls_ca_cert`, `tls_cert` and `tls_private_key`, and the right '
        '`tls_private_key_password`: OpenSSL cannot load them ('
    )
    assert key and served.asked == []


def test_a_file_that_comes_later_or_is_replaced_counts_from_the_next_scrape_on(serve, tmp_path, made):
    path = tmp_path / 'ca.pem'
    url = serve(made.leaf).endpoint
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, 'tls_ca_cert': str(path)}])
    assert 'is not there: look at `tls_ca_cert`' in told(check)
    path.write_bytes(pair('other', is_authority=True).pem)
    assert OTHER_AUTHORITY in told(check)
    path.write_bytes(made.root.pem)
    assert told(check) == ''
    path.write_bytes(pair('another', is_authority=True).pem)
    assert OTHER_AUTHORITY in told(check)


def test_files_are_read_once_as_long_as_they_stay(serve, tmp_path, made, mocker):
    path = tmp_path / 'ca.pem'
    path.write_bytes(made.root.pem)
    check = KubeflowCheck(
        'kubeflow', {}, [{'openmetrics_endpoint': serve(made.leaf).endpoint, 'tls_ca_cert': str(path)}]
    )
    made_anew = mocker.spy(http, 'create_ssl_context')
    assert [told(check) for _ in range(3)] == ['', '', '']
    assert made_anew.call_count == 1


def test_the_log_has_one_error_for_a_certificate_that_is_refused(serve, made, caplog):
    caplog.set_level(logging.DEBUG)
    url = serve(made.leaf).endpoint
    scraped(url)
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ['ERROR']
