# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The Prometheus selectors that the README gives for `match[]`, which the generator makes from the catalogue."""

import re
import runpy
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from datadog_checks.kubeflow.catalogue import load_catalogue

from .common import FIXTURES, exposition
from .federation import Scraped, federate

GENERATOR = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent.parent / 'scripts' / 'generate.py')))
TARGET = {'job': 'j', 'instance': '10.0.0.1:8080'}


def matchers(selector):
    """A selector as the pattern of names it asks for and the conditions on other labels."""
    found = re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector)
    (name,) = (value for label, _, value in found if label == '__name__')
    return re.compile(name), [(label, operator, value) for label, operator, value in found if label != '__name__']


def selects(selector, name, labels):
    pattern, conditions = matchers(selector)
    tests = {'=~': lambda has, value: re.fullmatch(value, has), '!=': str.__ne__, '=': str.__eq__}
    return bool(pattern.fullmatch(name)) and all(
        tests[operator](labels.get(label, ''), value) for label, operator, value in conditions
    )


def series_of(raw_name, kind):
    """The names a family has in Prometheus, from a text exposition and from OpenMetrics."""
    if kind in ('histogram', 'summary'):
        return {f'{raw_name}{suffix}' for suffix in ('_count', '_sum', '_bucket' if kind == 'histogram' else '')}
    return {raw_name, f'{raw_name.removesuffix("_total")}_total'} if kind == 'counter' else {raw_name}


def test_the_selectors_name_every_family_that_a_component_s_source_reads():
    catalogue = load_catalogue()
    chosen = GENERATOR.selectors(catalogue, catalogue.metrics)
    for entry in catalogue.metrics:
        for source in entry.component_sources:
            patterns = [matchers(selector)[0] for selector in chosen[source.component]]
            names = {name for family in source.families for name in series_of(family, source.exposed_type(entry.type))}
            names |= {name for family in source.zero for name in series_of(family, 'gauge')}
            names |= series_of(source.beside, 'counter') if source.beside else set()
            missing = {name for name in names if not any(pattern.fullmatch(name) for pattern in patterns)}
            assert not missing, f'{entry.name}: {missing}'


@pytest.mark.parametrize('fixture', [name for name in FIXTURES if not name.startswith('documented')])
def test_what_the_selectors_select_is_all_the_check_reads(fixture, run):
    catalogue = load_catalogue()
    chosen = [each for group in GENERATOR.selectors(catalogue, catalogue.metrics).values() for each in group]
    page = federate(Scraped(exposition(fixture), TARGET))
    selected = select(page, chosen)
    options = {'openmetrics_endpoint': 'http://component:8080/metrics', 'collect_runtime_metrics': True}
    all_of_it, part = run(page, options), run(selected, options)
    # Whose library it is may be told by families that feed nothing.
    assert names_without_library(part) == names_without_library(all_of_it)


def select(page, chosen):
    lines = []
    for line in page.splitlines(True):
        name, labels = re.match(r'(?:# TYPE )?([\w:]+)(?:\{(.*)\})?', line).groups()
        of_sample = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ''))
        if line.startswith('#') or any(selects(selector, name, of_sample) for selector in chosen):
            lines.append(line)
    return ''.join(lines)


def names_without_library(run):
    library = ('kubeflow.controller.', 'kubeflow.go.', 'kubeflow.process.')
    return Counter((one.name, one.value, one.tags) for one in run.samples if not one.name.startswith(library))


def test_the_snippet_configures_an_instance_whose_selectors_name_what_documented_metrics_come_from():
    catalogue = load_catalogue()
    snippet = GENERATOR.federation_snippet(catalogue)
    (instance,) = yaml.safe_load(re.search(r'```yaml\n(.*)```', snippet, re.DOTALL)[1])['instances']
    matches = parse_qs(urlsplit(instance['openmetrics_endpoint']).query)['match[]']
    documented = [entry for entry in catalogue.metrics if entry.documented]
    chosen = [each for group in GENERATOR.selectors(catalogue, documented).values() for each in group]
    assert matches == ['up', 'process_start_time_seconds', *chosen]
    # What a URL or its reader would change on the way, and what a proxy may refuse as too long.
    assert not set('+&#%; ') & set(''.join(matches))
    assert len(instance['openmetrics_endpoint']) < 4096


def test_the_list_holds_every_selector_by_component():
    catalogue = load_catalogue()
    lines = GENERATOR.selectors_list(catalogue).splitlines()
    chosen = [each for group in GENERATOR.selectors(catalogue, catalogue.metrics).values() for each in group]
    assert [line.removeprefix('match[]=') for line in lines if line.startswith('match[]=')] == chosen
    assert '# Katib controller' in lines and '# controller-runtime, of any program' in lines
