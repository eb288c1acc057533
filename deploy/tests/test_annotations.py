# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The annotations that an Agent reads, as written and as the page of the components gives them."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.annotations import v1, v2
from deploy.endpoints import read

PAGE = Path(__file__).parents[2] / 'kubeflow' / 'COMPONENTS.md'
ROWS = read()
INSTANCE = {'openmetrics_endpoint': 'http://%%host%%:8080/metrics'}


def test_the_form_of_today_is_one_annotation():
    assert v2('manager', INSTANCE) == {
        'ad.datadoghq.com/manager.checks': (
            '{"kubeflow": {"instances": [{"openmetrics_endpoint": "http://%%host%%:8080/metrics"}]}}'
        )
    }


def test_the_form_before_is_three():
    assert v1('manager', INSTANCE) == {
        'ad.datadoghq.com/manager.check_names': '["kubeflow"]',
        'ad.datadoghq.com/manager.init_configs': '[{}]',
        'ad.datadoghq.com/manager.instances': '[{"openmetrics_endpoint": "http://%%host%%:8080/metrics"}]',
    }


def annotated(component):
    """What each snippet in the block of a component annotates."""
    (block,) = re.findall(rf'<!-- generated: component {component} -->\n(.*?)<!-- end -->', PAGE.read_text(), re.DOTALL)
    snippets = re.findall(r'```yaml\n(.*?)```', block, re.DOTALL)
    return [yaml.safe_load(snippet)['metadata']['annotations'] for snippet in snippets]


@pytest.mark.parametrize('component', dict.fromkeys(row.component for row in ROWS))
def test_the_page_has_both_forms_for_every_row_of_a_component(component):
    expected = []
    for row in ROWS:
        if row.component == component:
            for annotations in (v2(row.container, row.instance), v1(row.container, row.instance)):
                if annotations not in expected:
                    expected.append(annotations)

    assert annotated(component) == expected
    assert all(json.loads(text) for annotations in expected for text in annotations.values())
