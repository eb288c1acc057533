# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check against a KServe model server that runs, with requests whose effect on every count is known."""

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubeflow import KubeflowCheck
from runner.aggregator import Aggregator, CheckSampler

from .traffic import send, tensor

pytestmark = pytest.mark.slow

GOOD = {'instances': [[1, 2, 3]]}
V1_PREDICT = '/v1/models/toy:predict'
V2_INFER = '/v2/models/toy/infer'


# Path, body and the status that must come back. A request that reaches no model, or no body that can be read, is
# counted nowhere; a step that raises is counted, the steps after it are not.
REQUESTS = (
    (V1_PREDICT, GOOD, 200),
    (V1_PREDICT, GOOD, 200),
    (V1_PREDICT, GOOD, 200),
    (V1_PREDICT, {'instances': ['bad']}, 400),
    (V1_PREDICT, {'instances': ['boom']}, 500),
    ('/v1/models/toy:explain', GOOD, 200),
    ('/v1/models/nope:predict', GOOD, 404),
    (V1_PREDICT, '{"instances"', 400),
    (V2_INFER, tensor(3.0), 200),
    (V2_INFER, tensor(3.0), 200),
    (V2_INFER, tensor(-1.0), 500),
    (V2_INFER, {'nope': 1}, 422),
)

# What one round of REQUESTS adds to each metric.
COUNTS = {
    'kubeflow.kserve.inferences.count': 8,
    'kubeflow.kserve.inference.duration.seconds.count': 8,
    'kubeflow.kserve.preprocess.duration.seconds.count': 9,
    'kubeflow.kserve.postprocess.duration.seconds.count': 6,
    'kubeflow.kserve.explain.duration.seconds.count': 1,
}


@pytest.fixture
def check(kserve):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': kserve.metrics}])


@pytest.fixture
def sampler(check, aggregator, monkeypatch):
    """What the Agent makes of what the check submits: of a counter, how much was counted since the run before."""
    sampler, agent = CheckSampler(), Aggregator()
    agent.open(check.check_id, sampler)
    monkeypatch.setattr(aggregator, 'submit_metric', agent.submit_metric)
    monkeypatch.setattr(aggregator, 'submit_service_check', agent.submit_service_check)
    return sampler


def submitted(aggregator):
    """The value of each metric of COUNTS and whether it counts at first sight; all are of the model `toy` alone."""
    result = {}
    for name in COUNTS:
        stubs = aggregator.metrics(name)
        assert [[tag for tag in stub.tags if tag.startswith('model_name:')] for stub in stubs] == [['model_name:toy']]
        assert [stub.type for stub in stubs] == [aggregator.MONOTONIC_COUNT]
        result[name] = stubs[0].value, stubs[0].flush_first_value
    return result


def test_two_rounds_of_requests_are_counted_exactly(kserve, check, aggregator, dd_run_check):
    send(kserve.url, REQUESTS)
    dd_run_check(check)
    assert submitted(aggregator) == {name: (count, False) for name, count in COUNTS.items()}
    aggregator.assert_service_check(
        'kubeflow.openmetrics.health', AgentCheck.OK, tags=[f'endpoint:{kserve.metrics}'], count=1
    )

    aggregator.reset()
    send(kserve.url, REQUESTS)
    dd_run_check(check)
    assert submitted(aggregator) == {name: (2 * count, True) for name, count in COUNTS.items()}


def test_buckets_hold_the_inferences_that_took_at_most_their_bound(kserve, check, aggregator, dd_run_check):
    send(kserve.url, REQUESTS)
    dd_run_check(check)

    bounds = {}
    for stub in aggregator.metrics('kubeflow.kserve.inference.duration.seconds.bucket'):
        (bound,) = (tag.partition(':')[2] for tag in stub.tags if tag.startswith('upper_bound:'))
        bounds[float(bound)] = stub.value

    # The model takes 10 ms at least, and seconds would mean that the machine stands still.
    assert bounds[0.005] == 0
    assert bounds[10.0] == COUNTS['kubeflow.kserve.inferences.count']
    assert list(bounds.values()) == sorted(bounds.values())


def test_an_inference_over_grpc_counts_like_one_over_http(kserve, check, aggregator, dd_run_check):
    assert kserve.infer_over_grpc('toy', 3.0) == ['OK']
    dd_run_check(check)

    for step in ('preprocess', 'inference', 'postprocess'):
        (stub,) = aggregator.metrics(f'kubeflow.kserve.{step}.duration.seconds.count')
        assert stub.value == 1
        assert 'model_name:toy' in stub.tags


def test_a_failed_inference_over_grpc_counts_and_one_of_an_unknown_model_does_not(
    kserve, check, aggregator, dd_run_check
):
    assert kserve.infer_over_grpc('nope', 3.0) == ['NOT_FOUND']
    dd_run_check(check)
    assert not aggregator.metric_names

    assert kserve.infer_over_grpc('toy', -1.0, 3.0, -1.0) == ['INVALID_ARGUMENT', 'OK', 'INVALID_ARGUMENT']
    dd_run_check(check)
    for name, count in (
        ('kubeflow.kserve.inferences.count', 3),
        ('kubeflow.kserve.inference.duration.seconds.count', 3),
        ('kubeflow.kserve.preprocess.duration.seconds.count', 3),
        ('kubeflow.kserve.postprocess.duration.seconds.count', 1),
    ):
        aggregator.assert_metric(name, count, tags=['model_name:toy', f'endpoint:{kserve.metrics}'], count=1)


def test_a_server_that_has_gone_is_critical(kserve, check, aggregator, dd_run_check):
    dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.OK, count=1)

    aggregator.reset()
    kserve.stop()
    with pytest.raises(Exception, match=kserve.url):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.CRITICAL, count=1)
    assert not aggregator.metric_names


def test_counts_are_exact_when_the_server_starts_anew(kserve, check, sampler):
    def run():
        error = check.run()
        sampler.end_run()
        return error

    def send_and_run():
        send(kserve.url, REQUESTS)
        assert run() == ''

    # The first run only takes note of what was counted before it.
    send_and_run()
    send_and_run()

    # Between two runs the server starts anew: it counts from zero, so all that the next run finds is new.
    kserve.stop()
    kserve.start()
    send_and_run()
    send_and_run()

    # A run meets no server: the next one says itself since when it counts.
    kserve.stop()
    assert kserve.url in run()
    kserve.start()
    send_and_run()
    send_and_run()

    points = {}
    for each in sampler.series():
        ((_, value),) = each['points']
        assert value >= 0, each
        points.setdefault(each['metric'], []).append(value)
    for name, count in COUNTS.items():
        assert points[name] == [count] * 5, name
