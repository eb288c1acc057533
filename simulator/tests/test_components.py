# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..components import (
    COMPONENTS,
    Argo,
    Katib,
    KServe,
    MLServer,
    NotebookController,
    OpenCensusQueueProxy,
    OpenTelemetryQueueProxy,
    PipelinesAPIServer,
    TrainingOperator,
)
from ..workloads import busy_world
from .samples import PROCESS_FAMILIES, at_work, samples, total

CONTROLLER = {
    'controller_runtime_reconcile_total': 'counter',
    'controller_runtime_reconcile_errors_total': 'counter',
    'controller_runtime_reconcile_time_seconds': 'histogram',
    'controller_runtime_active_workers': 'gauge',
    'controller_runtime_max_concurrent_reconciles': 'gauge',
    'rest_client_requests_total': 'counter',
    'workqueue_adds_total': 'counter',
    'workqueue_depth': 'gauge',
    'workqueue_longest_running_processor_seconds': 'gauge',
    'workqueue_queue_duration_seconds': 'histogram',
    'workqueue_retries_total': 'counter',
    'workqueue_unfinished_work_seconds': 'gauge',
    'workqueue_work_duration_seconds': 'histogram',
}
CONTROLLER_0_19 = {
    **CONTROLLER,
    'controller_runtime_terminal_reconcile_errors_total': 'counter',
    'controller_runtime_reconcile_panics_total': 'counter',
    'certwatcher_read_certificate_total': 'counter',
    'certwatcher_read_certificate_errors_total': 'counter',
}
KATIB_COUNTERS = [
    *(f'katib_experiment_{event}_total' for event in ('created', 'deleted', 'failed', 'succeeded')),
    *(f'katib_trial_{event}_total' for event in ('created', 'deleted', 'failed', 'succeeded', 'metrics_unavailable')),
]
PIPELINES_COUNTERS = re.split(
    r'\s+',
    """run_server_create_requests run_server_get_requests run_server_list_requests run_server_delete_requests
    run_server_archive_requests run_server_unarchive_requests run_server_report_metrics_requests
    run_server_read_artifact_requests run_server_terminate_requests run_server_retry_requests
    job_server_create_requests job_server_get_requests job_server_list_requests job_server_delete_requests
    job_server_disable_requests job_server_enable_requests
    pipeline_server_create_requests pipeline_server_get_requests pipeline_server_list_requests
    pipeline_server_delete_requests pipeline_server_create_version_requests pipeline_server_get_version_requests
    pipeline_server_list_version_requests pipeline_server_delete_version_requests
    pipeline_server_update_default_version_requests pipeline_upload_requests pipeline_version_upload_requests
    experiment_server_create_requests experiment_server_get_requests experiment_server_list_requests
    experiment_server_delete_requests experiment_server_archive_requests experiment_server_unarchive_requests
    resource_manager_workflow_gc grpc_server_started_total grpc_server_msg_received_total
    grpc_server_msg_sent_total grpc_server_handled_total""",
)
PIPELINES_GAUGES = [
    'run_server_run_count',
    'job_server_job_count',
    'pipeline_server_pipeline_count',
    'pipeline_server_pipeline_version_count',
    'experiment_server_run_count',
    'resource_manager_workflow_runs_success',
    'resource_manager_workflow_runs_failed',
]


def created(families):
    """prometheus_client adds the moment of creation to each family that counts."""
    stems = [name.removesuffix('_total') for name, kind in families.items() if kind != 'gauge']
    return {**families, **{f'{stem}_created': 'gauge' for stem in stems}}


EXPECTED = {
    Katib: {
        **CONTROLLER_0_19,
        **dict.fromkeys(KATIB_COUNTERS, 'counter'),
        'katib_experiments_current': 'gauge',
        'katib_trials_current': 'gauge',
        'controller_runtime_webhook_requests_total': 'counter',
        'controller_runtime_webhook_requests_in_flight': 'gauge',
        'controller_runtime_webhook_latency_seconds': 'histogram',
        'controller_runtime_webhook_panics_total': 'counter',
    },
    NotebookController: {
        **CONTROLLER,
        'notebook_create_total': 'counter',
        'notebook_create_failed_total': 'counter',
        'notebook_running': 'gauge',
    },
    KServe: created({f'request_{step}_seconds': 'histogram' for step in KServe.STEPS}),
    OpenCensusQueueProxy: {
        'revision_request_count': 'counter',
        'revision_app_request_count': 'counter',
        'revision_request_latencies': 'histogram',
        'revision_app_request_latencies': 'histogram',
        'revision_queue_depth': 'gauge',
    },
    OpenTelemetryQueueProxy: {
        'http_server_request_duration_seconds': 'histogram',
        'http_server_request_body_size_bytes': 'histogram',
        'http_server_response_body_size_bytes': 'histogram',
        'http_client_request_duration_seconds': 'histogram',
        'http_client_request_body_size_bytes': 'histogram',
        'kn_serving_invocation_duration_seconds': 'histogram',
        'kn_serving_queue_depth': 'gauge',
        'target_info': 'gauge',
    },
    MLServer: {
        **created(
            {
                'model_infer_request_success_total': 'counter',
                'model_infer_request_failure_total': 'counter',
                'model_infer_request_duration': 'summary',
                'grpc_server_handled_total': 'counter',
                'grpc_server_started_total': 'counter',
                'grpc_server_handling_seconds': 'histogram',
                'rest_server_requests_total': 'counter',
                'rest_server_request_duration_seconds': 'histogram',
            }
        ),
        'grpc_server_msg_received_total': 'counter',
        'grpc_server_msg_sent_total': 'counter',
        'grpc_server_handled_latency_seconds': 'histogram',
        'rest_server_requests_in_progress': 'gauge',
    },
    PipelinesAPIServer: {
        **dict.fromkeys(PIPELINES_COUNTERS, 'counter'),
        **dict.fromkeys(PIPELINES_GAUGES, 'gauge'),
        'resource_manager_recurring_run_report_gap': 'histogram',
        'grpc_server_handling_seconds': 'histogram',
    },
    Argo: {
        'argo_workflows_gauge': 'gauge',
        'argo_workflows_pods_gauge': 'gauge',
        'argo_workflows_total_count': 'counter',
        'argo_workflows_pods_total_count': 'counter',
        'argo_workflows_pipeline_run_duration_seconds': 'histogram',
        'argo_workflows_operation_duration_seconds': 'histogram',
        'argo_workflows_queue_adds_count': 'counter',
        'argo_workflows_queue_depth_gauge': 'gauge',
        'argo_workflows_workers_busy_count': 'gauge',
        'argo_workflows_k8s_request_total': 'counter',
        'argo_workflows_error_count': 'counter',
        'argo_workflows_is_leader': 'gauge',
    },
    TrainingOperator: {
        **CONTROLLER_0_19,
        **{
            f'training_operator_jobs_{event}_total': 'counter'
            for event in ('created', 'deleted', 'successful', 'failed', 'restarted')
        },
    },
}

# The raw names that feed documented metrics which are not gauges.
DOCUMENTED_SOURCES = {
    Katib: [
        *KATIB_COUNTERS,
        'controller_runtime_reconcile_total',
        'controller_runtime_reconcile_time_seconds_count',
        'controller_runtime_reconcile_time_seconds_sum',
    ],
    NotebookController: [
        'notebook_create_total',
        'notebook_create_failed_total',
        'controller_runtime_reconcile_total',
        'controller_runtime_reconcile_time_seconds_count',
    ],
    KServe: ['request_predict_seconds_count', 'request_predict_seconds_sum'],
    OpenCensusQueueProxy: ['revision_app_request_count', 'revision_app_request_latencies_sum'],
    OpenTelemetryQueueProxy: [
        'http_server_request_duration_seconds_count',
        'http_server_request_body_size_bytes_sum',
        'http_server_response_body_size_bytes_sum',
    ],
    MLServer: [
        'model_infer_request_success_total',
        'model_infer_request_failure_total',
        'model_infer_request_duration_sum',
    ],
    Argo: ['argo_workflows_pipeline_run_duration_seconds_count', 'argo_workflows_total_count'],
}


@pytest.mark.parametrize('component', COMPONENTS)
def test_families_and_types(component):
    payload = at_work(component).payload()
    raw = dict(re.findall(r'^# TYPE (\S+) (\S+)$', payload, re.MULTILINE))
    own = {name: kind for name, kind in raw.items() if not name.startswith(PROCESS_FAMILIES)}
    assert own == EXPECTED[component]
    parsed = {family.name: family.type for family in text_string_to_metric_families(payload)}
    assert parsed == {(name.removesuffix('_total') if kind == 'counter' else name): kind for name, kind in raw.items()}


@pytest.mark.parametrize('component', COMPONENTS)
def test_every_family_has_its_head_once(component):
    payload = at_work(component).payload()
    heads = re.findall(r'^# TYPE (\S+)', payload, re.MULTILINE)
    assert len(heads) == len(set(heads))
    assert re.findall(r'^# HELP (\S+)', payload, re.MULTILINE) == heads


@pytest.mark.parametrize('component', COMPONENTS)
def test_histograms_are_cumulative(component):
    for family in text_string_to_metric_families(at_work(component).payload()):
        if family.type != 'histogram':
            continue
        last = {}
        for sample in family.samples:
            key = tuple(sorted(pair for pair in sample.labels.items() if pair[0] != 'le'))
            if sample.name.endswith('_bucket'):
                assert sample.value >= last.get(key, 0)
                last[key] = sample.value
            elif sample.name.endswith('_count'):
                assert sample.value == last[key]


@pytest.mark.parametrize('seed', range(5))
def test_two_minutes_move_every_source_of_a_documented_metric(seed):
    world = busy_world(seed)
    components = [component(world) for component in DOCUMENTED_SOURCES]
    world.step(600)
    before = [component.payload() for component in components]
    world.step(120)
    for component, earlier in zip(components, before, strict=True):
        later = component.payload()
        for name in DOCUMENTED_SOURCES[type(component)]:
            assert total(later, name) > total(earlier, name), name


def test_a_fresh_katib_controller_has_no_family_of_its_own():
    assert 'katib_' not in at_work(Katib, seconds=0).payload()


def test_katib_trials_are_somewhere():
    payload = at_work(Katib).payload()
    for kind in ('experiment', 'trial'):
        made = total(payload, f'katib_{kind}_created_total')
        assert made - total(payload, f'katib_{kind}_deleted_total') == total(payload, f'katib_{kind}s_current')


def test_a_katib_experiment_is_succeeded_failed_or_under_way():
    payload = at_work(Katib).payload()
    finished = total(payload, 'katib_experiment_succeeded_total') + total(payload, 'katib_experiment_failed_total')
    current = sum(
        total(payload, 'katib_experiments_current', status=status) for status in ('Created', 'Running', 'Restarting')
    )
    assert total(payload, 'katib_experiment_created_total') == finished + current


def test_katib_has_no_sample_for_a_status_without_objects():
    values = {key: value for key, value in samples(at_work(Katib).payload()).items() if 'current' in key[0]}
    assert values
    assert 0 not in values.values()
    assert not [key for key in values if ('status', 'Restarting') in key[1]]


def test_katib_reports_a_cert_rotator():
    payload = at_work(Katib).payload()
    assert total(payload, 'controller_runtime_reconcile_total', controller='cert-rotator') == 1


def test_katib_webhook_latency_has_one_bucket():
    text = at_work(Katib).payload()
    bounds = re.findall(r'^controller_runtime_webhook_latency_seconds_bucket.*le="([^"]+)"', text, re.MULTILINE)
    assert set(bounds) == {'+Inf'}


@pytest.mark.parametrize('component', [Katib, NotebookController, TrainingOperator])
def test_reconcile_families_agree(component):
    payload = at_work(component).payload()
    finished = total(payload, 'controller_runtime_reconcile_total')
    assert finished == total(payload, 'controller_runtime_reconcile_time_seconds_count')
    assert finished == total(payload, 'workqueue_adds_total')
    failed = total(payload, 'controller_runtime_reconcile_total', result='error')
    assert failed == total(payload, 'controller_runtime_reconcile_errors_total')


def test_a_controller_starts_with_four_results_at_zero():
    values = samples(at_work(NotebookController, seconds=0).payload())
    results = {key[1]: value for key, value in values.items() if key[0] == 'controller_runtime_reconcile_total'}
    assert results == {
        (('controller', 'notebook'), ('result', result)): 0
        for result in ('success', 'error', 'requeue', 'requeue_after')
    }


@pytest.mark.parametrize(
    'component, labels',
    [
        (NotebookController, {'name'}),
        (TrainingOperator, {'name', 'controller'}),
        (Katib, {'name', 'controller', 'priority'}),
    ],
)
def test_labels_of_the_queue_depth_follow_the_release(component, labels):
    depth = [dict(key[1]) for key in samples(at_work(component).payload()) if key[0] == 'workqueue_depth']
    assert {frozenset(each) for each in depth} == {frozenset(labels)}


def test_notebooks_present_were_created():
    payload = at_work(NotebookController).payload()
    made = total(payload, 'notebook_create_total') - total(payload, 'notebook_create_failed_total')
    assert 0 < total(payload, 'notebook_running') <= made


def test_every_request_of_the_model_server_was_preprocessed():
    payload = at_work(KServe).payload()
    preprocessed, predicted, explained, postprocessed = (
        total(payload, f'request_{step}_seconds_count') for step in ('preprocess', 'predict', 'explain', 'postprocess')
    )
    assert preprocessed == predicted + explained
    assert postprocessed < preprocessed


def test_opencensus_counts_and_latencies_agree():
    payload = at_work(OpenCensusQueueProxy).payload()
    for at in ('request', 'app_request'):
        for code in ('200', '400', '404', '500'):
            labels = {'response_code': code, 'response_code_class': f'{code[0]}xx'}
            count = total(payload, f'revision_{at}_count', **labels)
            assert 0 < count == total(payload, f'revision_{at}_latencies_count', **labels)
    # Milliseconds: the mean of a model with a median of 30 ms.
    mean = total(payload, 'revision_app_request_latencies_sum') / total(payload, 'revision_app_request_count')
    assert 20 < mean < 100


def test_opentelemetry_histograms_agree():
    payload = at_work(OpenTelemetryQueueProxy).payload()
    served = total(payload, 'http_server_request_duration_seconds_count', kn_route_tag='kn:disabled')
    assert served == total(payload, 'http_server_request_duration_seconds_count')
    assert served == total(payload, 'http_server_request_body_size_bytes_count')
    assert served == total(payload, 'http_server_response_body_size_bytes_count')
    assert served == total(payload, 'kn_serving_invocation_duration_seconds_count')
    # The hop to the container has the sidecar's own probe too.
    assert total(payload, 'http_client_request_duration_seconds_count') == served + 1


def test_mlserver_times_successes_and_failures():
    payload = at_work(MLServer).payload()
    counted = sum(total(payload, f'model_infer_request_{outcome}_total') for outcome in ('success', 'failure'))
    assert counted == total(payload, 'model_infer_request_duration_count')
    assert counted == total(payload, 'rest_server_requests_total') + total(payload, 'grpc_server_started_total')
    assert total(payload, 'model_infer_request_failure_total', model=MLServer.UNKNOWN_MODEL) > 0


def test_argo_has_all_phases_at_once():
    values = samples(at_work(Argo, seconds=0).payload())
    phases = {key[1]: value for key, value in values.items() if key[0] == 'argo_workflows_gauge'}
    assert phases == {(('status', phase),): 0 for phase in Argo.PHASES}


def test_argo_counts_agree():
    payload = at_work(Argo).payload()
    entered = {phase: total(payload, 'argo_workflows_total_count', phase=phase) for phase in Argo.PHASES}
    finished = sum(entered[phase] for phase in Argo.FINISHED)
    assert finished == total(payload, 'argo_workflows_pipeline_run_duration_seconds_count')
    pending, running = (total(payload, 'argo_workflows_gauge', status=phase) for phase in ('Pending', 'Running'))
    assert entered['Pending'] == entered['Running'] + pending
    assert entered['Running'] == finished + running


def test_runs_are_the_same_for_the_pipelines_api_server():
    world = busy_world()
    argo, api_server = Argo(world), PipelinesAPIServer(world)
    world.step(600)
    succeeded = total(argo.payload(), 'argo_workflows_total_count', phase='Succeeded')
    assert total(api_server.payload(), 'resource_manager_workflow_runs_success') == succeeded
