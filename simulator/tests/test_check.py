# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the check makes of each simulated exposition."""

import pytest

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue

from ..components import KServe
from .samples import FORMS, payload_of

ENDPOINT = 'http://component:8080/metrics'

DOCUMENTED = {name for entry in load_catalogue().metrics if entry.documented for name in entry.submitted_names()}


def histogram(name):
    return [f'{name}.{part}' for part in ('bucket', 'count', 'sum')]


INFERENCES = ['kserve.inferences.count', *histogram('kserve.inference.duration.seconds')]
RUNS = ['pipeline.run.status', *histogram('pipeline.run.duration.seconds')]
OPENCENSUS = [*INFERENCES, 'kserve.inference.errors.count']
OPENTELEMETRY = [
    *OPENCENSUS,
    *histogram('kserve.inference.request.bytes'),
    *histogram('kserve.inference.response.bytes'),
]
EXPECTED = {
    'Katib': [
        'katib.controller.reconcile.count',
        *histogram('katib.controller.reconcile.duration.seconds'),
        *(
            f'katib.{kind}.{event}'
            for kind in ('experiment', 'trial')
            for event in ('created.count', 'succeeded.count', 'failed.count', 'running.total')
        ),
    ],
    'NotebookController': [
        'notebook.server.created.count',
        'notebook.server.failed.count',
        'notebook.server.running.total',
        'notebook.server.reconcile.count',
        *histogram('notebook.server.reconcile.duration.seconds'),
    ],
    'KServe': INFERENCES,
    'OpenCensusQueueProxy': OPENCENSUS,
    'OpenTelemetryQueueProxy': OPENTELEMETRY,
    'OpenCensusQpext': OPENCENSUS,
    'OpenTelemetryQpext': OPENTELEMETRY,
    'MLServer': [
        'kserve.inferences.count',
        'kserve.inference.duration.seconds.count',
        'kserve.inference.duration.seconds.sum',
        'kserve.inference.errors.count',
    ],
    'LegacyArgo': RUNS,
    'Argo': RUNS,
}


@pytest.mark.parametrize('component, release', FORMS)
def test_the_check_recognises_it_and_submits_what_it_owes(
    component, release, aggregator, dd_run_check, mock_http_response
):
    mock_http_response(payload_of(component, release), headers={'Content-Type': component.dialect.content_type})
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}])
    dd_run_check(check)
    (scraper,) = check.scrapers.values()
    recognised = {component.id, KServe.id} if component.__name__.endswith('Qpext') else {component.id}
    assert set(scraper.report.components) == recognised
    documented = {f'kubeflow.{name}' for name in EXPECTED.get(component.__name__, [])}
    assert DOCUMENTED & set(aggregator.metric_names) == documented
    assert check.warnings == []
