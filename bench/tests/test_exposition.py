# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections import defaultdict
from random import Random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..exposition import Application, Exposition
from ..payloads import read

NOW = 1_795_000_000
PAYLOADS, FOREIGN = read()
SERIES = ('cluster', 'namespace', 'method', 'route', 'status', 'pod')


def parsed(families):
    """The samples of each family, by name and labels."""
    text = b''.join(families.values()).decode()
    return {
        family.name: {(sample.name, tuple(sample.labels.items())): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


@pytest.mark.parametrize('lines', [1000, 10_000, 10_007])
def test_a_foreign_application_has_the_number_of_lines_that_is_asked_for(lines):
    families = Application(FOREIGN, lines, Random(0)).scrape()

    assert sum(text.count(b'\n') for text in families.values()) == lines
    assert set(families) == set(FOREIGN.families)


def test_a_foreign_line_is_about_as_long_as_those_of_a_service_behind_a_gateway():
    families = Application(FOREIGN, 10_000, Random(0)).scrape()

    assert 170 < sum(map(len, families.values())) / 10_000 < 190


def test_foreign_histograms_are_cumulative_and_their_counts_are_those_of_the_last_bucket():
    histograms = [name for name, kind in FOREIGN.families.items() if kind == 'histogram']
    samples = parsed(Application(FOREIGN, 5000, Random(0)).scrape())

    for name in histograms:
        buckets = defaultdict(list)
        for (part, labels), value in samples[name].items():
            if part.endswith('_bucket'):
                buckets[labels[:-1]].append(value)
        assert all(values == sorted(values) for values in buckets.values())
        counts = {labels: value for (part, labels), value in samples[name].items() if part.endswith('_count')}
        assert len(counts) >= len(buckets) - 1
        assert counts == {labels: buckets[labels][-1] for labels in counts}


def test_foreign_counts_grow_in_the_share_of_the_series_that_is_asked_for():
    application = Application(FOREIGN, 5000, Random(0))
    before, after = parsed(application.scrape()), parsed(application.scrape())

    assert before.keys() == after.keys()
    for name, kind in FOREIGN.families.items():
        key = name.removesuffix('_total')
        assert before[key].keys() == after[key].keys()
        assert all(after[key][sample] >= value for sample, value in before[key].items())
        moved = {labels for part, labels in before[key] if not part.endswith('_bucket')} - {
            labels
            for (part, labels), value in before[key].items()
            if part.endswith('_count' if kind == 'histogram' else '') and after[key][part, labels] == value
        }
        assert len(moved) / len({labels[: len(SERIES)] for _, labels in before[key]}) == pytest.approx(0.3, abs=0.02)


def test_the_lines_of_the_component_stand_among_foreign_ones_in_the_order_of_names():
    bare = Exposition(PAYLOADS['katib'], FOREIGN, NOW).scrape().splitlines()
    lines = Exposition(PAYLOADS['foreign'].sizes()[1000], FOREIGN, NOW).scrape().splitlines()

    assert len(lines) == len(bare) + 1000
    assert [line for line in lines if line in set(bare)] == bare
    names = [line.split()[2] for line in lines if line.startswith(b'# TYPE')]
    assert names == sorted(names)
    own = {line.split()[2] for line in bare if line.startswith(b'# TYPE')}
    assert names[0] not in own
    assert len(set(names) - own) == len(FOREIGN.families)


@pytest.mark.parametrize('name', ['katib', 'queue-proxy', 'kserve'])
def test_an_exposition_is_the_same_each_time_it_is_made_and_another_at_each_scrape(name):
    one, other = (Exposition(PAYLOADS[name], FOREIGN, NOW) for _ in range(2))
    scrapes = [one.scrape() for _ in range(5)]

    assert [other.scrape() for _ in range(5)] == scrapes
    assert len(set(scrapes)) == 5
