# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The documented metrics, as they have been published. Dashboards and monitors of users hang on each of these names.

The list is typed, not derived from the catalogue: a change of the catalogue must not change it.
"""

import csv
import re

import pytest

from .common import METADATA, exposition, instance_of

COUNT = 'monotonic_count'
GAUGE = 'gauge'

# Datadog name: submission type, name of the raw samples.
DOCUMENTED = {
    'kubeflow.katib.controller.reconcile.count': (COUNT, 'katib_controller_reconcile_count'),
    'kubeflow.katib.controller.reconcile.duration.seconds.bucket': (
        COUNT,
        'katib_controller_reconcile_duration_seconds_bucket',
    ),
    'kubeflow.katib.controller.reconcile.duration.seconds.count': (
        COUNT,
        'katib_controller_reconcile_duration_seconds_count',
    ),
    'kubeflow.katib.controller.reconcile.duration.seconds.sum': (
        COUNT,
        'katib_controller_reconcile_duration_seconds_sum',
    ),
    'kubeflow.katib.experiment.created.count': (COUNT, 'katib_experiment_created_total'),
    'kubeflow.katib.experiment.duration.seconds.bucket': (COUNT, 'katib_experiment_duration_seconds_bucket'),
    'kubeflow.katib.experiment.duration.seconds.count': (COUNT, 'katib_experiment_duration_seconds_count'),
    'kubeflow.katib.experiment.duration.seconds.sum': (COUNT, 'katib_experiment_duration_seconds_sum'),
    'kubeflow.katib.experiment.failed.count': (COUNT, 'katib_experiment_failed_total'),
    'kubeflow.katib.experiment.running.total': (GAUGE, 'katib_experiment_running_total'),
    'kubeflow.katib.experiment.succeeded.count': (COUNT, 'katib_experiment_succeeded_total'),
    'kubeflow.katib.suggestion.created.count': (COUNT, 'katib_suggestion_created_total'),
    'kubeflow.katib.suggestion.duration.seconds.bucket': (COUNT, 'katib_suggestion_duration_seconds_bucket'),
    'kubeflow.katib.suggestion.duration.seconds.count': (COUNT, 'katib_suggestion_duration_seconds_count'),
    'kubeflow.katib.suggestion.duration.seconds.sum': (COUNT, 'katib_suggestion_duration_seconds_sum'),
    'kubeflow.katib.suggestion.failed.count': (COUNT, 'katib_suggestion_failed_total'),
    'kubeflow.katib.suggestion.running.total': (GAUGE, 'katib_suggestion_running_total'),
    'kubeflow.katib.suggestion.succeeded.count': (COUNT, 'katib_suggestion_succeeded_total'),
    'kubeflow.katib.trial.created.count': (COUNT, 'katib_trial_created_total'),
    'kubeflow.katib.trial.duration.seconds.bucket': (COUNT, 'katib_trial_duration_seconds_bucket'),
    'kubeflow.katib.trial.duration.seconds.count': (COUNT, 'katib_trial_duration_seconds_count'),
    'kubeflow.katib.trial.duration.seconds.sum': (COUNT, 'katib_trial_duration_seconds_sum'),
    'kubeflow.katib.trial.failed.count': (COUNT, 'katib_trial_failed_total'),
    'kubeflow.katib.trial.running.total': (GAUGE, 'katib_trial_running_total'),
    'kubeflow.katib.trial.succeeded.count': (COUNT, 'katib_trial_succeeded_total'),
    'kubeflow.kserve.inference.duration.seconds.bucket': (COUNT, 'kserve_inference_duration_seconds_bucket'),
    'kubeflow.kserve.inference.duration.seconds.count': (COUNT, 'kserve_inference_duration_seconds_count'),
    'kubeflow.kserve.inference.duration.seconds.sum': (COUNT, 'kserve_inference_duration_seconds_sum'),
    'kubeflow.kserve.inference.errors.count': (COUNT, 'kserve_inference_errors'),
    'kubeflow.kserve.inference.request.bytes.bucket': (COUNT, 'kserve_inference_request_bytes_bucket'),
    'kubeflow.kserve.inference.request.bytes.count': (COUNT, 'kserve_inference_request_bytes_count'),
    'kubeflow.kserve.inference.request.bytes.sum': (COUNT, 'kserve_inference_request_bytes_sum'),
    'kubeflow.kserve.inference.response.bytes.bucket': (COUNT, 'kserve_inference_response_bytes_bucket'),
    'kubeflow.kserve.inference.response.bytes.count': (COUNT, 'kserve_inference_response_bytes_count'),
    'kubeflow.kserve.inference.response.bytes.sum': (COUNT, 'kserve_inference_response_bytes_sum'),
    'kubeflow.kserve.inferences.count': (COUNT, 'kserve_inferences_total'),
    'kubeflow.notebook.server.created.count': (COUNT, 'notebook_server_created_total'),
    'kubeflow.notebook.server.failed.count': (COUNT, 'notebook_server_failed_total'),
    'kubeflow.notebook.server.reconcile.count': (COUNT, 'notebook_server_reconcile_count'),
    'kubeflow.notebook.server.reconcile.duration.seconds.bucket': (
        COUNT,
        'notebook_server_reconcile_duration_seconds_bucket',
    ),
    'kubeflow.notebook.server.reconcile.duration.seconds.count': (
        COUNT,
        'notebook_server_reconcile_duration_seconds_count',
    ),
    'kubeflow.notebook.server.reconcile.duration.seconds.sum': (
        COUNT,
        'notebook_server_reconcile_duration_seconds_sum',
    ),
    'kubeflow.notebook.server.running.total': (GAUGE, 'notebook_server_running_total'),
    'kubeflow.notebook.server.succeeded.count': (COUNT, 'notebook_server_succeeded_total'),
    'kubeflow.pipeline.run.duration.seconds.bucket': (COUNT, 'pipeline_run_duration_seconds_bucket'),
    'kubeflow.pipeline.run.duration.seconds.count': (COUNT, 'pipeline_run_duration_seconds_count'),
    'kubeflow.pipeline.run.duration.seconds.sum': (COUNT, 'pipeline_run_duration_seconds_sum'),
    'kubeflow.pipeline.run.status': (GAUGE, 'pipeline_run_status'),
}

ALIASES = {
    'kubeflow.katib.controller.reconcide.count': 'kubeflow.katib.controller.reconcile.count',
    'kubeflow.katib.controller.reconcide.duration.seconds.bucket': (
        'kubeflow.katib.controller.reconcile.duration.seconds.bucket'
    ),
    'kubeflow.katib.controller.reconcide.duration.seconds.count': (
        'kubeflow.katib.controller.reconcile.duration.seconds.count'
    ),
    'kubeflow.katib.controller.reconcide.duration.seconds.sum': (
        'kubeflow.katib.controller.reconcile.duration.seconds.sum'
    ),
}

OPENMETRICS = 'documented-openmetrics'


def raw_values(raw_name):
    """What the exposition says under a name, by the tags it must arrive with."""
    values = {}
    for line in exposition('documented').splitlines():
        match = re.fullmatch(rf'{raw_name}(?:{{(.*)}})? (\S+)', line)
        if not match:
            continue
        labels = dict(re.findall(r'([a-z_]+)="([^"]*)"', match[1] or ''))
        bound = labels.pop('le', None)
        # All observations are in the count already.
        if bound == '+Inf':
            continue
        tags = [f'{name}:{value}' for name, value in labels.items()]
        if bound:
            tags.append(f'upper_bound:{float(bound)}')
        values[tuple(sorted(tags))] = float(match[2])
    return values


def types(run):
    return {sample.name: sample.type for sample in run.samples}


def values(run):
    return {name: run.of(name) for name in run.names}


@pytest.fixture
def documented(run):
    return run(exposition('documented'), instance_of('documented'))


def test_there_are_48_documented_names():
    assert len(DOCUMENTED) == 48


def test_the_documented_names_arrive_with_their_types_and_nothing_else_does(documented):
    assert types(documented) == {name: kind for name, (kind, _) in DOCUMENTED.items()}


@pytest.mark.parametrize('name', DOCUMENTED)
def test_values_and_tags_arrive_as_they_were_exposed(name, documented):
    exposed = raw_values(DOCUMENTED[name][1])

    assert exposed
    assert documented.of(name) == exposed


def test_the_endpoint_is_healthy_and_nothing_is_warned_of(documented):
    assert documented.service_checks == [('kubeflow.openmetrics.health', 'OK', ())]
    assert documented.warnings == []


def test_metadata_has_the_documented_names_with_their_types():
    with METADATA.open(encoding='utf-8') as file:
        metadata = {row['metric_name']: row['metric_type'] for row in csv.DictReader(file)}

    expected = {name: 'gauge' if kind == GAUGE else 'count' for name, (kind, _) in DOCUMENTED.items()}
    assert {name: metadata.get(name) for name in DOCUMENTED} == expected
    assert {name: metadata.get(name) for name in ALIASES} == dict.fromkeys(ALIASES, 'count')


@pytest.mark.parametrize('fixture', ['documented', 'katib-0.9', 'katib-0.19'])
def test_the_alias_is_four_more_names_and_changes_nothing_else(fixture, run):
    off = run(exposition(fixture), {**instance_of(fixture), 'submit_reconcide_alias': False})
    default = run(exposition(fixture), instance_of(fixture))
    on = run(exposition(fixture), {**instance_of(fixture), 'submit_reconcide_alias': True})

    assert default.samples == off.samples
    assert not off.names & ALIASES.keys()
    assert on.names - off.names == ALIASES.keys()
    assert [sample for sample in on.samples if sample.name not in ALIASES] == off.samples
    for alias, name in ALIASES.items():
        assert on.of(alias) == off.of(name), alias
        assert types(on)[alias] == types(off)[name]


@pytest.mark.parametrize(
    'options',
    [
        pytest.param({'use_latest_spec': True}, id='asked for'),
        pytest.param({'use_latest_spec': False}, id='by its content type'),
    ],
)
def test_openmetrics_text_gives_the_same(options, documented, run):
    text = exposition(OPENMETRICS)
    assert text.endswith('# EOF\n')
    assert '\nkserve_inference_errors_total{' in text and '# TYPE kserve_inferences counter' in text

    openmetrics = run(text, {**instance_of(OPENMETRICS), **options})

    assert types(openmetrics) == types(documented)
    assert values(openmetrics) == values(documented)
    assert openmetrics.service_checks == documented.service_checks
