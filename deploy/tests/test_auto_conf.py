# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The files of the wheel by which an Agent finds endpoints, held against the table."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

import datadog_checks.kubeflow
from deploy.endpoints import read

from .instances import taken

DATA = Path(datadog_checks.kubeflow.__file__).parent / 'data'
FILES = {path.name: yaml.safe_load(path.read_text()) for path in sorted(DATA.glob('auto_conf*.yaml'))}
ROWS = read()

every_file = pytest.mark.parametrize('name', FILES)


def test_the_files_are_those_that_the_table_names():
    assert set(FILES) == {row.auto_conf for row in ROWS if row.auto_conf}
    assert 'auto_conf.yaml' in FILES


@every_file
def test_a_file_finds_the_images_of_its_rows_and_no_other(name):
    images = [image for row in ROWS if row.auto_conf == name for image in row.images]

    assert FILES[name]['ad_identifiers'] == images


@every_file
def test_a_file_scrapes_what_each_of_its_rows_scrapes(name):
    """One template serves every image of the file."""
    (instance,) = FILES[name]['instances']

    assert {str(row.instance) for row in ROWS if row.auto_conf == name} == {str(instance)}
    assert taken(instance) == instance['openmetrics_endpoint'].replace('%%host%%', '127.0.0.1')
    assert set(FILES[name]) == {'ad_identifiers', 'init_config', 'instances'} and FILES[name]['init_config'] is None


def test_no_image_is_found_twice():
    images = Counter(image for template in FILES.values() for image in template['ad_identifiers'])

    assert set(images.values()) == {1}


def test_no_file_finds_an_image_that_the_table_leaves_to_annotations():
    left = {image for row in ROWS if row.no_auto for image in row.images}

    assert {'tritonserver', 'workflow-controller', 'kube-rbac-proxy', 'queue', 'vllm-openai'} <= left
    assert left.isdisjoint(image for template in FILES.values() for image in template['ad_identifiers'])
