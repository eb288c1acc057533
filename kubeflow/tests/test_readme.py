# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Where the pages lead to is there: commands, files and anchors."""

import re
import subprocess
import sys
import tomllib

import pytest

from datadog_checks.kubeflow import __version__

from . import pages
from .pages import ENGLISH, INTEGRATION, PAGES, ROOT

ALL_PAGES = (*PAGES, INTEGRATION / 'tests' / 'kind' / 'README.md', ROOT / 'simulator' / 'README.md')
SCRIPTS = tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']['scripts'].keys()
# Of `agent check`, which facts about the Agent list; the runner stands in for it here.
AGENT_CHECK = {'--check-rate', '--table'}

every_page = pytest.mark.parametrize('path', PAGES, ids=pages.name)


@every_page
def test_a_command_names_what_is_there(path):
    for text in pages.fenced(pages.read(path), 'shell'):
        scripts = re.findall(r'hatch run (\w+)', text)
        built = re.findall(r'pip wheel .* (\S+)\n', text)
        checked = re.findall(r'^agent check kubeflow (.*)$', text, re.MULTILINE)
        assert scripts or built or checked, text
        assert set(scripts) <= SCRIPTS
        assert all((ROOT / project / 'pyproject.toml').exists() for project in built)
        assert all(set(options.split()) <= AGENT_CHECK for options in checked)


@pytest.mark.parametrize(
    'script, module',
    [('check', 'runner'), ('simulate', 'simulator'), ('soak', 'soak'), ('preview', 'preview')],
)
def test_a_script_has_the_options_that_pages_give_it(script, module):
    command = [sys.executable, '-m', module, '--help']
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    given = {
        option
        for path in ALL_PAGES
        for arguments in re.findall(rf'hatch run {script}( [^`\n]*)', pages.read(path))
        for option in re.findall(r' (--[\w-]+)', arguments)
    }
    assert given <= set(re.findall(r'--[\w-]+', text))


def test_the_dockerfile_is_the_one_of_deploy():
    (text,) = pages.fenced(pages.read(INTEGRATION / 'README.md'), 'dockerfile')
    dockerfile = pages.read(ROOT / 'deploy' / 'datadog' / 'Dockerfile').replace('${KUBEFLOW_CHECK}', __version__)
    for line in text.splitlines():
        assert f'\n{line}' in dockerfile


def test_inline_commands_name_scripts_that_are_there():
    for path in ALL_PAGES:
        # ddev is a program of the environment.
        assert set(re.findall(r'hatch run (\w+)', pages.read(path))) <= SCRIPTS | {'ddev'}


@every_page
def test_the_version_is_the_one_of_the_check(path):
    named = re.findall(r'datadog_kubeflow-([\d.]+)-py3|kubeflow \(([\d.]+)\)', pages.read(path))
    assert {version for pair in named for version in pair if version} <= {__version__}


@every_page
def test_links_lead_to_files_and_headings(path):
    text = pages.read(path)
    for target in pages.links(text):
        if '://' in target:
            continue
        file, _, anchor = target.partition('#')
        assert (path.parent / file).exists(), target
        if anchor:
            assert anchor in pages.anchors(pages.read(path.parent / file) if file else text), target


@every_page
def test_every_reference_is_defined_and_used(path):
    text = pages.prose(pages.read(path))
    defined = re.findall(r'^\[(\d+)\]: ', text, re.MULTILINE)
    assert len(defined) == len(set(defined))
    assert set(defined) == set(re.findall(r'\]\[(\d+)\]', text))


@every_page
def test_a_table_names_paths_that_are_there(path):
    for target in re.findall(r'^\| `([\w./-]+/[\w./-]*)` \|', pages.read(path), re.MULTILINE):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize('path', [path for path in ENGLISH if path.parent == INTEGRATION], ids=pages.name)
def test_a_page_of_the_integration_is_ascii(path):
    assert pages.read(path).isascii()


def test_first_metrics_are_in_the_first_screens_of_the_readme():
    text = pages.read(INTEGRATION / 'README.md')
    first = text.splitlines()[:60]
    assert '### Validation' in pages.read(INTEGRATION / 'README.md')
    for what in ('pip wheel', 'agent integration install', 'ad.datadoghq.com/', 'conf.d/kubeflow.d/conf.yaml'):
        assert any(what in line for line in first), what
