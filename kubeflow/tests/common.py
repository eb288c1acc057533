# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fixtures, and what the check submits for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.dev.http import MockResponse
from datadog_checks.kubeflow import KubeflowCheck

from .fixtures import NOW

FIXTURES_DIRECTORY = Path(__file__).parent / 'fixtures'
FIXTURES = sorted(path.parent.name for path in FIXTURES_DIRECTORY.glob('*/metrics.txt'))
METADATA = Path(__file__).parent.parent / 'metadata.csv'

# No program answers there: the response is a fixture.
ENDPOINT = 'http://component:8080/metrics'
ENDPOINT_TAG = f'endpoint:{ENDPOINT}'

TEXT = 'text/plain; version=0.0.4; charset=utf-8'
OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

STATUSES = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')


@dataclass(frozen=True)
class Sample:
    """A submitted sample: `type` is the submission's (`monotonic_count`, `gauge`…), tags are without the endpoint's."""

    name: str
    type: str
    value: float
    tags: tuple[str, ...]


@dataclass
class Run:
    """All that one run of the check submitted, in its order."""

    samples: list[Sample] = field(default_factory=list)
    service_checks: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    components: tuple[str, ...] = ()
    # For each fed metric of the catalogue the raw families that fed it.
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        """The values of one metric by their sorted tags."""
        return {tuple(sorted(sample.tags)): sample.value for sample in self.samples if sample.name == name}


def exposition(fixture: str) -> str:
    return (FIXTURES_DIRECTORY / fixture / 'metrics.txt').read_text(encoding='utf-8')


def instance_of(fixture: str) -> dict:
    """The options a fixture is run with, from its `instance.yaml` if it has one."""
    path = FIXTURES_DIRECTORY / fixture / 'instance.yaml'
    return {
        'openmetrics_endpoint': ENDPOINT,
        **(yaml.safe_load(path.read_text(encoding='utf-8')) if path.exists() else {}),
    }


def run_check(monkeypatch: pytest.MonkeyPatch, aggregator: AggregatorStub, text: str, instance: Mapping) -> Run:
    """Run the check once at the fixtures' time, where the endpoint answers with `text`."""
    run = Run()
    types = AggregatorStub.METRIC_ENUM_MAP_REV
    # The aggregator's stub keeps no order between metrics.
    submit_metric, submit_service_check = aggregator.submit_metric, aggregator.submit_service_check

    def record_metric(check, check_id, mtype, name, value, tags, *rest):
        run.samples.append(Sample(name, types[mtype], value, _without_endpoint(name, tags)))
        submit_metric(check, check_id, mtype, name, value, tags, *rest)

    def record_service_check(check, check_id, name, status, tags, *rest):
        run.service_checks.append((name, STATUSES[status], _without_endpoint(name, tags)))
        submit_service_check(check, check_id, name, status, tags, *rest)

    content_type = OPENMETRICS if text.endswith('# EOF\n') else TEXT
    response = MockResponse(content=text, headers={'Content-Type': content_type}, normalize_content=False)
    with monkeypatch.context() as patch:
        patch.setattr('requests.Session.get', lambda *args, **kwargs: response)
        patch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda: NOW))
        patch.setattr('datadog_checks.base.utils.time.epoch_offset', lambda: NOW)
        patch.setattr(aggregator, 'submit_metric', record_metric)
        patch.setattr(aggregator, 'submit_service_check', record_service_check)
        check = KubeflowCheck('kubeflow', {}, [dict(instance)])
        error = check.run()
        assert not error, error
    run.warnings = check.warnings
    (scraper,) = check.scrapers.values()
    run.components = scraper.report.components
    run.sources = scraper.report.sources
    return run


def _without_endpoint(name: str, tags: list[str]) -> tuple[str, ...]:
    assert tags.count(ENDPOINT_TAG) == 1, f'{name} was submitted without the tag {ENDPOINT_TAG}: {tags}'
    return tuple(tag for tag in tags if tag != ENDPOINT_TAG)
