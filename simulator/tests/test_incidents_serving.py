# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Incidents of model servers and of notebooks."""

from itertools import pairwise

import pytest

from ..components import (
    KServe,
    MLServer,
    NotebookController,
    OpenCensusQpext,
    OpenCensusQueueProxy,
    OpenTelemetryQpext,
    OpenTelemetryQueueProxy,
)
from ..controller_runtime import backoff
from ..events import NotebookAttempt
from ..incidents import incident
from ..workloads import busy_world
from ..workloads.notebooks import Notebooks
from ..workloads.traffic import AGGREGATED, KSERVE, MLSERVER, OPENCENSUS, OPENTELEMETRY
from ..world import Incident
from .struck import Struck, forms_of
from .test_workloads import alone, histories

OLD_SIDECARS = (OpenCensusQueueProxy, OpenCensusQpext)
SIDECARS = (OpenTelemetryQueueProxy, OpenTelemetryQpext)
SERVERS = {
    KServe: KSERVE,
    OpenCensusQueueProxy: OPENCENSUS,
    OpenTelemetryQueueProxy: OPENTELEMETRY,
    MLServer: MLSERVER,
    OpenCensusQpext: AGGREGATED,
    OpenTelemetryQpext: AGGREGATED,
}
FORMS = forms_of(*SERVERS)


def sidecar_shares(component, growth):
    """Of a sidecar, the share of the requests answered with 5xx by each of its families."""
    if isinstance(component, OLD_SIDECARS):
        for name in ('revision_request_count', 'revision_app_request_count', 'revision_app_request_latencies_count'):
            yield growth(name, response_code_class='5xx') / growth(name)
    elif isinstance(component, SIDECARS):
        name = 'http_server_request_duration_seconds_count'
        yield growth(name, http_response_status_code='500') / growth(name)
        name = 'kn_serving_invocation_duration_seconds_count'
        yield growth(name, http_response_status_code='500') / growth(name)


def error_shares(component, growth):
    """The share of the requests that failed, by each family that tells."""
    yield from sidecar_shares(component, growth)
    model = SERVERS[type(component)].name
    if isinstance(component, MLServer):
        failures = growth('model_infer_request_failure_total', model=model)
        yield failures / (failures + growth('model_infer_request_success_total', model=model))
        name = 'rest_server_requests_total'
        yield growth(name, status_code='500') / growth(name)
    elif isinstance(component, (KServe, OpenCensusQpext, OpenTelemetryQpext)):
        # The Python server has no count of errors; who fails does not come to the last step.
        began = growth('request_preprocess_seconds_count', model_name=model)
        yield 1 - growth('request_postprocess_seconds_count', model_name=model) / began


def test_models_answer_with_errors():
    for component, *growths in Struck('inference-errors', FORMS).phases():
        before, during, after = ([*error_shares(component, growth)] for growth in growths)
        assert before, component.title
        assert max(before + after) < 0.12, component.title
        assert 0.5 < min(during) <= max(during) < 0.66, component.title


def mean_seconds(component, growth):
    """The mean time of predictions, or of whole requests, by each family that tells."""
    if isinstance(component, OLD_SIDECARS):
        for name in ('revision_request_latencies', 'revision_app_request_latencies'):
            yield growth(f'{name}_sum') / growth(f'{name}_count') / 1000
    elif isinstance(component, SIDECARS):
        for name in ('http_server_request_duration_seconds', 'kn_serving_invocation_duration_seconds'):
            yield growth(f'{name}_sum') / growth(f'{name}_count')
    model = SERVERS[type(component)].name
    if isinstance(component, MLServer):
        name = 'model_infer_request_duration'
        yield growth(f'{name}_sum', model=model) / growth(f'{name}_count', model=model)
        for name in ('rest_server_request_duration_seconds', 'grpc_server_handling_seconds'):
            yield growth(f'{name}_sum') / growth(f'{name}_count')
    elif isinstance(component, (KServe, OpenCensusQpext, OpenTelemetryQpext)):
        for name in ('request_predict_seconds', 'request_explain_seconds'):
            yield growth(f'{name}_sum', model_name=model) / growth(f'{name}_count', model_name=model)


def test_models_are_slow():
    for component, *growths in Struck('inference-latency', FORMS).phases():
        before, during, after = ([*mean_seconds(component, growth)] for growth in growths)
        assert before, component.title
        assert max(before + after) < 0.3, component.title
        # The few requests of which the model knows nothing are as fast as ever.
        assert 2.5 < min(during) <= max(during) < 3.5, component.title


@pytest.mark.parametrize('name', ['inference-errors', 'inference-latency'])
def test_other_models_of_the_server_are_well(name):
    case = Struck(name, [(KServe, '0.16')], models=3)
    struck = case.culprit['model']
    case.begin()
    (growth,) = case.growth()
    for model in KSERVE.models(case.world):
        mean = growth('request_predict_seconds_sum', model_name=model) / growth(
            'request_predict_seconds_count', model_name=model
        )
        failed = 1 - growth('request_postprocess_seconds_count', model_name=model) / growth(
            'request_preprocess_seconds_count', model_name=model
        )
        assert (mean > 2) == (model == struck and name == 'inference-latency')
        assert (failed > 0.5) == (model == struck and name == 'inference-errors')


def test_no_statefulset_of_a_namespace_is_created():
    case = Struck('notebook-creation-failing', forms_of(NotebookController))
    struck = case.culprit
    attempts = []
    case.world.listen(NotebookAttempt, attempts.append)
    case.growth()
    attempts.clear()
    case.begin()
    growths = case.growth()
    failed = sum(each.failed for each in attempts if each.namespace == struck['namespace'])
    assert failed == sum(each.namespace == struck['namespace'] for each in attempts) > 200
    others = sum(each.failed for each in attempts) - failed
    for growth in growths:
        assert growth('notebook_create_total', **struck) == failed
        assert growth('notebook_create_failed_total', **struck) == failed
        assert growth('notebook_create_failed_total') == failed + others
        # Besides these there are the usual conflicts.
        errors = growth('controller_runtime_reconcile_errors_total', controller='notebook')
        assert failed + others < errors < failed + others + 60
        assert growth('workqueue_retries_total', name='notebook') == errors
        assert growth('controller_runtime_reconcile_errors_total', controller='Culler') < 40
        for namespace in {'team-nlp', 'team-tabular'} - {struck['namespace']}:
            assert growth('notebook_create_failed_total', namespace=namespace) < 30
    case.end()
    # What backed off for long comes last.
    case.world.step(1000)
    attempts.clear()
    for growth in case.growth():
        assert growth('notebook_create_failed_total', **struck) < 30
        assert growth('notebook_create_total', **struck) - growth('notebook_create_failed_total', **struck) > 30


def test_a_refused_statefulset_is_tried_again_later_and_later():
    # So slow that there is one notebook.
    world = alone(Notebooks, namespaces=240_000)
    world.begin(Incident('notebook-creation-failing', '', ({'namespace': 'a'},)))
    times = []
    world.listen(NotebookAttempt, lambda attempt: times.append((world.now, attempt.failed)))
    world.step(4000)
    assert all(failed for _, failed in times)
    waits = [later - earlier for (earlier, _), (later, _) in pairwise(times)]
    assert waits == pytest.approx([backoff(failures) for failures in range(len(waits))])
    assert waits[-1] == pytest.approx(1000)
    notebooks = histories(world, 'notebook')
    world.end('notebook-creation-failing')
    world.step(1000)
    assert times[-1] == (pytest.approx(times[-2][0] + 1000), False)
    assert [phases[0] for phases in notebooks.values()] == ['Waiting']


def test_requests_are_the_same_but_for_what_befalls_them():
    """So that counts of requests in an incident can be compared with those without it."""
    numbers = []
    for name in (None, 'inference-errors', 'inference-latency'):
        world = busy_world()
        proxy = OpenTelemetryQueueProxy(world, '1.21')
        if name:
            world.begin(incident(name, world))
        world.step(300)
        numbers.append(
            [
                line.rpartition(' ')[2]
                for line in proxy.payload().splitlines()
                if line.startswith('http_client_request_body_size_bytes_sum')
            ]
        )
    assert sum(map(float, numbers[0])) == sum(map(float, numbers[1])) == sum(map(float, numbers[2])) > 0
