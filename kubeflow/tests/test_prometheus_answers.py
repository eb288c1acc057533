# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a Prometheus server answers that holds nothing for the check, and what the check says about it."""

import pytest

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck

from .common import exposition
from .federation import FEDERATE, Scraped, federate

PUBLIC = 'http://prometheus:9090/federate'
TARGET = {'job': 'j', 'instance': '10.0.0.1:8080'}


def warnings(dd_run_check, mock_http_response, url, page):
    """Those of two runs."""
    mock_http_response(page, headers={'Content-Type': 'text/plain; version=0.0.4; charset=utf-8'})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url}])
    dd_run_check(check)
    dd_run_check(check)
    return check.warnings


@pytest.mark.parametrize(
    'url, page, expected',
    [
        pytest.param(
            PUBLIC,
            '',
            f'{PUBLIC} answered without any series, for it federates what the parameter `match[]` selects and '
            '`openmetrics_endpoint` has none: append a selector to it, such as match[]={__name__=~"katib_.*"}.',
            id='no selector',
        ),
        pytest.param(
            f'{PUBLIC}?match=s3cret',
            '',
            f'{PUBLIC} answered without any series, for it federates what the parameter `match[]` selects and '
            '`openmetrics_endpoint` has none: append a selector to it, such as match[]={__name__=~"katib_.*"}.',
            id='misspelt',
        ),
        pytest.param(
            f'{PUBLIC}?match[]=s3cret',
            '',
            f'{PUBLIC} answered without any series: it has none that the selectors of `match[]` in '
            '`openmetrics_endpoint` meet. Likely cause: the server does not scrape Kubeflow, or no label has such a '
            'value.',
            id='nothing selected',
        ),
        pytest.param(
            f'{PUBLIC}?match%5B%5D={{job=~"s3cret.+"}}',
            '',
            f'{PUBLIC} answered without any series: it has none that the selectors of `match[]` in '
            '`openmetrics_endpoint` meet. Likely cause: the `+` in a selector, which a URL takes for a space: write '
            '`.*`, or %2B.',
            id='a plus',
        ),
        pytest.param(
            f'{PUBLIC}?match[]=up',
            federate(Scraped('up 1\nscrape_duration_seconds 0.01\n', TARGET)),
            f"Nothing that {PUBLIC} federates is Kubeflow's. First families seen: scrape_duration_seconds, up. Likely "
            'cause: the selectors of its `match[]` ask for other series, or the server does not scrape Kubeflow.',
            id='nothing but targets',
        ),
        pytest.param(
            f'{PUBLIC}?match[]={{job="s3cret"}}',
            federate(Scraped('prometheus_tsdb_head_series 5\n', TARGET)),
            f"Nothing that {PUBLIC} federates is Kubeflow's. First families seen: prometheus_tsdb_head_series. Likely "
            'cause: the selectors of its `match[]` ask for other series, or the server does not scrape Kubeflow.',
            id='the server itself',
        ),
    ],
)
def test_one_warning_a_run_says_what_is_wrong_with_the_selectors(
    dd_run_check, mock_http_response, url, page, expected, caplog
):
    assert warnings(dd_run_check, mock_http_response, url, page) == [expected, expected]
    assert 's3cret' not in caplog.text
    assert expected in caplog.text


def test_an_empty_page_elsewhere_is_normal(dd_run_check, mock_http_response):
    assert warnings(dd_run_check, mock_http_response, 'http://sidecar:9091/metrics', '') == []


def test_a_controller_that_starts_is_normal_through_prometheus_too(run):
    page = federate(Scraped(exposition('katib-starting'), TARGET))
    assert run(page, {'openmetrics_endpoint': 'http://component:8080/metrics'}).warnings == []


PAGE = (
    'this is a page or the query API of a Prometheus server; set `openmetrics_endpoint` to the component itself, or to '
    'the path `/federate` of the server with selectors in the parameter `match[]`'
)


@pytest.mark.parametrize(
    'path, content_type, text',
    [
        ('/api/v1/query?query=s3cret', 'application/json', '{"status":"success","data":{"resultType":"vector"}}'),
        ('/prefix/api/v1/targets', 'application/json', '{"status":"success"}'),
        ('/graph', 'text/html', '<!doctype html><html lang="en"><head></head></html>'),
        ('/query?g0.expr=s3cret', 'text/html', '<!doctype html><html lang="en"><head></head></html>'),
        ('/classic/targets', 'text/html', '<!doctype html>'),
    ],
)
def test_a_page_of_prometheus_is_told_from_a_login(
    dd_run_check, mock_http_response, aggregator, path, content_type, text
):
    mock_http_response(text, headers={'Content-Type': content_type})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': f'http://prometheus:9090{path}'}])
    with pytest.raises(Exception) as error:
        dd_run_check(check)
    (service_check,) = aggregator.service_checks('kubeflow.openmetrics.health')
    for message in (str(error.value), service_check.message):
        assert 'is no Prometheus exposition: ' in message and f'Likely cause: {PAGE}.' in message
        assert 's3cret' not in message
    assert service_check.status == ServiceCheck.CRITICAL


@pytest.mark.parametrize(
    'path, status, expected',
    [
        (
            '/federate?match[]={s3cret',
            400,
            'A selector of `match[]` in `openmetrics_endpoint` is not valid: try it as a query on a page of the server',
        ),
        ('/api/v1/query', 400, f'Likely cause: {PAGE}'),
        ('/classic/graph', 500, f'Likely cause: {PAGE}'),
    ],
)
def test_what_prometheus_refuses_is_explained(dd_run_check, mock_http_response, aggregator, path, status, expected):
    mock_http_response('1:2: parse error: s3cret', status_code=status)
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': f'http://prometheus:9090{path}'}])
    with pytest.raises(Exception) as error:
        dd_run_check(check)
    (service_check,) = aggregator.service_checks('kubeflow.openmetrics.health')
    for message in (str(error.value), service_check.message):
        assert str(status) in message and expected in message and 's3cret' not in message


@pytest.mark.parametrize('path, status', [('/federate', 503), ('/v1/models/graph', 404), ('/metrics', 400)])
def test_other_refusals_are_left_as_they_are(dd_run_check, mock_http_response, path, status):
    mock_http_response('', status_code=status)
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': f'http://somewhere:9090{path}'}])
    with pytest.raises(Exception, match=f'{status} (Client|Server) Error') as error:
        dd_run_check(check)
    assert 'Prometheus' not in str(error.value)


def test_the_format_that_prometheus_does_not_speak_is_named(dd_run_check, mock_http_response):
    mock_http_response(
        federate(Scraped('katib_experiment_created_total 1\n', TARGET)),
        headers={'Content-Type': 'text/plain; version=0.0.4; charset=utf-8'},
    )
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': FEDERATE, 'use_latest_spec': True}])
    with pytest.raises(Exception, match='`use_latest_spec: true` asks for OpenMetrics .* leave the option out'):
        dd_run_check(check)


def test_a_login_page_is_one_whatever_format_was_asked_for(dd_run_check, mock_http_response):
    mock_http_response('<html><body>Log in</body></html>', headers={'Content-Type': 'text/html'})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': 'http://c/metrics', 'use_latest_spec': True}])
    with pytest.raises(Exception, match='or a login page before it'):
        dd_run_check(check)
