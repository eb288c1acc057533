# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The list that `agent check --json` prints."""

from typing import Any

from .execution import CHECK, Execution
from .status import inventory


def json_report(execution: Execution) -> dict[str, Any]:
    """The object of one instance, in the shape that datadog_checks.dev replays.

    Keys of `aggregator` with nothing in them are absent.
    """
    sampler = execution.sampler
    collected = {
        'metrics': sampler.series(),
        'sketches': sampler.sketches(),
        'service_checks': sampler.service_checks,
        'events': sampler.events,
    }
    return {
        'aggregator': {key: entries for key, entries in collected.items() if entries},
        'runner': _runner(execution),
        'inventories': {CHECK: inventory(execution)},
    }


def _runner(execution: Execution) -> dict[str, Any]:
    stats = execution.stats
    return {
        'CheckName': CHECK,
        'CheckVersion': execution.version,
        'CheckConfigSource': execution.instance.source,
        'CheckID': execution.check_id,
        'TotalRuns': stats.total_runs,
        'TotalErrors': stats.total_errors,
        'TotalWarnings': stats.total_warnings,
        'MetricSamples': stats.last_run.metric_samples,
        'Events': stats.last_run.events,
        'ServiceChecks': stats.last_run.service_checks,
        'HistogramBuckets': stats.last_run.histogram_buckets,
        'TotalMetricSamples': stats.total.metric_samples,
        'TotalEvents': stats.total.events,
        'TotalServiceChecks': stats.total.service_checks,
        'TotalHistogramBuckets': stats.total.histogram_buckets,
        'ExecutionTimes': stats.execution_times,
        'AverageExecutionTime': stats.average_time,
        'LastExecutionTime': stats.execution_times[-1],
        'LastSuccessDate': stats.last_success_date,
        'LastError': stats.last_error,
        'LastWarnings': stats.last_warnings,
        'UpdateTimestamp': stats.last_date,
    }
