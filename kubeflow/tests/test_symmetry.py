# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fixtures, the catalogue and `metadata.csv` cover each other, and what all fixtures have in common."""

import csv
import re
from collections import Counter
from functools import cache

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from datadog_checks.base.utils.tagging import GENERIC_TAGS
from datadog_checks.kubeflow.catalogue import load_catalogue, transformer_key
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
    """Each child of each family is changed in turn: whatever changes with it is fed by it.

    Where all children of a family change one metric, or several that may share, no single one can change more: values
    only rise, and where they are put together they are added.
    """
    families = list(text_string_to_metric_families(exposition(fixture)))
    before = relabelled(families)

    for position, family in enumerate(families):
        whole = fed(before, with_changed(families, position, family.samples), family.name)
        if len(whole) > 1 and not whole <= SHARING:
            for child, samples in children(family):
                one = fed(before, with_changed(families, position, samples), child)
                assert len(one) < 2 or one <= SHARING, f'{child} feeds {sorted(one)}'


def test_a_sample_that_feeds_nothing_or_several_metrics_would_be_noticed():
    families = list(text_string_to_metric_families(exposition('mlserver-1.7')))
    before = relabelled(families)
    feeds = {
        child: fed(before, with_changed(families, position, samples), child)
        for position, family in enumerate(families)
        for child, samples in children(family)
    }

    assert feeds['model_infer_request_failure{model="income-v0",version="None"}'] == {
        'kserve.inferences',
        'kserve.inference.errors',
    }
    assert feeds['model_infer_request_success{model="lightgbm-income",version=""}'] == {'kserve.inferences'}
    assert feeds['python_info{implementation="CPython",major="3",minor="11",patchlevel="7",version="3.11.7"}'] == set()


def fed(before, changed, what):
    """The metrics that are not what they were `before`."""
    after = relabelled(changed)
    assert after.keys() == before.keys(), f'with other values of {what} there are other metrics'
    return {name for name, values in after.items() if values != before[name]}


def relabelled(families):
    """The metrics of the catalogue that a payload feeds: their samples' values, by name."""
    catalogue, slots, relabeller, names = machinery()
    payload = Payload(catalogue, slots)
    for family in families:
        payload.add(family)
    return {
        names[family.name]: [(sample.name, sample.labels, sample.value) for sample in family.samples]
        for family in relabeller(payload).families
    }


@cache
def machinery():
    """What is the same for every payload; the metrics' names are by those of the relabelled families."""
    catalogue = load_catalogue()
    entries = catalogue.selected({'collect_runtime_metrics': True})
    names = {transformer_key(entry.name): entry.name for entry in entries}
    return catalogue, Slots(entries), Relabeller(catalogue, entries), names


def children(family):
    """Each child of a family: as text, and its samples."""
    groups = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name not in ('le', 'quantile')}
        groups.setdefault(tuple(sorted(labels.items())), []).append(sample)
    for labels, samples in groups.items():
        text = ','.join(f'{name}="{value}"' for name, value in labels)
        yield f'{family.name}{{{text}}}', samples


def with_changed(families, position, samples):
    """The families, with higher values in these samples of one of them."""
    family = families[position]
    other = Metric(family.name, family.documentation, family.type)
    changed = {id(sample) for sample in samples}
    other.samples = [
        sample._replace(value=sample.value + 2 * abs(sample.value) + 7) if id(sample) in changed else sample
        for sample in family.samples
    ]
    return [*families[:position], other, *families[position + 1 :]]


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
