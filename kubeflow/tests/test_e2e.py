# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check against a Kubeflow in a kind cluster, see kind/README.md.

Every endpoint is scraped twice over: through forwarded ports by the check in this process, and by an Agent.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from datadog_checks.base import AgentCheck
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.dev.utils import get_metadata_metrics
from datadog_checks.kubeflow import KubeflowCheck

from .kind.cluster import AGENT_IN_CLUSTER, STATE
from .kind.expected import Exceptions, differences, exceptions
from .kind.plan import OPTIONS, ROOT, Plan, read_plan

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures('dd_environment')]

DISCOVERY_SECONDS = 120
HEALTH = 'kubeflow.openmetrics.health'


@dataclass(frozen=True)
class Environment:
    """The plan of the cluster, and the options by which this process reaches its endpoints, by endpoint."""

    plan: Plan
    instances: Mapping[str, Mapping]


@pytest.fixture
def environment(dd_environment, dd_get_state):
    state = dd_get_state(STATE)
    return Environment(read_plan(state['environment'], state['version']), state['instances'])


@pytest.fixture
def upstream(environment):
    if environment.plan.environment != 'upstream':
        pytest.skip('about what released components do')
    return environment


def scraped(environment: Environment) -> dict[str, KubeflowCheck]:
    """The check of each endpoint after two runs, since a count is only submitted once it has been seen before."""
    checks = {}
    for endpoint in environment.plan.endpoints:
        check = KubeflowCheck('kubeflow', {}, [dict(environment.instances[endpoint.name])])
        for _ in range(2):
            error = check.run()
            assert not error, f'{endpoint.name}: {json.loads(error)[0]["message"]}'
        checks[endpoint.name] = check
    return checks


def known_exceptions(environment: Environment, aggregator: AggregatorStub) -> Exceptions:
    """What need not arrive. Of the simulator that is whatever this process does not simulate either."""
    metadata = get_metadata_metrics()
    if environment.plan.environment == 'upstream':
        return exceptions(metadata, environment.plan.version)
    simulated = simulated_here(environment.plan.version, aggregator)
    return Exceptions(absent={}, unsure=dict.fromkeys(metadata.keys() - simulated, 'not simulated so far'))


def simulated_here(version: str, aggregator: AggregatorStub) -> set[str]:
    """The metrics that the same simulated release yields in this process."""
    from simulator.releases import deployments
    from simulator.server import Simulator

    aggregator.reset()
    with Simulator(deployments=deployments(version), speed=None) as simulator:
        for endpoint in simulator.endpoints:
            check = KubeflowCheck('kubeflow', {}, [{**endpoint.instance, **OPTIONS}])
            for _ in range(2):
                error = check.run()
                assert not error, f'{endpoint.name}: {json.loads(error)[0]["message"]}'
    names = set(aggregator.metric_names)
    aggregator.reset()
    return names


def assert_symmetric(aggregator: AggregatorStub, known: Exceptions) -> None:
    """Every row of metadata.csv has arrived, or has its exception; nothing has arrived without a row, or as another
    type."""
    metadata = get_metadata_metrics()
    assert not differences(aggregator.metric_names, metadata, known)
    aggregator.assert_metrics_using_metadata(
        {name: row for name, row in metadata.items() if name in aggregator.metric_names},
        check_symmetric_inclusion=True,
    )


def test_every_endpoint_answers_and_is_recognised(environment, aggregator):
    checks = scraped(environment)

    unrecognised = {}
    for endpoint in environment.plan.endpoints:
        (scraper,) = checks[endpoint.name].scrapers.values()
        # An aggregated port is two components.
        if endpoint.component not in scraper.report.components:
            unrecognised[endpoint.name] = scraper.report.components
    assert unrecognised == {}
    assert {name: check.warnings for name, check in checks.items() if check.warnings} == {}
    aggregator.assert_service_check(HEALTH, AgentCheck.OK, count=2 * len(checks))


def test_what_arrives_through_forwarded_ports_is_what_metadata_says(environment, aggregator):
    known = known_exceptions(environment, aggregator)
    scraped(environment)

    assert_symmetric(aggregator, known)


def test_what_arrives_from_the_agent_is_what_metadata_says(environment, aggregator, request, monkeypatch):
    known = known_exceptions(environment, aggregator)
    # From elsewhere ddev, which the fixtures start, does not find the integration.
    monkeypatch.chdir(ROOT)
    if AGENT_IN_CLUSTER:
        # Without an instance of its own the Agent has what it finds: by auto_conf.yaml and by annotations.
        agent_check = request.getfixturevalue('dd_agent_check_discovery')
        agent_check(
            rate=True,
            # One for each endpoint.
            discovery_min_instances=len(environment.plan.endpoints),
            discovery_timeout=DISCOVERY_SECONDS,
        )
    else:
        request.getfixturevalue('dd_agent_check')(rate=True)

    assert_symmetric(aggregator, known)
    aggregator.assert_service_check(HEALTH, AgentCheck.OK)


def test_what_the_workloads_did_is_seen(upstream, aggregator):
    scraped(upstream)

    def tags(name: str, key: str) -> set[str]:
        return {
            tag.partition(':')[2] for sample in aggregator.metrics(name) for tag in sample.tags if tag.startswith(key)
        }

    assert tags('kubeflow.katib.experiments.current', 'status:') >= {'Succeeded', 'Failed'}
    assert tags('kubeflow.katib.trials.current', 'status:') >= {'Succeeded', 'Failed', 'MetricsUnavailable'}
    assert tags('kubeflow.katib.experiment.running.total', 'namespace:') == {'kubeflow-e2e'}
    assert tags('kubeflow.training.job.failed.count', 'framework:') == {'pytorch'}
    assert tags('kubeflow.notebook.server.failed.count', 'namespace:') == {'kubeflow-e2e-quota'}
    assert tags('kubeflow.kserve.inferences.count', 'model_name:') >= {'sklearn-raw', 'sklearn-knative'}
    assert tags('kubeflow.pipeline.run.duration.seconds.count', 'status:') == {'Succeeded', 'Failed'}
    # Argo says every phase, also those that no workflow is in.
    statuses = tags('kubeflow.pipeline.run.status', 'status:')
    assert statuses == {'Pending', 'Running', 'Succeeded', 'Failed', 'Error'}
