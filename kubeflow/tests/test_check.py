# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)

"""The check with the options of the base check: they keep their meaning, on raw names as the endpoint shows them."""

import re
from types import SimpleNamespace

import pytest
from requests import Response
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import InvalidHeader, RequestException
from urllib3.exceptions import ProtocolError

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.base.utils.tagging import GENERIC_TAGS
from datadog_checks.kubeflow import KubeflowCheck

ENDPOINT = 'http://somewhere:8080/metrics'

KATIB = """
# TYPE katib_experiment_created_total counter
katib_experiment_created_total{namespace="team-a"} 4
# TYPE katib_experiments_current gauge
katib_experiments_current{namespace="team-a",status="Running"} 1
katib_experiments_current{namespace="team-a",status="Succeeded"} 3
# TYPE controller_runtime_reconcile_errors_total counter
controller_runtime_reconcile_errors_total{controller="trial-controller"} 2
# TYPE workqueue_adds_total counter
workqueue_adds_total{name="trial-controller"} 7
workqueue_adds_total{name="experiment-controller"} 8
"""
SIDECAR = """
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled",server_address="a",le="0.5"} 1
http_server_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled",server_address="a",le="1"} 3
http_server_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled",server_address="a",le="+Inf"} 4
http_server_request_duration_seconds_sum{http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled",server_address="a"} 5
http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled",server_address="a"} 4
# TYPE target_info gauge
target_info{kn_revision_name="toy-00001",service_version="1.21"} 1
"""  # noqa: E501


@pytest.fixture
def scrape(dd_run_check, mock_http_response):
    def run(text, times=1, **options):
        mock_http_response(text, headers={'Content-Type': 'text/plain; version=0.0.4'})
        check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])
        for _ in range(times):
            dd_run_check(check)
        return check

    return run


def tags(*own):
    return sorted([*own, f'endpoint:{ENDPOINT}'])


def submitted(aggregator, name):
    return sorted((sorted(metric.tags), metric.value) for metric in aggregator.metrics(f'kubeflow.{name}'))


def test_raw_families_the_user_names_arrive_under_their_own_name_too(scrape, aggregator):
    scrape(KATIB, extra_metrics=['katib_experiments_current', {'workqueue_adds': 'queue_adds'}])
    assert submitted(aggregator, 'katib_experiments_current') == [
        (tags('namespace:team-a', 'status:Running'), 1),
        (tags('namespace:team-a', 'status:Succeeded'), 3),
    ]
    assert submitted(aggregator, 'queue_adds.count') == [
        (tags('name:experiment-controller'), 8),
        (tags('name:trial-controller'), 7),
    ]
    assert submitted(aggregator, 'katib.experiment.running.total') == [(tags('namespace:team-a'), 1)]
    assert len(submitted(aggregator, 'controller.workqueue.adds.count')) == 2


def test_a_wildcard_meets_raw_families_alone(scrape, aggregator):
    scrape(KATIB, extra_metrics=['^katib_.+'])
    assert submitted(aggregator, 'katib_experiment_created.count') == [(tags('namespace:team-a'), 4)]
    assert submitted(aggregator, 'katib.experiment.created.count') == [(tags('namespace:team-a'), 4)]
    scrape(KATIB, extra_metrics=['.*'])
    assert not [name for name in aggregator.metric_names if ':' in name]


def test_a_raw_histogram_the_user_names_does_not_spoil_the_relabelled_one(scrape, aggregator):
    scrape(SIDECAR, extra_metrics=['http_server_request_duration_seconds'])
    raw = {
        next(tag for tag in own if tag.startswith('upper_bound'))
        for own, _ in submitted(aggregator, 'http_server_request_duration_seconds.bucket')
    }
    relabelled = submitted(aggregator, 'kserve.inference.duration.seconds.bucket')
    assert raw == {'upper_bound:0.5', 'upper_bound:1.0'}
    assert relabelled == [
        (tags('kn_route_tag:kn:disabled', 'response_code:200', f'upper_bound:{bound}'), value)
        for bound, value in (('0.5', 1), ('1.0', 3))
    ]


def test_excluded_raw_families_feed_nothing(scrape, aggregator):
    scrape(KATIB, exclude_metrics=['katib_experiments_current', '^workqueue_.+'])
    aggregator.assert_metric('kubeflow.katib.experiment.created.count')
    for name in ('katib.experiment.running.total', 'katib.experiments.current', 'controller.workqueue.adds.count'):
        aggregator.assert_metric(f'kubeflow.{name}', count=0)


def test_samples_are_excluded_by_raw_labels_that_relabelling_renames_or_drops(scrape, aggregator):
    scrape(KATIB, exclude_metrics_by_labels={'name': ['^trial'], 'status': ['Succeeded']})
    assert submitted(aggregator, 'controller.workqueue.adds.count') == [
        (tags('controller:experiment-controller', 'kubeflow_component:katib-controller'), 8)
    ]
    aggregator.assert_metric('kubeflow.katib.experiments.current', count=0)
    assert submitted(aggregator, 'katib.experiment.running.total') == [(tags('namespace:team-a'), 1)]


@pytest.mark.parametrize(
    'options, expected',
    [
        ({'exclude_labels': ['name']}, ['kubeflow_component:katib-controller']),
        ({'include_labels': ['name']}, ['name:trial-controller']),
        ({'rename_labels': {'name': 'queue'}}, ['queue:trial-controller', 'kubeflow_component:katib-controller']),
        ({'exclude_labels': ['kubeflow_component']}, ['controller:trial-controller']),
    ],
)
def test_label_options_find_the_raw_labels(scrape, aggregator, options, expected):
    scrape(KATIB.replace('experiment-controller', ''), **options)
    assert (tags(*expected), 7) in submitted(aggregator, 'controller.workqueue.adds.count')


def test_a_label_dropped_by_default_comes_back_where_the_user_names_it(scrape, aggregator):
    scrape(SIDECAR, rename_labels={'server_address': 'requested_host'})
    assert submitted(aggregator, 'kserve.inferences.count') == [
        (tags('kn_route_tag:kn:disabled', 'requested_host:a', 'response_code:200'), 4)
    ]


def test_the_host_of_a_sample_is_read_from_a_raw_label(scrape, aggregator):
    scrape(SIDECAR, hostname_label='server_address', hostname_format='pod-<HOSTNAME>')
    (metric,) = aggregator.metrics('kubeflow.kserve.inferences.count')
    assert metric.hostname == 'pod-a'


SHARED = (
    '# TYPE host_info gauge\nhost_info{server_address="a",team="ml"} 1\n' + SIDECAR.partition('# TYPE target_info')[0]
)


@pytest.mark.parametrize('cached', [True, False])
def test_shared_labels_reach_relabelled_and_raw_families(scrape, aggregator, cached):
    options = {'share_labels': {'host_info': {'labels': ['team']}}, 'cache_shared_labels': cached}
    scrape(SHARED, times=2, extra_metrics=['host_info'], **options)
    own = tags('kn_route_tag:kn:disabled', 'response_code:200', 'team:ml')
    assert submitted(aggregator, 'kserve.inferences.count') == [(own, 4), (own, 4)]
    assert submitted(aggregator, 'host_info') == [(tags('server_address:a', 'team:ml'), 1)] * 2


def test_shared_labels_that_match_on_a_dropped_label_are_found(scrape, aggregator):
    scrape(SHARED, share_labels={'host_info': {'match': ['server_address'], 'labels': ['team']}})
    assert submitted(aggregator, 'kserve.inferences.count') == [
        (tags('kn_route_tag:kn:disabled', 'response_code:200', 'team:ml'), 4)
    ]


def test_target_info_tags_what_is_relabelled(scrape, aggregator):
    scrape(SIDECAR, target_info=True)
    ((own, _),) = submitted(aggregator, 'kserve.inferences.count')
    assert {'kn_revision_name:toy-00001', 'service_version:1.21'} <= set(own)


def test_a_raw_prefix_is_taken_off_before_anything_looks(scrape, aggregator):
    text = KATIB.replace('katib_', 'mine_katib_').replace('controller_runtime', 'mine_controller_runtime')
    scrape(text, raw_metric_prefix='mine_')
    assert submitted(aggregator, 'katib.experiment.running.total') == [(tags('namespace:team-a'), 1)]
    aggregator.assert_metric('kubeflow.controller.reconcile.errors.count', 2)


def test_histogram_options_hold_for_relabelled_families(scrape, aggregator):
    name = 'kserve.inference.duration.seconds'
    scrape(SIDECAR, collect_histogram_buckets=False)
    assert submitted(aggregator, f'{name}.bucket') == [] and len(submitted(aggregator, f'{name}.sum')) == 1
    aggregator.reset()
    scrape(SIDECAR, non_cumulative_histogram_buckets=True)
    assert sorted(value for _, value in submitted(aggregator, f'{name}.bucket')) == [1, 2]
    aggregator.reset()
    scrape(SIDECAR, histogram_buckets_as_distributions=True)
    buckets = aggregator.histogram_bucket(f'kubeflow.{name}')
    assert [(bucket.lower_bound, bucket.upper_bound, bucket.value) for bucket in buckets] == [
        (0, 0.5, 1),
        (0.5, 1, 2),
        (1, float('inf'), 1),
    ]


def test_filtered_lines_feed_nothing(scrape, aggregator):
    scrape(KATIB, raw_line_filters=['status="Running"'])
    assert submitted(aggregator, 'katib.experiment.running.total') == [(tags('namespace:team-a'), 0)]


def test_telemetry_counts_what_came_and_what_went(scrape, aggregator):
    scrape(KATIB, telemetry=True, exclude_metrics=['workqueue_adds'])
    counted = {
        name: sum(metric.value for metric in aggregator.metrics(f'kubeflow.telemetry.metrics.{name}.count'))
        for name in ('input', 'ignored', 'processed')
    }
    own = [name for name in aggregator.metric_names if 'telemetry' not in name]
    assert counted == {'input': 6, 'ignored': 2, 'processed': sum(len(aggregator.metrics(name)) for name in own)}


@pytest.mark.parametrize('label', sorted(GENERIC_TAGS))
def test_no_reserved_label_becomes_a_tag_under_its_own_name(scrape, aggregator, label):
    scrape(f'# TYPE x gauge\nx{{{label}="v"}} 1\n', extra_metrics=['x'])
    ((own, _),) = submitted(aggregator, 'x')
    assert [tag.partition(':')[0] for tag in own if tag.endswith(':v')] not in ([], [label])


def test_reserved_labels_never_leave_as_they_are_unless_the_user_says_so(scrape, aggregator):
    text = '# TYPE x gauge\nx{version="go1.25",host="h",service="s",env="e",cluster="c"} 1\n'
    scrape(text, extra_metrics=['x'], exclude_labels=['cluster'])
    assert submitted(aggregator, 'x') == [
        (tags('client_host:h', 'exported_env:e', 'exported_service:s', 'go_version:go1.25'), 1)
    ]
    aggregator.reset()
    scrape(text, extra_metrics=['x'], rename_labels={'host': 'peer'}, include_labels=['host'])
    assert submitted(aggregator, 'x') == [(tags('peer:h'), 1)]


def test_calls_of_other_grpc_services_are_not_those_of_pipelines(scrape, aggregator):
    services = ('api.RunService', 'kubeflow.pipelines.backend.api.v2beta1.RunService', 'api.Dgraph', 'a.api.RunService')
    lines = ''.join(f'grpc_server_handled_total{{grpc_service="{service}"}} 1\n' for service in services)
    scrape(f'# TYPE grpc_server_handled_total counter\n{lines}')
    assert [own for own, _ in submitted(aggregator, 'pipeline.api.grpc.handled.count')] == [
        tags(f'grpc_service:{service}') for service in services[:2]
    ]


def test_models_of_triton_add_up_whatever_repository_they_come_from(scrape, aggregator):
    scrape(
        '# TYPE nv_inference_request_success counter\n'
        'nv_inference_request_success{model="m",version="1",namespace="/models/a"} 5\n'
        '# TYPE nv_inference_request_failure counter\n'
        'nv_inference_request_failure{model="m",version="1",reason="BACKEND"} 2\n'
    )
    own = tags('model_name:m', 'model_version:1')
    assert submitted(aggregator, 'kserve.inferences.count') == [(own, 7)]
    assert submitted(aggregator, 'kserve.inference.errors.count') == [(sorted([*own, 'reason:BACKEND']), 2)]


def test_runtime_metrics_wait_for_the_option(scrape, aggregator):
    text = KATIB + '# TYPE go_goroutines gauge\ngo_goroutines 9\n'
    scrape(text)
    aggregator.assert_metric('kubeflow.go.goroutines', count=0)
    scrape(text, collect_runtime_metrics=True)
    assert submitted(aggregator, 'go.goroutines') == [(tags('kubeflow_component:katib-controller'), 9)]


def test_a_count_from_before_the_first_scrape_is_not_reported_and_later_ones_are(scrape, aggregator):
    scrape(KATIB, times=2)
    assert [metric.flush_first_value for metric in aggregator.metrics('kubeflow.katib.experiment.created.count')] == [
        False,
        True,
    ]


def test_a_component_that_started_after_the_agent_reports_from_zero(scrape, aggregator, datadog_agent):
    datadog_agent.set_process_start_time(1000)
    text = '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 2000\n'
    scrape(KATIB + text, use_process_start_time=True)
    (metric,) = aggregator.metrics('kubeflow.katib.experiment.created.count')
    assert metric.flush_first_value is True


def test_a_failed_scrape_is_critical_and_the_next_one_is_clean(dd_run_check, mock_http_response, aggregator):
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    mock_http_response('', status_code=503)
    with pytest.raises(Exception, match=f'There was an error scraping endpoint {ENDPOINT}: 503'):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, tags=tags())
    aggregator.reset()
    mock_http_response(KATIB)
    dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, tags=tags(), count=1)
    assert submitted(aggregator, 'katib.experiment.created.count') == [(tags('namespace:team-a'), 4)]


@pytest.mark.parametrize(
    'status, hint',
    [
        (401, 'set `auth_token`, and let its account `get` the path `/metrics`'),
        (403, 'or Istio, which lets nobody in whom no AuthorizationPolicy allows'),
        (404, "MLServer's port is 8082, not the 8080 that KServe annotates"),
    ],
)
def test_a_refusal_says_what_is_likely(dd_run_check, mock_http_response, aggregator, status, hint):
    mock_http_response('RBAC: access denied', status_code=status)
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    with pytest.raises(Exception, match=f'{status} .*for url: {ENDPOINT}. .*{re.escape(hint)}'):
        dd_run_check(check)
    (health,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert health.status == ServiceCheck.CRITICAL
    assert hint in health.message


@pytest.mark.parametrize(
    'content_type, text',
    [
        ('text/html', '<html><body>Log in</body></html>'),
        ('application/json', '{"error": "not logged in"}'),
        ('text/plain', 'RBAC: access denied'),
        ('application/protobuf', '\n+\n%toy-predictor-00001-deployment-abc\x11\x00'),
    ],
)
def test_what_is_no_exposition_is_critical_and_named_with_its_endpoint(
    dd_run_check, mock_http_response, aggregator, content_type, text
):
    mock_http_response(text, headers={'Content-Type': content_type})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    with pytest.raises(Exception, match=rf'What {ENDPOINT} answered \(Content-Type: {content_type}\) is no Prometheus'):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, count=1)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, count=0)


def test_an_answer_cut_short_is_critical(dd_run_check, mocker, aggregator):
    def stream(*_, **__):
        yield b'# TYPE katib_experiment_created_total counter\n'
        raise ProtocolError(f'{SECRET_ENDPOINT} closed the connection')

    response = Response()
    response.status_code, response.raw = 200, SimpleNamespace(stream=stream, close=lambda: None)
    mocker.patch('requests.Session.get', return_value=response)
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': SECRET_ENDPOINT}])
    with pytest.raises(Exception, match='closed the connection') as error:
        dd_run_check(check)
    (service_check,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert service_check.status == ServiceCheck.CRITICAL
    assert 'pa55' not in service_check.message + str(error.value)


def test_a_line_that_cannot_be_understood_costs_its_family_alone(dd_run_check, mock_http_response, aggregator):
    mock_http_response(KATIB + 'this is no sample\n')
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    dd_run_check(check)
    number = KATIB.strip().count('\n') + 2
    message = (
        f"The exposition of {ENDPOINT} has a line that cannot be understood: line {number}, 'this is no sample': could "
        'not convert string to float. What is made of this, workqueue_adds_total is left out of this run, the rest is '
        'submitted; it is for the component to mend.'
    )
    assert check.warnings == [message]
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.WARNING, message=message, count=1)
    assert not aggregator.metrics('kubeflow.controller.workqueue.adds.count')
    assert [metric.value for metric in aggregator.metrics('kubeflow.katib.experiment.running.total')] == [1]


def test_a_redirect_that_must_not_be_followed_is_critical(dd_run_check, mock_http_response, aggregator):
    mock_http_response('', status_code=302, headers={'Location': 'http://login/'})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, 'allow_redirects': False}])
    with pytest.raises(Exception, match='302 redirect for url: .* set `openmetrics_endpoint` to where it leads'):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, count=1)


def test_an_error_before_any_answer_is_not_blamed_on_the_answer(dd_run_check, mocker, aggregator):
    mocker.patch('requests.Session.get', side_effect=InvalidHeader("in header value: 'Bearer s3cret\n'"))
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    with pytest.raises(Exception, match=rf'There was an error scraping endpoint {ENDPOINT}: in header value: \*\*\*'):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, count=1)


def test_a_connection_error_that_is_ignored_is_critical_all_the_same(dd_run_check, mocker, aggregator):
    mocker.patch('requests.Session.get', side_effect=RequestsConnectionError('refused'))
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, 'ignore_connection_errors': True}])
    dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.CRITICAL, count=1)
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, count=0)


def test_a_file_that_is_not_there_is_named_with_the_options_that_may_name_it(dd_run_check):
    reader = {'type': 'file', 'path': '/nowhere/token'}
    writer = {'type': 'header', 'name': 'Authorization', 'value': 'Bearer <TOKEN>'}
    instance = {'openmetrics_endpoint': ENDPOINT, 'auth_token': {'reader': reader, 'writer': writer}}
    with pytest.raises(Exception, match='The file /nowhere/token .* look at `auth_token`'):
        dd_run_check(KubeflowCheck('kubeflow', {}, [instance]))


def test_a_report_is_of_the_last_scrape_alone(dd_run_check, mock_http_response):
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    mock_http_response(KATIB)
    dd_run_check(check)
    (scraper,) = check.scrapers.values()
    assert scraper.report.components == ('katib-controller',)
    mock_http_response('', status_code=503)
    with pytest.raises(Exception, match='503'):
        dd_run_check(check)
    assert (scraper.report.components, scraper.report.sources) == ((), {})


SECRET_ENDPOINT = 'http://user:pa55@somewhere:8080/metrics?token=s3cret'


def test_secrets_of_the_endpoint_never_become_tags(dd_run_check, mock_http_response, aggregator):
    mock_http_response(KATIB)
    dd_run_check(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': SECRET_ENDPOINT}]))
    assert submitted(aggregator, 'katib.experiment.created.count') == [(tags('namespace:team-a'), 4)]
    aggregator.assert_service_check('kubeflow.openmetrics.health', ServiceCheck.OK, tags=tags())


def test_secrets_of_the_endpoint_never_become_messages(dd_run_check, mocker, aggregator, caplog):
    mocker.patch('requests.Session.get', side_effect=RequestException(f'cannot reach {SECRET_ENDPOINT}'))
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': SECRET_ENDPOINT}])
    with pytest.raises(Exception) as error:
        dd_run_check(check)
    (service_check,) = aggregator.service_checks('kubeflow.openmetrics.health')
    for text in (str(error.value), service_check.message, caplog.text):
        assert 'pa55' not in text and 's3cret' not in text and ENDPOINT in text


def test_the_restart_of_a_model_server_does_not_bring_back_the_count_of_its_sidecar(
    dd_run_check, mock_http_response, aggregator
):
    server = """
    # TYPE request_predict_seconds histogram
    request_predict_seconds_count{model_name="toy"} 4
    request_predict_seconds_sum{model_name="toy"} 1
    """
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    for text in (SIDECAR + server, SIDECAR, SIDECAR + server.replace(' 4', ' 1')):
        mock_http_response(text)
        dd_run_check(check)
    # Between its restart and its first inference the server exposes nothing; the sidecar still says 4.
    assert submitted(aggregator, 'kserve.inferences.count') == [
        (tags('model_name:toy'), 1),
        (tags('model_name:toy'), 4),
    ]


def test_a_model_server_that_is_seen_late_does_not_count_again_what_its_sidecar_counted(
    dd_run_check, mock_http_response, aggregator
):
    server = """
    # TYPE request_predict_seconds histogram
    request_predict_seconds_count{model_name="toy"} %d
    request_predict_seconds_sum{model_name="toy"} 1
    """
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    for text in (SIDECAR, SIDECAR, SIDECAR + server % 4, SIDECAR + server % 6):
        mock_http_response(text)
        dd_run_check(check)
    for name in ('kserve.inferences.count', 'kserve.inference.duration.seconds.count'):
        reported = [(metric.value, metric.flush_first_value) for metric in aggregator.metrics(f'kubeflow.{name}')]
        # 4 is where the server's count starts from, and 2 more came since.
        assert reported == [(4, False), (4, True), (4, False), (6, True)]
    created = aggregator.metrics('kubeflow.kserve.inference.duration.seconds.sum')
    assert [metric.flush_first_value for metric in created] == [False, True, False, True]


def test_instances_keep_apart(dd_run_check, mock_http_response, aggregator):
    katib = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': 'http://katib:8080/metrics'}])
    sidecar = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': 'http://sidecar:9091/metrics', 'tags': ['a:b']}])
    for check, text in ((katib, KATIB), (sidecar, SIDECAR), (katib, KATIB)):
        mock_http_response(text)
        dd_run_check(check)
    reports = [scraper.report for check in (katib, sidecar) for scraper in check.scrapers.values()]
    assert [report.components for report in reports] == [('katib-controller',), ('queue-proxy-otel',)]
    assert 'kserve.inferences' not in reports[0].sources
    for metric in aggregator.metrics('kubeflow.katib.experiment.created.count'):
        assert sorted(metric.tags) == ['endpoint:http://katib:8080/metrics', 'namespace:team-a']


def test_an_unknown_option_is_named_at_every_run(scrape):
    check = scrape(KATIB, openmetrics_endpont='x', times=2)
    sentence = 'Option `openmetrics_endpont` is unknown and has no effect. Did you mean `openmetrics_endpoint`?'
    assert check.warnings == [sentence, sentence]


def test_there_is_no_limit_on_metrics_by_default(scrape, aggregator):
    lines = '\n'.join(f'katib_experiment_created_total{{namespace="n{number}"}} 1' for number in range(3000))
    scrape(f'# TYPE katib_experiment_created_total counter\n{lines}\n')
    aggregator.assert_metric('kubeflow.katib.experiment.created.count', count=3000)
    aggregator.reset()
    scrape(f'# TYPE katib_experiment_created_total counter\n{lines}\n', max_returned_metrics=10)
    aggregator.assert_metric('kubeflow.katib.experiment.created.count', count=10)
