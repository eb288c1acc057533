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
from deploy.endpoints import read

from . import pages
from .pages import ENGLISH, INTEGRATION, PAGES, ROOT

ALL_PAGES = (*PAGES, INTEGRATION / 'tests' / 'kind' / 'README.md', ROOT / 'simulator' / 'README.md')
README = pages.read(INTEGRATION / 'README.md')
SCRIPTS = tomllib.loads((ROOT / 'hatch.toml').read_text())['envs']['default']['scripts'].keys()
# Of `agent check`, which facts about the Agent list; the runner stands in for it here.
AGENT_CHECK = {'--check-rate', '--table'}

every_page = pytest.mark.parametrize('path', PAGES, ids=pages.name)


@every_page
def test_a_command_names_what_is_there(path):
    for text in pages.fenced(pages.read(path), 'shell'):
        built = re.findall(r'pip wheel .* (\S+)\n', text)
        checked = re.findall(r'^agent check kubeflow (.*)$', text, re.MULTILINE)
        assert 'hatch run ' in text or built or checked, text
        assert all((ROOT / project / 'pyproject.toml').exists() for project in built)
        assert all(set(options.split()) <= AGENT_CHECK for options in checked)


@pytest.mark.parametrize(
    'script, module',
    [('check', 'runner'), ('simulate', 'simulator'), ('soak', 'soak'), ('preview', 'preview'), ('bench', 'bench')],
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
    (text,) = pages.fenced(README, 'dockerfile')
    dockerfile = pages.read(ROOT / 'deploy' / 'datadog' / 'Dockerfile').replace('${KUBEFLOW_CHECK}', __version__)
    for line in text.splitlines():
        assert f'\n{line}' in dockerfile


def test_scripts_are_there():
    for path in ALL_PAGES:
        # ddev is a program of the environment.
        assert set(re.findall(r'hatch run (\w+)', pages.read(path))) <= SCRIPTS | {'ddev'}


@every_page
def test_the_version_is_the_one_of_the_check(path):
    named = re.findall(r'datadog_kubeflow-([\d.]+)-py3|kubeflow \(([\d.]+)\)', pages.read(path))
    assert {version for pair in named for version in pair if version} <= {__version__}


def test_the_changelog_begins_with_the_version_of_the_check():
    (latest, *_) = pages.headings(pages.read(INTEGRATION / 'CHANGELOG.md'))[1:]
    assert re.fullmatch(rf'{re.escape(__version__)} / \d{{4}}-\d\d-\d\d', latest[1])


def test_the_lowest_base_check_is_the_one_of_the_project():
    (named,) = re.findall(r'lowest\s+`datadog-checks-base` the check supports is ([\d.]+)\.\s', README)
    assert f'"datadog-checks-base>={named}"' in pages.read(INTEGRATION / 'pyproject.toml')


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
    first = '\n'.join(README.splitlines()[:90])
    ways = ['hatch run check http', 'pip wheel', 'agent integration install', 'ad.datadoghq.com/', '/conf.yaml']
    assert [way for way in [*ways, 'agent check kubeflow'] if way not in first] == []


def test_the_readme_forwards_a_port_of_the_table():
    ((namespace, workload, port),) = re.findall(r'port-forward --namespace (\S+) deployment/(\S+) (\d+)', README)
    (row,) = [row for row in read() if (row.namespace, row.workload) == (namespace, workload)]
    assert f'hatch run check http://localhost:{port}{row.path}\n' in README
    assert (row.scheme, str(row.port)) == ('http', port)


@every_page
def test_what_is_folded_ends(path):
    text = pages.read(path)
    assert re.findall(r'</?details', text) == ['<details', '</details'] * text.count('</details')
