# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import time

import pytest

from datadog_checks.kubeflow import KubeflowCheck

ENDPOINT = 'http://somewhere:8080/metrics'
RUNTIME = '# TYPE go_goroutines gauge\ngo_goroutines 9\n# TYPE process_start_time_seconds gauge\n'
RUNTIME += 'process_start_time_seconds %d\n'


def warnings(dd_run_check, mock_http_response, text, **options):
    mock_http_response(text, headers={'Content-Type': 'text/plain; version=0.0.4'})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])
    dd_run_check(check)
    first = list(check.warnings)
    check.warnings.clear()
    dd_run_check(check)
    assert check.warnings == first, 'every run warns once'
    return first


@pytest.mark.parametrize(
    'text, cause',
    [
        pytest.param(
            '# TYPE prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series 5\n',
            "these are a Prometheus server's own metrics, not those of what it scrapes; "
            'set `openmetrics_endpoint` to the component itself, or to the path `/federate` of the server with '
            'selectors in the parameter `match[]`',
            id='Prometheus server',
        ),
        pytest.param(
            '# TYPE istio_requests_total counter\nistio_requests_total 5\n',
            'this is the port of an Envoy or Istio proxy beside the component; '
            'set `openmetrics_endpoint` to the metrics port of the component',
            id='sidecar',
        ),
        pytest.param(
            '# TYPE flask_http_request_total counter\nflask_http_request_total 5\n',
            "this is a web application, as Kubeflow's own are, and exposes nothing this check submits; "
            'set `openmetrics_endpoint` to a controller or a model server',
            id='web application',
        ),
        pytest.param(
            '# TYPE controller_runtime_active_workers gauge\n'
            'controller_runtime_active_workers{controller="clusterqueue"} 1\n',
            "this program runs controllers that are not Kubeflow's (clusterqueue); "
            'set `openmetrics_endpoint` to a component of Kubeflow',
            id='foreign controller',
        ),
        pytest.param(
            RUNTIME % 0 + '# TYPE rest_client_requests_total counter\nrest_client_requests_total{code="200"} 5\n',
            'a controller whose controllers have not started; look at its log for what it waits for',
            id='controller that never starts its controllers',
        ),
        pytest.param(
            RUNTIME % 0,
            'a program that exposes its runtime alone, or whose own metrics are switched off; '
            'check the port and the options of the component',
            id='runtime alone',
        ),
        pytest.param(
            '# TYPE queue_requests_per_second gauge\nqueue_requests_per_second 5\n',
            "these are numbers for Knative's autoscaler; requests are counted by the InferenceService's pod, port 9091",
            id="queue-proxy's autoscaling port",
        ),
        pytest.param(
            '# TYPE workqueue_depth gauge\n'
            'workqueue_depth{name="mutatingwebhookconfiguration"} 1\nworkqueue_depth{name="apiservice"} 1\n',
            "this program runs controllers that are not Kubeflow's (apiservice, mutatingwebhookconfiguration); "
            'set `openmetrics_endpoint` to a component of Kubeflow',
            id='foreign controller with a name that Kubeflow uses too',
        ),
        pytest.param(
            '# TYPE kube_pod_info gauge\nkube_pod_info 1\n',
            'this is kube-state-metrics, not a component of Kubeflow',
            id='kube-state-metrics',
        ),
        pytest.param(
            '# TYPE shop_orders_total counter\nshop_orders_total 5\n',
            'a wrong port, or a program that is not part of Kubeflow',
            id='anything else',
        ),
    ],
)
def test_one_warning_a_run_names_the_likely_cause(dd_run_check, mock_http_response, text, cause):
    (warning,) = warnings(dd_run_check, mock_http_response, text)
    assert warning.startswith(f"Nothing at {ENDPOINT} is Kubeflow's. First families seen: ")
    assert warning.endswith(f'Likely cause: {cause}.')


def test_the_first_families_are_shown_and_what_every_program_has_comes_last(dd_run_check, mock_http_response):
    text = RUNTIME % 0 + ''.join(f'# TYPE shop_{name} gauge\nshop_{name} 1\n' for name in 'abcdef')
    (warning,) = warnings(dd_run_check, mock_http_response, text)
    assert 'First families seen: shop_a, shop_b, shop_c, shop_d, shop_e and 3 more.' in warning


CERTWATCHER = '# TYPE certwatcher_read_certificate_total counter\ncertwatcher_read_certificate_total 1\n'


@pytest.mark.parametrize(
    'age, more, normal',
    [
        pytest.param(20, CERTWATCHER, True, id='a controller that starts'),
        pytest.param(299, CERTWATCHER, True, id='almost too old'),
        pytest.param(310, CERTWATCHER, False, id='too old'),
        pytest.param(20, '', False, id='young, but no controller'),
        pytest.param(20, CERTWATCHER + '# TYPE shop gauge\nshop 1\n', False, id='young, but another program'),
        pytest.param(
            20, CERTWATCHER + '# TYPE workqueue_depth gauge\nworkqueue_depth{name="x"} 1\n', False, id='controllers run'
        ),
    ],
)
def test_a_start_is_told_from_what_looks_like_one(dd_run_check, mock_http_response, age, more, normal):
    found = warnings(dd_run_check, mock_http_response, RUNTIME % (time.time() - age) + more)
    assert (found == []) == normal


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('', id='empty: idle queue-proxy up to 1.18, Argo controller that stands by'),
        pytest.param(
            RUNTIME + '# TYPE certwatcher_read_certificate_total counter\ncertwatcher_read_certificate_total 1\n',
            id='Katib controller that waits for its certificates',
        ),
        pytest.param(
            '# TYPE controller_runtime_reconcile_total counter\n'
            'controller_runtime_reconcile_total{controller="trial-controller",result="success"} 0\n',
            id='Katib controller without an experiment yet',
        ),
        pytest.param('# TYPE request_predict_seconds histogram\n', id='model server before its first request'),
        pytest.param(
            '# TYPE target_info gauge\ntarget_info{kn_revision_name="toy-00001"} 1\n',
            id='queue-proxy from 1.19 before its first request',
        ),
    ],
)
def test_what_is_normal_is_no_warning(dd_run_check, mock_http_response, text):
    started = str(time.time() - 20)
    assert warnings(dd_run_check, mock_http_response, text.replace('%d', started)) == []


def test_a_foreign_payload_the_user_asks_for_is_no_warning(dd_run_check, mock_http_response, aggregator):
    text = '# TYPE shop_orders_total counter\nshop_orders_total 5\n'
    assert warnings(dd_run_check, mock_http_response, text, extra_metrics=['shop_orders']) == []
    aggregator.assert_metric('kubeflow.shop_orders.count', 5)


def test_a_foreign_controller_is_not_submitted_as_one_of_kubeflow(dd_run_check, mock_http_response, aggregator):
    text = '# TYPE workqueue_depth gauge\nworkqueue_depth{name="clusterqueue"} 1\n'
    assert len(warnings(dd_run_check, mock_http_response, text)) == 1
    assert aggregator.metric_names == []


@pytest.mark.parametrize(
    'controllers, expected',
    [
        (('mutatingwebhookconfiguration', 'validatingwebhookconfiguration'), 'Spark operator'),
        (('notebook', 'Culler'), 'notebook controller'),
        (('profile', 'cert-rotator'), 'profile controller'),
        (('notebook', 'agentpool'), 'none'),
        (('trial-controller', 'one-of-tomorrow'), 'Katib controller'),
        (('inferenceservice', 'notebook'), 'notebook controller, KServe controller'),
    ],
)
@pytest.mark.parametrize(
    'family', ['workqueue_depth{name=', 'workqueue_adds{name=', 'controller_runtime_active_workers{controller=']
)
def test_a_controller_others_have_too_is_a_sign_where_no_unknown_one_is_beside_it(
    dd_run_check, mock_http_response, datadog_agent, controllers, expected, family
):
    samples = ''.join(f'{family}"{controller}"}} 0\n' for controller in controllers)
    mock_http_response(f'# TYPE {family.partition("{")[0]} gauge\n{samples}')
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    check.check_id = 'kubeflow:1'
    dd_run_check(check)
    datadog_agent.assert_metadata('kubeflow:1', {'components': expected})


def test_the_recognised_components_are_metadata_of_the_instance(dd_run_check, mock_http_response, datadog_agent):
    mock_http_response(
        '# TYPE request_predict_seconds histogram\n# TYPE kn_serving_queue_depth gauge\nkn_serving_queue_depth 1\n'
    )
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    check.check_id = 'kubeflow:1'
    dd_run_check(check)
    datadog_agent.assert_metadata(
        'kubeflow:1', {'components': 'KServe Python model server, Knative queue-proxy from 1.19'}
    )
    dd_run_check(check)
    datadog_agent.assert_metadata_count(1)


def test_the_recognised_components_are_logged_where_they_change(dd_run_check, mock_http_response, caplog):
    caplog.set_level('INFO')
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    mock_http_response('# TYPE request_predict_seconds histogram\n')
    dd_run_check(check)
    dd_run_check(check)
    assert caplog.text.count(f'Components recognised at {ENDPOINT}: KServe Python model server') == 1
