# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check against a KServe model server that runs, with requests whose effect on every count is known."""

import json
import subprocess
import urllib.error
import urllib.request

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubeflow import KubeflowCheck

GOOD = {'instances': [[1, 2, 3]]}
V1_PREDICT = '/v1/models/toy:predict'
V2_INFER = '/v2/models/toy/infer'


def tensor(value):
    return {'inputs': [{'name': 'x', 'shape': [1], 'datatype': 'FP64', 'data': [value]}]}


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

GRPC_INFER = '''
import asyncio
import sys

from kserve import InferenceGRPCClient, InferInput, InferRequest


async def main():
    async with InferenceGRPCClient(url=sys.argv[1]) as client:
        tensor = InferInput('x', [1], 'FP64', data=[3.0])
        await client.infer(InferRequest(model_name='toy', infer_inputs=[tensor]))


asyncio.run(main())
'''


def post(url, body):
    """Send `body`, a string as it is and anything else as JSON; returns the status of the answer."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def send_round(kserve):
    for path, body, status in REQUESTS:
        assert post(kserve.url + path, body) == status, (path, body)


@pytest.fixture
def check(kserve):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': f'{kserve.url}/metrics'}])


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
    send_round(kserve)
    dd_run_check(check)
    assert submitted(aggregator) == {name: (count, False) for name, count in COUNTS.items()}
    aggregator.assert_service_check(
        'kubeflow.openmetrics.health', AgentCheck.OK, tags=[f'endpoint:{kserve.url}/metrics'], count=1
    )

    aggregator.reset()
    send_round(kserve)
    dd_run_check(check)
    assert submitted(aggregator) == {name: (2 * count, True) for name, count in COUNTS.items()}


def test_buckets_hold_the_inferences_that_took_at_most_their_bound(kserve, check, aggregator, dd_run_check):
    send_round(kserve)
    dd_run_check(check)

    bounds = {}
    for stub in aggregator.metrics('kubeflow.kserve.inference.duration.seconds.bucket'):
        (bound,) = (tag.partition(':')[2] for tag in stub.tags if tag.startswith('upper_bound:'))
        bounds[float(bound)] = stub.value

    # The model takes 10 ms at least, and seconds would mean that the machine stands still.
    assert bounds[0.005] == 0
    assert bounds[10.0] == COUNTS['kubeflow.kserve.inferences.count']
    assert list(bounds.values()) == sorted(bounds.values())


def test_an_inference_over_grpc_counts_like_one_over_http(kserve, kserve_python, check, aggregator, dd_run_check):
    subprocess.run([kserve_python, '-c', GRPC_INFER, kserve.grpc], check=True, timeout=60)
    dd_run_check(check)

    for step in ('preprocess', 'inference', 'postprocess'):
        (stub,) = aggregator.metrics(f'kubeflow.kserve.{step}.duration.seconds.count')
        assert stub.value == 1
        assert 'model_name:toy' in stub.tags


def test_a_server_that_has_gone_is_critical(kserve, check, aggregator, dd_run_check):
    dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.OK, count=1)

    aggregator.reset()
    kserve.stop()
    with pytest.raises(Exception, match=kserve.url):
        dd_run_check(check)
    aggregator.assert_service_check('kubeflow.openmetrics.health', AgentCheck.CRITICAL, count=1)
    assert not aggregator.metric_names
