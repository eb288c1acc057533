# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check against an MLServer that runs, with requests whose effect on every count is known."""

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.kubeflow import KubeflowCheck

from .traffic import send, tensor

pytestmark = pytest.mark.slow

INFER = '/v2/models/toy/infer'

# Path, body and the status that must come back. An unknown model counts as one that failed, a body that is no inference
# is counted nowhere.
REQUESTS = (
    (INFER, tensor(3.0), 200),
    (INFER, tensor(3.0), 200),
    (INFER, tensor(3.0), 200),
    ('/v2/models/toy/versions/v1/infer', tensor(3.0), 200),
    (INFER, tensor(-1.0), 500),
    ('/v2/models/nope/infer', tensor(3.0), 404),
    (INFER, {'x': 1}, 422),
)

GRPC_REQUESTS = (
    ('toy', 3.0, 'OK'),
    ('toy', 3.0, 'OK'),
    ('toy', -1.0, 'INTERNAL'),
)

INFERENCES = 'kubeflow.kserve.inferences.count'
ERRORS = 'kubeflow.kserve.inference.errors.count'
DURATION_COUNT = 'kubeflow.kserve.inference.duration.seconds.count'
DURATION_SUM = 'kubeflow.kserve.inference.duration.seconds.sum'

# MLServer's version is that of the request: `None` over HTTP and empty over gRPC where the request names none.
UNVERSIONED = ('model_name:toy', 'model_version:None')
VERSIONED = ('model_name:toy', 'model_version:v1')
OVER_GRPC = ('model_name:toy',)
UNKNOWN = ('model_name:nope', 'model_version:None')

# What one round of all requests adds to each series.
COUNTS = {
    INFERENCES: {UNVERSIONED: 4, VERSIONED: 1, OVER_GRPC: 3, UNKNOWN: 1},
    ERRORS: {UNVERSIONED: 1, VERSIONED: 0, OVER_GRPC: 1, UNKNOWN: 1},
    DURATION_COUNT: {UNVERSIONED: 4, VERSIONED: 1, OVER_GRPC: 3, UNKNOWN: 1},
}


def send_round(mlserver):
    send(mlserver.url, REQUESTS)
    statuses = mlserver.infer_over_grpc('toy', *(value for _, value, _ in GRPC_REQUESTS))
    assert statuses == [status for *_, status in GRPC_REQUESTS]


@pytest.fixture
def check(mlserver):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': mlserver.metrics}])


def submitted(aggregator, name, endpoint):
    """The values of a metric by their tags without that of the endpoint, and whether they count at first sight."""
    stubs = aggregator.metrics(name)
    assert {stub.type for stub in stubs} == {aggregator.MONOTONIC_COUNT}
    values = {tuple(sorted(set(stub.tags) - {f'endpoint:{endpoint}'})): stub.value for stub in stubs}
    assert len(values) == len(stubs)
    return values, {stub.flush_first_value for stub in stubs}


def test_two_rounds_of_requests_are_counted_exactly(mlserver, check, aggregator, dd_run_check):
    for rounds, flush_first_value in ((1, False), (2, True)):
        aggregator.reset()
        send_round(mlserver)
        dd_run_check(check)

        for name, counts in COUNTS.items():
            expected = {tags: rounds * count for tags, count in counts.items()}
            assert submitted(aggregator, name, mlserver.metrics) == (expected, {flush_first_value}), name
        aggregator.assert_service_check(
            'kubeflow.openmetrics.health', AgentCheck.OK, tags=[f'endpoint:{mlserver.metrics}'], count=1
        )


def test_the_time_of_inferences_is_in_seconds(mlserver, check, aggregator, dd_run_check):
    send_round(mlserver)
    dd_run_check(check)

    sums, _ = submitted(aggregator, DURATION_SUM, mlserver.metrics)
    assert sums.keys() == COUNTS[DURATION_COUNT].keys()
    for tags in (UNVERSIONED, VERSIONED, OVER_GRPC):
        count = COUNTS[DURATION_COUNT][tags]
        # The model takes 10 ms at least, and seconds would mean that the machine stands still.
        assert 0.01 * count <= sums[tags] < 10 * count


def test_requests_of_its_servers_are_not_counted_beside_those_of_its_models(mlserver, check, aggregator, dd_run_check):
    send_round(mlserver)
    dd_run_check(check)

    assert set(aggregator.metric_names) == {*COUNTS, DURATION_SUM}
    (scraper,) = check.scrapers.values()
    assert scraper.report.components == ('mlserver',)
    assert not check.get_warnings()


def test_the_port_of_inferences_has_no_metrics(mlserver, aggregator, dd_run_check):
    endpoint = f'{mlserver.url}/metrics'
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': endpoint}])

    with pytest.raises(
        Exception, match=f"404 Client Error: Not Found for url: {endpoint}. Likely cause: .* MLServer's port is 8082"
    ):
        dd_run_check(check)

    (health,) = aggregator.service_checks('kubeflow.openmetrics.health')
    assert health.status == AgentCheck.CRITICAL
    assert health.tags == [f'endpoint:{endpoint}']
    assert f'404 Client Error: Not Found for url: {endpoint}' in health.message
    assert not aggregator.metric_names
