# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Every message that a page explains is one that the check gives."""

import re
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.diagnosis import FOREIGN
from simulator.server import Simulator

from . import pages
from .certificates import pair, server_context
from .common import OPENMETRICS, TEXT, exposition
from .federation import FEDERATE, Scraped, federate
from .origins import origin, redirect
from .pages import INTEGRATION

URL = 'http://component:8080/metrics'
HEALTH = 'kubeflow.openmetrics.health'
PROMETHEUS = 'http://prometheus:9090'

BAD_LINE = 'katib_trials_current {\n'

# What an endpoint answers, and the options it is scraped with.
ANSWERS = [
    *((URL, f'# TYPE {prefix}x gauge\n{prefix}x 5\n', {}) for prefixes, _ in FOREIGN for prefix in prefixes),
    (URL, '# TYPE shop_orders gauge\nshop_orders 5\n', {}),
    (URL, f'# TYPE up gauge\nup 1\n# TYPE katib_trials_current gauge\nkatib_trials_current 5\n{BAD_LINE}', {}),
    (URL, '# TYPE workqueue_depth gauge\nworkqueue_depth{name="apiservice"} 1\n', {}),
    (URL, '# TYPE rest_client_requests_total counter\nrest_client_requests_total{code="200"} 5\n', {}),
    (URL, '# TYPE go_goroutines gauge\ngo_goroutines 9\n', {}),
    (URL, f'# TYPE katib_experiments_current gauge\n# TYPE katib_trials_current gauge\n{BAD_LINE}# EOF\n', {}),
    (
        URL,
        '# TYPE katib_trials_current gauge\nkatib_trials_current{status="a"} 5\nkatib_trials_current{status="b"} 5\n',
        {'max_samples_per_family': 1},
    ),
    (URL, '', {'username': 'agent', 'password': 'pa55'}),
    (URL, '', {'prometheus_url': URL}),
    (URL, '', {'send_distribution_sums_as_monotonic': True}),
    (URL, '', {'colour': 'red'}),
    (f'{PROMETHEUS}/federate', '', {}),
    (f'{PROMETHEUS}/federate?match[]=x', '', {}),
    (FEDERATE, federate(Scraped('up 1\n', {'job': 'j', 'instance': '10.0.0.1:8080'})), {}),
    (FEDERATE, federate(Scraped('shop_orders 1\n', {'job': 'j'})), {'extra_metrics': ['shop_orders']}),
    (FEDERATE, federate(Scraped('katib_experiment_created_total 1\n')), {'use_latest_spec': True}),
    (f'{PROMETHEUS}/graph', '<!doctype html>\n', {}),
]

TESTS = Path(__file__).parent
# What the check says of answers, which test_answers.py and test_hostile.py hold against the check.
SENTENCES = [
    sentence.replace('`', '').replace('$url', URL)
    for sentence in (
        *(answer['says'] for answer in yaml.safe_load(pages.read(TESTS / 'answers.yaml'))),
        *yaml.safe_load(pages.read(TESTS / 'hostile' / 'sentences.yaml')).values(),
    )
]


def told(check):
    """The error and the warnings of a run, without the marks of code."""
    error = check.run()
    return ' '.join([error, *check.warnings]).replace('`', '')


@contextmanager
def silent():
    """The URL of a port that answers no request to connect, as behind a NetworkPolicy."""
    with socket.socket() as server, ExitStack() as waiting:
        server.bind(('127.0.0.1', 0))
        server.listen(0)
        # Linux drops what comes once as many as these wait to be accepted.
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f'http://127.0.0.1:{server.getsockname()[1]}/metrics'


@pytest.fixture(scope='module')
def refused():
    """What the check says of simulated endpoints that are closed, or scraped with wrong options."""
    token = {
        'reader': {'type': 'file', 'path': '/nowhere/token'},
        'writer': {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'},
    }
    with silent() as dropped, Simulator('26.03', speed=None, warm_up=0) as simulator:
        guarded, katib = simulator['tensorboard-controller'].url, simulator['katib-controller'].url
        simulator.slow('katib-controller', 2)
        instances = [
            simulator['notebook-controller-istio'].instance,
            simulator['login-page'].instance,
            {'openmetrics_endpoint': guarded, 'tls_verify': False},
            {'openmetrics_endpoint': guarded},
            {'openmetrics_endpoint': guarded.replace('https', 'http')},
            {'openmetrics_endpoint': katib.replace('http', 'https')},
            {'openmetrics_endpoint': guarded, 'tls_verify': False, 'auth_token': token},
            {'openmetrics_endpoint': f'{simulator["mlserver"].url}/nothing'},
            {'openmetrics_endpoint': katib, 'timeout': 0.2},
            {'openmetrics_endpoint': dropped, 'timeout': 0.2},
        ]
        messages = [told(KubeflowCheck('kubeflow', {}, [dict(instance)])) for instance in instances]
    # Nothing listens any more.
    return [*messages, told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': katib}]))]


@pytest.fixture(scope='module')
def mistrusted(tmp_path_factory):
    """What the check says of certificates, and of redirects where it has a secret."""
    directory = tmp_path_factory.mktemp('certificates')
    root = pair('root', is_authority=True)
    authority = directory / 'root.pem'
    authority.write_bytes(root.pem)
    trusting = {'tls_ca_cert': str(authority)}
    leaf = pair('leaf', root)
    contexts = [
        (server_context(directory, leaf), {}),
        (server_context(directory, leaf, clients=root), trusting),
        (server_context(directory, pair('elsewhere', root, host='other.host')), trusting),
        (server_context(directory, pair('old', root, days=(-2, -1))), trusting),
    ]
    messages = []
    for context, options in contexts:
        with origin(context=context) as served:
            messages.append(told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': served.endpoint, **options}])))
    for location in ('http://other.host/metrics', '/dex/auth'):
        with origin(lambda path, headers, location=location: redirect(location)) as served:
            user = {'username': 'agent', 'password': 'pa55'}
            messages.append(told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': served.endpoint, **user}])))
    return messages


@pytest.fixture
def answered(mock_http_response):
    messages = []
    for url, text, options in ANSWERS:
        content_type = 'text/html' if text.startswith('<!') else OPENMETRICS if text.endswith('# EOF\n') else TEXT
        mock_http_response(text, headers={'Content-Type': content_type})
        messages.append(told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}])))
    mock_http_response('', status_code=400)
    return [*messages, told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': FEDERATE}]))]


def explained(page):
    """Each message of a page, and what to look for in what the check says."""
    for message, _ in pages.rows(pages.read(INTEGRATION / page), 'messages'):
        yield message, '.*'.join(re.escape(part) for part in re.split(r' ?\.\.\. ?', message.strip('`')))


@pytest.mark.parametrize('page', ['README.md', 'FEDERATION.md'])
def test_every_message_explained_is_given(page, refused, mistrusted, answered):
    given = (*refused, *mistrusted, *answered, *SENTENCES)
    for message, pattern in explained(page):
        assert any(re.search(pattern, said, re.DOTALL) for said in given), message


@pytest.mark.parametrize('fixture', ['kserve-server-idle', 'katib-starting', 'argo-standby'])
def test_where_nothing_is_to_be_shown_yet_there_is_no_message(fixture, run):
    found = run(exposition(fixture), {'openmetrics_endpoint': URL})
    assert (found.samples, found.warnings, found.service_checks) == ([], [], [(HEALTH, 'OK', ())])


def test_a_bad_line_that_is_left_out_costs_nothing(run):
    options = {'openmetrics_endpoint': URL, 'raw_line_filters': ['^katib_trials_current {$']}
    assert (
        run(exposition('katib-0.19') + BAD_LINE, options).samples
        == run(exposition('katib-0.19'), {'openmetrics_endpoint': URL}).samples
    )


def test_everything_said_here_is_explained(refused, mistrusted, answered):
    patterns = [pattern for page in ('README.md', 'FEDERATION.md') for _, pattern in explained(page)]
    for said in (*refused, *mistrusted, *answered, *SENTENCES):
        assert any(re.search(pattern, said, re.DOTALL) for pattern in patterns), said
