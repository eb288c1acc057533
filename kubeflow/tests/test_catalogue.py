# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from datadog_checks.kubeflow.catalogue import (
    CatalogueError,
    Conditions,
    load_catalogue,
    read_catalogue,
    transformer_key,
)
from datadog_checks.kubeflow.payload import Slots

INTEGRATION = Path(__file__).parent.parent


def write(directory, metrics, components='katib: {title: Katib}'):
    (directory / 'metrics').mkdir()
    (directory / 'components.yaml').write_text(components)
    (directory / 'metrics' / 'some.yaml').write_text(metrics)
    return directory


def test_it_is_read_once_per_process():
    assert load_catalogue() is load_catalogue()


def test_no_counter_is_looked_up_by_a_name_the_parser_never_gives():
    # The parser strips `_total` off a counter's family, so a map key that keeps it never matches.
    for entry in load_catalogue().metrics:
        for name in filter(None, (entry.name, entry.alias)):
            assert entry.type != 'counter' or not name.endswith('total'), name
            assert re.escape(transformer_key(name)) == transformer_key(name), f'{name} would be taken for a pattern'


def test_raw_names_are_valid_family_names():
    valid = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*')
    for entry in load_catalogue().metrics:
        for source in entry.sources:
            for raw_name in (*source.families, *source.zero):
                assert valid.fullmatch(raw_name), f'{entry.name}: {raw_name}'


def test_every_component_is_known_by_a_sign_and_only_shared_ones_are_not():
    catalogue = load_catalogue()
    for component in catalogue.components.values():
        fed = (source for entry in catalogue.metrics for source in entry.component_sources)
        own = any(source.component == component.id and not source.where for source in fed)
        signs = own or component.prefixes or component.families or component.labels or component.controllers
        assert bool(signs) or component.shared, component.id
        assert component.common <= component.controllers, component.id


def test_a_sign_belongs_to_one_component():
    catalogue = load_catalogue()
    components = catalogue.components.values()
    controllers = [name for component in components for name in component.controllers]
    assert len(controllers) == len(set(controllers))
    for component in components:
        for sign in (*component.prefixes, *component.families):
            assert catalogue.owner(sign) == component.id, f'{component.id}: {sign}'
    for entry in catalogue.metrics:
        for source in entry.component_sources:
            if not (source.where or source.beside or catalogue.components[source.component].shared):
                for raw_name in source.families:
                    assert catalogue.owner(raw_name.removesuffix('_total')) == source.component, raw_name


def test_every_source_names_the_releases_it_is_in():
    for entry in load_catalogue().metrics:
        for source in entry.component_sources:
            assert source.releases, f'{entry.name}: {source.family}'


def test_what_users_read_fits_the_metadata_file():
    with (INTEGRATION / 'metadata.csv').open() as file:
        for row in csv.DictReader(file):
            assert row['description'].isascii() and '|' not in row['description'], row['metric_name']
            assert len(row['description']) <= 400, row['metric_name']


def test_generated_files_are_fresh():
    script = INTEGRATION / 'scripts' / 'generate.py'
    result = subprocess.run([sys.executable, script, '--check'], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


@pytest.mark.parametrize(
    'where, labels, expected',
    [
        pytest.param({'status': 'Running'}, {'status': 'Running'}, True, id='equals'),
        pytest.param({'status': 'Running'}, {'status': 'RunningX'}, False, id='equals the whole'),
        pytest.param({'status': 'Running'}, {}, False, id='equals, absent'),
        pytest.param({'c': ['a', 'b']}, {'c': 'b'}, True, id='one of'),
        pytest.param({'c': ['a', 'b']}, {'c': 'ab'}, False, id='none of'),
        pytest.param({'code': {'matches': '5..'}}, {'code': '503'}, True, id='pattern'),
        pytest.param({'code': {'matches': '5..'}}, {'code': '1503'}, False, id='pattern is anchored'),
        pytest.param({'code': {'matches': '5..'}}, {'code': '5030'}, False, id='pattern is anchored at its end'),
        pytest.param({'code': {'matches': '(?!OK$).+'}}, {'code': 'OK'}, False, id='pattern that excludes'),
        pytest.param({'code': {'matches': '(?!OK$).+'}}, {'code': 'OKAY'}, True, id='pattern excludes no more'),
        pytest.param({'code': {'matches': '(?!OK$).+'}}, {}, False, id='pattern, absent'),
        pytest.param({'tag': {'present': True}}, {'tag': 'kn:default'}, True, id='present'),
        pytest.param({'tag': {'present': True}}, {'tag': ''}, False, id='an empty label is an absent one'),
        pytest.param({'a': 'x', 'b': 'y'}, {'a': 'x', 'b': 'z'}, False, id='all must hold'),
        pytest.param({}, {'a': 'x'}, True, id='no condition'),
    ],
)
def test_conditions(where, labels, expected):
    assert Conditions(where)(labels) is expected


@pytest.mark.parametrize('value', [None, 5, [], [5], {}, {'present': False}, {'like': 'x'}])
def test_a_condition_of_no_known_form_is_refused(value):
    with pytest.raises(ValueError, match='no known condition on label `status`'):
        Conditions({'status': value})


@pytest.mark.parametrize(
    'metrics, message',
    [
        ('[{name: a, type: meter, description: d, documented: x}]', "some.yaml: a: KeyError: 'meter'"),
        ('[{name: a, type: gauge, documented: x}]', r'some.yaml: a: TypeError: .*description'),
        ('[{name: a, type: gauge, description: d, documented: x, colour: red}]', r'some.yaml: a: TypeError: .*colour'),
        ('[{name: a, type: gauge, description: d}]', 'a: neither a documented raw name, nor a source'),
        ('[{name: a, type: gauge, description: d, parts: [sum], documented: x}]', 'are not parts of a gauge'),
        (
            '[{name: a, type: gauge, description: d, sources: [{component: nobody, family: x}]}]',
            'component `nobody` is not in components.yaml',
        ),
        (
            '[{name: a, type: gauge, description: d, sources: [{component: katib, family: x, unit: fortnight}]}]',
            'unit `fortnight` of a source',
        ),
        (
            '[{name: a, type: gauge, description: d, sources: [{component: katib, family: x, '
            'where: {l: {matches: "("}}}]}]',
            'some.yaml: a: PatternError|some.yaml: a: error',
        ),
        (
            '[{name: a, type: gauge, description: d, documented: x}, '
            '{name: a, type: gauge, description: d, documented: y}]',
            'more than one entry is named a',
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, metrics, message):
    with pytest.raises(CatalogueError, match=message):
        read_catalogue(write(tmp_path, metrics))


def test_every_family_of_every_source_has_a_slot():
    class Family:
        def __init__(self, name, kind):
            self.name, self.type = name, kind

    catalogue = load_catalogue()
    slots = Slots(catalogue.metrics)
    for entry in catalogue.metrics:
        for source in entry.sources:
            for raw_name in source.families:
                kind = 'histogram' if source.part else entry.type
                parsed = raw_name.removesuffix('_total') if kind == 'counter' else raw_name
                assert slots.of(Family(parsed, kind)) is not None, raw_name
                # Without a TYPE line, or through a federation, it comes untyped.
                assert slots.of(Family(raw_name, 'unknown')) is not None, raw_name
