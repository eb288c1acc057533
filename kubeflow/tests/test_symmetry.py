# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fixtures, the catalogue and `metadata.csv` cover each other, and what all fixtures have in common."""

import csv
import re
from collections import Counter

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from datadog_checks.base.utils.tagging import GENERIC_TAGS
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.payload import Payload, Slots
from datadog_checks.kubeflow.relabel import Relabeller

from .common import FIXTURES, METADATA, exposition, instance_of

# Every metric an option switches on. The base check counts what these two leave out, in its telemetry.
EVERYTHING = {
    'collect_runtime_metrics': True,
    'submit_reconcide_alias': True,
    'telemetry': True,
    'exclude_metrics': ['go_info'],
    'raw_line_filters': ['^promhttp_'],
}

# Rows of metadata.csv that no fixture submits, or metrics without a row, each with the reason.
EXCEPTIONS: dict[str, str] = {}

# One sample may feed several of these: they are documented apart, and servers count an inference, its time and its
# failure in one family.
SHARING = {'kserve.inferences', 'kserve.inference.duration.seconds', 'kserve.inference.errors'}

# Unbounded, personal, or of no use to anyone who does not know the program from inside.
UNWANTED_TAGS = frozenset(
    'Hostname client_host component container_name fairness_id gpu_uuid jobset_name model_image model_internal path '
    'server_address server_port url_scheme user uuid workflow'.split()
)

TEXT_FIXTURES = [name for name in FIXTURES if not exposition(name).endswith('# EOF\n')]


def runs(run, **options):
    return {name: run(exposition(name), {**instance_of(name), **options}) for name in FIXTURES}


def test_metadata_and_what_the_fixtures_submit_are_the_same(run, aggregator):
    runs(run, **EVERYTHING)
    with METADATA.open(encoding='utf-8') as file:
        metadata = {row['metric_name']: row for row in csv.DictReader(file)}
    assert EXCEPTIONS.keys() <= metadata.keys() | aggregator._metrics.keys(), 'an exception is about nothing'

    aggregator.assert_metrics_using_metadata(
        {name: row for name, row in metadata.items() if name not in EXCEPTIONS},
        exclude=list(EXCEPTIONS),
        check_submission_type=True,
        check_symmetric_inclusion=True,
    )


def test_every_source_of_the_catalogue_feeds_its_metric_in_some_fixture(run):
    fed = {(name, families) for one in runs(run, **EVERYTHING).values() for name, families in one.sources.items()}

    unproven = []
    for entry in load_catalogue().metrics:
        for source in entry.sources:
            seen = {family for name, families in fed for family in families if name == entry.name}
            if missing := source.families.keys() - seen:
                unproven.append(f'{entry.name} from {", ".join(sorted(missing))}')
    assert not unproven


def test_every_component_is_recognised_in_some_fixture(run):
    recognised = {component for one in runs(run).values() for component in one.components}

    assert recognised == {component.id for component in load_catalogue().components.values() if not component.shared}


def test_options_only_add(run):
    """What is off by default takes nothing from what is on."""
    more = runs(run, collect_runtime_metrics=True, submit_reconcide_alias=True)
    for name, one in runs(run).items():
        assert not Counter(one.samples) - Counter(more[name].samples), name


@pytest.mark.parametrize('fixture', FIXTURES)
def test_no_series_is_submitted_twice(fixture, run):
    # The later sample would replace the earlier one, a gauge's, or be taken for a reset, a counter's.
    one = run(exposition(fixture), {**instance_of(fixture), 'collect_runtime_metrics': True})
    series = Counter((sample.name, frozenset(sample.tags)) for sample in one.samples)

    assert not [one for one, submitted in series.items() if submitted > 1]


@pytest.mark.parametrize('fixture', TEXT_FIXTURES)
def test_a_sample_feeds_one_metric(fixture):
    """Each child of each family is changed in turn: whatever changes with it is fed by it."""
    families = list(text_string_to_metric_families(exposition(fixture)))
    before = relabelled(families)

    for changed, child in children_changed(families):
        after = relabelled(changed)
        assert after.keys() == before.keys()
        fed = {name for name, values in after.items() if values != before[name]}
        assert len(fed) < 2 or fed <= SHARING, f'{child} feeds {sorted(fed)}'


def test_a_sample_that_feeds_nothing_or_several_metrics_would_be_noticed():
    families = list(text_string_to_metric_families(exposition('mlserver-1.7')))
    before = relabelled(families)
    fed = {
        child: {name for name, values in relabelled(changed).items() if values != before[name]}
        for changed, child in children_changed(families)
    }

    assert fed['model_infer_request_failure{model="nope",version="None"}'] == {
        'kserve.inferences',
        'kserve.inference.errors',
    }
    assert fed['model_infer_request_success{model="iris",version="v1"}'] == {'kserve.inferences'}
    assert fed['python_info{implementation="CPython",major="3",minor="11",patchlevel="7",version="3.11.7"}'] == set()


def relabelled(families):
    """The metrics of the catalogue that a payload feeds: their samples' values, by name."""
    catalogue = load_catalogue()
    entries = catalogue.selected({'collect_runtime_metrics': True})
    payload = Payload(catalogue, Slots(entries))
    for family in families:
        payload.add(family)
    by_key = {family.name: family for family in Relabeller(catalogue, entries)(payload).families}
    return {
        entry.name: [(sample.name, sample.labels, sample.value) for sample in family.samples]
        for entry in entries
        if (family := by_key.get(f'kubeflow:{entry.name.replace(".", "_")}'))
    }


def children_changed(families):
    """The payload once for each child, with other values in that child alone, and the child as text."""
    for position, family in enumerate(families):
        groups = {}
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in ('le', 'quantile')}
            groups.setdefault(tuple(sorted(labels.items())), []).append(sample)
        for labels, group in groups.items():
            other = Metric(family.name, family.documentation, family.type)
            other.samples = [
                sample._replace(value=sample.value * 3 + 7) if sample in group else sample for sample in family.samples
            ]
            text = ','.join(f'{name}="{value}"' for name, value in labels)
            yield [*families[:position], other, *families[position + 1 :]], f'{family.name}{{{text}}}'


def test_no_reserved_tag_leaves_whatever_is_collected(run):
    """Raw families too, which an option may add under their own names."""
    collected = runs(run, collect_runtime_metrics=True, extra_metrics=['.+'], telemetry=True)

    tags = {tag for one in collected.values() for sample in one.samples for tag in sample.tags}
    tags |= {tag for one in collected.values() for _, _, tags in one.service_checks for tag in tags}
    assert not {tag for tag in tags if tag.split(':')[0] in GENERIC_TAGS}
    # The fixtures put it to the test: these labels are in them.
    raw = {label for name in FIXTURES for label in re.findall(r'[{,]([a-zA-Z_]+)="', exposition(name))}
    assert {'host', 'hostname', 'service', 'version'} <= raw


def test_no_unwanted_tag_leaves_by_default(run):
    submitted = [sample for one in runs(run, collect_runtime_metrics=True).values() for sample in one.samples]

    keys = {tag.split(':')[0] for sample in submitted for tag in sample.tags}
    assert not keys & UNWANTED_TAGS
    assert not {key for key in keys if key.startswith(('otel_', 'network_protocol_', 'telemetry_sdk_'))}
    # Where a person's address could only be a value.
    assert not [sample for sample in submitted if any('@' in tag for tag in sample.tags)]
