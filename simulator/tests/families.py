# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The families each component exposes once everything has happened, by raw name, without those of its process."""

COUNTER, GAUGE, HISTOGRAM, SUMMARY = 'counter', 'gauge', 'histogram', 'summary'


def of(kind, names):
    return dict.fromkeys(names.split(), kind)


def prefixed(prefix, kind, names):
    return {f'{prefix}{name}': kind for name in names.split()}


def dated(families):
    """prometheus_client adds the moment of creation to each family that counts."""
    stems = [name.removesuffix('_total') for name, kind in families.items() if kind != GAUGE]
    return {**families, **{f'{stem}_created': GAUGE for stem in stems}}


def controller_runtime(release):
    families = {
        **prefixed('controller_runtime_', COUNTER, 'reconcile_total reconcile_errors_total'),
        **prefixed('controller_runtime_', GAUGE, 'active_workers max_concurrent_reconciles'),
        'controller_runtime_reconcile_time_seconds': HISTOGRAM,
        'rest_client_requests_total': COUNTER,
        **prefixed('workqueue_', COUNTER, 'adds_total retries_total'),
        **prefixed('workqueue_', GAUGE, 'depth longest_running_processor_seconds unfinished_work_seconds'),
        **prefixed('workqueue_', HISTOGRAM, 'queue_duration_seconds work_duration_seconds'),
    }
    if release >= (0, 12):
        families |= prefixed('certwatcher_read_certificate_', COUNTER, 'total errors_total')
    if release >= (0, 19):
        families |= prefixed(
            'controller_runtime_',
            COUNTER,
            'terminal_reconcile_errors_total reconcile_panics_total webhook_panics_total',
        )
    return families


WEBHOOKS = {
    'controller_runtime_webhook_requests_total': COUNTER,
    'controller_runtime_webhook_requests_in_flight': GAUGE,
    'controller_runtime_webhook_latency_seconds': HISTOGRAM,
}
KATIB = {
    **prefixed('katib_experiment_', COUNTER, 'created_total deleted_total failed_total succeeded_total'),
    **prefixed('katib_trial_', COUNTER, 'created_total deleted_total failed_total succeeded_total'),
    'katib_trial_metrics_unavailable_total': COUNTER,
    **prefixed('katib_', GAUGE, 'experiments_current trials_current'),
    **WEBHOOKS,
}
TRAINING = prefixed(
    'training_operator_jobs_', COUNTER, 'created_total deleted_total successful_total failed_total restarted_total'
)
NOTEBOOK = {**of(COUNTER, 'notebook_create_total notebook_create_failed_total'), 'notebook_running': GAUGE}
MONITORED = of(COUNTER, 'request_kf request_kf_failure service_heartbeat')

STEPS = prefixed('request_', HISTOGRAM, 'preprocess_seconds postprocess_seconds predict_seconds explain_seconds')
OPENCENSUS = {
    **prefixed('revision_', COUNTER, 'request_count app_request_count'),
    **prefixed('revision_', HISTOGRAM, 'request_latencies app_request_latencies'),
    'revision_queue_depth': GAUGE,
}
OPENTELEMETRY = {
    **prefixed('http_server_', HISTOGRAM, 'request_duration_seconds request_body_size_bytes response_body_size_bytes'),
    **prefixed('http_client_', HISTOGRAM, 'request_duration_seconds request_body_size_bytes'),
    'kn_serving_invocation_duration_seconds': HISTOGRAM,
    **of(GAUGE, 'kn_serving_queue_depth target_info'),
}
MLSERVER = {
    **dated(
        {
            **prefixed('model_infer_request_', COUNTER, 'success_total failure_total'),
            'model_infer_request_duration': SUMMARY,
            **prefixed('grpc_server_', COUNTER, 'handled_total started_total'),
            'grpc_server_handling_seconds': HISTOGRAM,
            'rest_server_requests_total': COUNTER,
            'rest_server_request_duration_seconds': HISTOGRAM,
        }
    ),
    # Without a sample, hence without a moment of creation.
    **prefixed('grpc_server_', COUNTER, 'msg_received_total msg_sent_total'),
    'grpc_server_handled_latency_seconds': HISTOGRAM,
    'rest_server_requests_in_progress': GAUGE,
}

PIPELINES = {
    **of(
        COUNTER,
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
        resource_manager_workflow_gc""",
    ),
    **of(
        GAUGE,
        """run_server_run_count job_server_job_count pipeline_server_pipeline_count
        pipeline_server_pipeline_version_count experiment_server_run_count
        resource_manager_workflow_runs_success resource_manager_workflow_runs_failed""",
    ),
}
PIPELINES_2_16 = {
    **PIPELINES,
    'resource_manager_recurring_run_report_gap': HISTOGRAM,
    **prefixed('grpc_server_', COUNTER, 'started_total msg_received_total msg_sent_total handled_total'),
    'grpc_server_handling_seconds': HISTOGRAM,
}
SCHEDULES = {
    'process_scheduled_workflow_duration_seconds': HISTOGRAM,
    'scheduled_workflow_duration_operation_seconds': HISTOGRAM,
    'scheduled_workflow_queue_size': GAUGE,
    'scheduled_workflow_throughput_total': COUNTER,
}

ARGO = {
    **prefixed('argo_workflows_', HISTOGRAM, 'operation_duration_seconds pipeline_run_duration_seconds queue_latency'),
    **prefixed('argo_workflows_', COUNTER, 'error_count k8s_request_total queue_adds_count'),
    **prefixed('argo_workflows_', GAUGE, 'workers_busy_count workflow_condition'),
}
ARGO_3_5 = {
    **ARGO,
    **prefixed('argo_workflows_', GAUGE, 'count pods_count queue_depth_count'),
    **of(COUNTER, 'argo_workflows_workflows_processed_count log_messages'),
    'argo_pod_missing': GAUGE,
}
ARGO_3_6 = {
    **ARGO,
    **prefixed('argo_workflows_', GAUGE, 'gauge pods_gauge queue_depth_gauge is_leader'),
    **prefixed('argo_workflows_', GAUGE, 'queue_longest_running queue_unfinished_work'),
    **prefixed('argo_workflows_', COUNTER, 'total_count pods_total_count pod_pending_count pod_missing'),
    **prefixed('argo_workflows_', COUNTER, 'log_messages queue_retries version'),
}

# By class, and by the first release for which it holds.
FAMILIES = {
    'Katib': {
        (0, 17): {**KATIB, **controller_runtime((0, 17))},
        (0, 18): {**KATIB, **controller_runtime((0, 19))},
        (0, 19): {**KATIB, **controller_runtime((0, 22))},
    },
    'TrainingOperator': {
        (1, 8): {**TRAINING, **controller_runtime((0, 17))},
        (1, 9): {**TRAINING, **controller_runtime((0, 19))},
    },
    'NotebookController': {(1, 9): {**NOTEBOOK, **controller_runtime((0, 11))}},
    'ProfileController': {(1, 9): {**MONITORED, **controller_runtime((0, 12))}},
    'Kfam': {(1, 9): MONITORED},
    'TensorboardController': {(1, 9): controller_runtime((0, 11))},
    'KServe': {(0, 13): dated(STEPS)},
    'OpenCensusQueueProxy': {(1, 12): OPENCENSUS},
    'OpenTelemetryQueueProxy': {(1, 21): OPENTELEMETRY},
    'OpenCensusQpext': {(0, 13): {**OPENCENSUS, **dated(STEPS)}},
    'OpenTelemetryQpext': {(0, 17): {**OPENTELEMETRY, **dated(STEPS)}},
    'MLServer': {(1, 3): MLSERVER},
    'PipelinesAPIServer': {(2, 3): PIPELINES, (2, 16): PIPELINES_2_16},
    'ScheduledWorkflowController': {(2, 16): SCHEDULES},
    'LegacyArgo': {(3, 4): ARGO_3_5},
    'Argo': {(3, 6): ARGO_3_6},
}


def families(component, release):
    """The families of that class in that release, by raw name."""
    number = tuple(map(int, release.split('.')))
    by_release = FAMILIES[component.__name__]
    return by_release[max(first for first in by_release if first <= number)]
