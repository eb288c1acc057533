# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What holds for every component."""

import gc
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..components import (
    Argo,
    Katib,
    KServe,
    LegacyArgo,
    MLServer,
    NotebookController,
    OpenCensusQpext,
    OpenCensusQueueProxy,
    OpenTelemetryQpext,
    OpenTelemetryQueueProxy,
    PipelinesAPIServer,
    TrainingOperator,
)
from ..components.component import Component
from ..workloads import busy_world
from .families import families
from .samples import FORMS, PROCESS_FAMILIES, payload_of, samples, total, types, values

# The raw names that feed documented metrics which are not gauges.
DOCUMENTED_SOURCES = {
    Katib: [
        'katib_experiment_created_total',
        'katib_experiment_succeeded_total',
        'katib_experiment_failed_total',
        'katib_trial_created_total',
        'katib_trial_succeeded_total',
        'katib_trial_failed_total',
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
    OpenCensusQpext: ['revision_app_request_count', 'request_predict_seconds_count'],
    OpenTelemetryQpext: ['http_server_request_duration_seconds_count', 'request_predict_seconds_count'],
    MLServer: [
        'model_infer_request_success_total',
        'model_infer_request_failure_total',
        'model_infer_request_duration_sum',
    ],
    LegacyArgo: ['argo_workflows_pipeline_run_duration_seconds_count'],
    Argo: ['argo_workflows_pipeline_run_duration_seconds_count', 'argo_workflows_total_count'],
}
# The last release of each class.
LATEST = dict(FORMS)


def own(names):
    ours = ('process_scheduled_workflow_',)
    return [name for name in names if name.startswith(ours) or not name.startswith(PROCESS_FAMILIES)]


@pytest.mark.parametrize('component, release', FORMS)
def test_families_and_types(component, release):
    raw = types(payload_of(component, release))
    assert {name: raw[name] for name in own(raw)} == families(component, release)


@pytest.mark.parametrize('component, release', FORMS)
def test_a_parser_agrees(component, release):
    payload = payload_of(component, release)
    parsed = {family.name: family.type for family in text_string_to_metric_families(payload)}
    raw = types(payload)
    assert set(parsed) == {name.removesuffix('_total') if kind == 'counter' else name for name, kind in raw.items()}
    assert set(parsed.values()) <= {'counter', 'gauge', 'histogram', 'summary'}


@pytest.mark.parametrize('component, release', FORMS)
def test_a_family_has_its_head_once(component, release):
    payload = payload_of(component, release)
    heads = re.findall(r'^# TYPE (\S+)', payload, re.MULTILINE)
    assert re.findall(r'^# HELP (\S+)', payload, re.MULTILINE) == heads
    twice = {name for name in heads if heads.count(name) > 1}
    if component is OpenTelemetryQpext:
        # The sidecar's and the model server's.
        words = 'virtual_memory_bytes resident_memory_bytes start_time_seconds open_fds max_fds cpu_seconds_total'
        assert twice == {f'process_{word}' for word in words.split()}
    else:
        assert twice == set()


@pytest.mark.parametrize('component, release', FORMS)
def test_series_are_distinct(component, release):
    series = re.findall(r'^([^#].*) \S+$', payload_of(component, release), re.MULTILINE)
    assert len(series) == len(set(series))


@pytest.mark.parametrize('component, release', FORMS)
def test_histograms_are_cumulative(component, release):
    last = {}
    counts = {}
    for (name, labels), value in samples(payload_of(component, release)).items():
        series = name.removesuffix('_bucket'), tuple(pair for pair in labels if pair[0] != 'le')
        if name.endswith('_bucket'):
            assert value >= last.get(series, 0)
            last[series] = value
        elif name.endswith('_count'):
            counts[name.removesuffix('_count'), labels] = value
    assert last.items() <= counts.items()


@pytest.mark.parametrize('seed', range(5))
def test_two_minutes_move_every_source_of_a_documented_metric(seed):
    world = busy_world(seed)
    components = [component(world, LATEST[component]) for component in DOCUMENTED_SOURCES]
    world.step(600)
    before = [component.payload() for component in components]
    world.step(120)
    for component, earlier in zip(components, before, strict=True):
        later = component.payload()
        for name in DOCUMENTED_SOURCES[type(component)]:
            assert total(later, name) > total(earlier, name), name


# What a process counts when it starts: of controllers the objects there are, and a few single events.
AT_START = (
    'argo_workflows_version',
    'controller_runtime_',
    'http_client_',
    'request_kf',
    'rest_client_requests_total',
    'workqueue_',
)


@pytest.mark.parametrize('component, release', FORMS)
def test_a_restart_counts_from_nothing(component, release):
    world = busy_world()
    first = component(world, release)
    world.step(600)
    first.close()
    kinds = types(first.payload())
    counted = {name for name in own(kinds) if kinds[name] in ('counter', 'histogram', 'summary')}
    for (name, _), value in samples(component(world, release).payload()).items():
        stem = re.sub('_(bucket|count|sum)$', '', name)
        if {name, stem} & counted and not name.startswith(AT_START):
            assert value == 0, name


@pytest.mark.parametrize('component, release', FORMS)
def test_a_closed_component_is_gone(component, release):
    world = busy_world()
    made = component(world, release)
    world.step(30)
    made.close()
    del made
    gc.collect()
    # Neither it nor one of its parts: the world would have kept what still listens.
    assert not [each for each in gc.get_objects() if isinstance(each, Component) and each.world is world]


def test_families_of_a_go_process():
    """As many as the releases of client_golang and Go have."""
    counts = {}
    forms = (
        (Katib, '0.17'),
        (Katib, '0.18'),
        (Katib, '0.19'),
        (TrainingOperator, '1.8'),
        (TrainingOperator, '1.9'),
        (PipelinesAPIServer, '2.16'),
        (LegacyArgo, '3.4'),
        (LegacyArgo, '3.5'),
        (Argo, '3.7'),
    )
    for component, release in forms:
        names = list(types(payload_of(component, release, seconds=1)))
        counts[component, release] = tuple(
            sum(name.startswith(prefix) for name in names) for prefix in ('go_', 'process_')
        )
    assert counts == {
        (Katib, '0.17'): (26, 7),
        (Katib, '0.18'): (26, 9),
        (Katib, '0.19'): (126, 9),
        (TrainingOperator, '1.8'): (27, 7),
        (TrainingOperator, '1.9'): (26, 9),
        (PipelinesAPIServer, '2.16'): (26, 7),
        (LegacyArgo, '3.4'): (27, 7),
        (LegacyArgo, '3.5'): (27, 7),
        (Argo, '3.7'): (26, 9),
    }


@pytest.mark.parametrize('component, release', [(LegacyArgo, '3.5'), (TrainingOperator, '1.8')])
def test_an_older_client_library_has_lookups(component, release):
    # The Go runtime does not count them any more.
    assert values(payload_of(component, release), 'go_memstats_lookups_total') == {(): 0}


def test_a_process_tells_the_time_of_the_world():
    world = busy_world(epoch=1000.0)
    world.step(100)
    made = KServe(world, '0.16')
    world.step(50)
    payload = made.payload()
    assert total(payload, 'process_start_time_seconds') == 1100
    assert total(payload, 'process_cpu_seconds_total') == 1.5
    assert total(payload, 'request_predict_seconds_created', model_name='sklearn-iris') == 1100
