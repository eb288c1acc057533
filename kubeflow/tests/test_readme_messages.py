# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every message that a page explains is one that the check gives."""

import re

import pytest

from datadog_checks.kubeflow import KubeflowCheck
from simulator.server import Simulator

from . import pages
from .common import TEXT, exposition
from .federation import FEDERATE, Scraped, federate
from .pages import INTEGRATION

URL = 'http://component:8080/metrics'
HEALTH = 'kubeflow.openmetrics.health'
PROMETHEUS = 'http://prometheus:9090'

# What an endpoint answers, and the options it is scraped with.
ANSWERS = [
    (URL, '# TYPE prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series 5\n', {}),
    (URL, '# TYPE istio_requests_total counter\nistio_requests_total 5\n', {}),
    (URL, '# TYPE flask_http_request_total counter\nflask_http_request_total 5\n', {}),
    (URL, '# TYPE queue_requests_per_second gauge\nqueue_requests_per_second 5\n', {}),
    (URL, '# TYPE workqueue_depth gauge\nworkqueue_depth{name="apiservice"} 1\n', {}),
    (URL, '# TYPE rest_client_requests_total counter\nrest_client_requests_total{code="200"} 5\n', {}),
    (URL, '# TYPE go_goroutines gauge\ngo_goroutines 9\n', {}),
    (URL, '', {'prometheus_url': URL}),
    (URL, '', {'colour': 'red'}),
    (f'{PROMETHEUS}/federate', '', {}),
    (f'{PROMETHEUS}/federate?match[]=x', '', {}),
    (FEDERATE, federate(Scraped('up 1\n', {'job': 'j', 'instance': '10.0.0.1:8080'})), {}),
    (FEDERATE, federate(Scraped('shop_orders 1\n', {'job': 'j'})), {'extra_metrics': ['shop_orders']}),
    (FEDERATE, federate(Scraped('katib_experiment_created_total 1\n')), {'use_latest_spec': True}),
    (f'{PROMETHEUS}/graph', '<!doctype html>\n', {}),
]


def told(check):
    """The error and the warnings of a run, without the marks of code."""
    error = check.run()
    return ' '.join([error, *check.warnings]).replace('`', '')


@pytest.fixture(scope='module')
def refused():
    """What the check says of simulated endpoints that are closed, or scraped with wrong options."""
    token = {
        'reader': {'type': 'file', 'path': '/nowhere/token'},
        'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
    }
    with Simulator('26.03', speed=None, warm_up=0) as simulator:
        guarded, katib = simulator['tensorboard-controller'].url, simulator['katib-controller'].url
        simulator.slow('katib-controller', 2)
        instances = [
            simulator['notebook-controller-istio'].instance,
            simulator['login-page'].instance,
            {'openmetrics_endpoint': guarded, 'tls_verify': False},
            {'openmetrics_endpoint': guarded},
            {'openmetrics_endpoint': guarded.replace('https', 'http')},
            {'openmetrics_endpoint': guarded, 'tls_verify': False, 'auth_token': token},
            {'openmetrics_endpoint': f'{simulator["mlserver"].url}/nothing'},
            {'openmetrics_endpoint': katib, 'timeout': 0.2},
        ]
        messages = [told(KubeflowCheck('kubeflow', {}, [dict(instance)])) for instance in instances]
    # Nothing listens any more.
    return [*messages, told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': katib}]))]


@pytest.fixture
def answered(mock_http_response):
    messages = []
    for url, text, options in ANSWERS:
        content_type = 'text/html' if text.startswith('<!') else TEXT
        mock_http_response(text, headers={'Content-Type': content_type})
        messages.append(told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}])))
    mock_http_response('', status_code=400)
    return [*messages, told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': FEDERATE}]))]


def explained(page):
    """Each message of a page, and what to look for in what the check says."""
    for message, _ in pages.rows(pages.read(INTEGRATION / page), 'messages'):
        yield message, '.*'.join(re.escape(part) for part in re.split(r' ?\.\.\. ?', message.strip('`')))


@pytest.mark.parametrize('page', ['README.md', 'FEDERATION.md'])
def test_every_message_explained_is_given(page, refused, answered):
    for message, pattern in explained(page):
        assert any(re.search(pattern, said, re.DOTALL) for said in (*refused, *answered)), message


@pytest.mark.parametrize('fixture', ['kserve-server-idle', 'katib-starting', 'argo-standby'])
def test_where_nothing_is_to_be_shown_yet_there_is_no_message(fixture, run):
    found = run(exposition(fixture), {'openmetrics_endpoint': URL})
    assert (found.samples, found.warnings, found.service_checks) == ([], [], [(HEALTH, 'OK', ())])


def test_everything_said_here_is_explained(refused, answered):
    patterns = [pattern for page in ('README.md', 'FEDERATION.md') for _, pattern in explained(page)]
    for said in (*refused, *answered):
        assert any(re.search(pattern, said, re.DOTALL) for pattern in patterns), said
