# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What the page of deploy/kustomize shows and says, done."""

import os
import re
import shlex
import subprocess

import pytest
import yaml

from deploy.endpoints import KUBEFLOW

from .installation import PIECES, SETTINGS, by_identity, standins
from .kustomize import render
from .test_kustomize_annotations import OPTIONAL

PAGE = (PIECES / 'README.md').read_text()


def blocks(language):
    return re.findall(rf'```{language}\n(.*?)```', PAGE, re.DOTALL)


@pytest.fixture
def clone(tmp_path):
    """A directory with the distribution, this repository and a kustomization of the user's; gives the last."""
    example, own = tmp_path / 'community-distribution' / 'example', tmp_path / 'own'
    for directory in (example, own, tmp_path / 'datadog-kubeflow' / 'deploy'):
        directory.mkdir(parents=True)
    (example / 'manifests.yaml').write_text(yaml.safe_dump_all(standins('26.03')))
    (example / 'kustomization.yaml').write_text('resources: [manifests.yaml]\n')
    (tmp_path / 'datadog-kubeflow' / 'deploy' / 'kustomize').symlink_to(PIECES)
    complete, settings, _ = blocks('yaml')
    (own / 'kustomization.yaml').write_text(complete)
    (own / 'settings.yaml').write_text(settings)
    return own


def test_the_example_is_the_whole_release(kustomize, clone, bundles):
    assert by_identity(render(kustomize, clone)) == by_identity(bundles['26.03'])


def test_the_settings_shown_are_those_to_copy():
    assert yaml.safe_load(blocks('yaml')[1]) == SETTINGS


def test_pieces_can_be_listed_in_place_of_the_release(kustomize, clone, bundles):
    kustomization = yaml.safe_load((clone / 'kustomization.yaml').read_text())
    kustomization |= yaml.safe_load(blocks('yaml')[2])
    (clone / 'kustomization.yaml').write_text(yaml.safe_dump(kustomization))

    found, everything = by_identity(render(kustomize, clone)), by_identity(bundles['26.03'])
    left_out = {kind for kind, _, name in everything.keys() - found.keys() if name.startswith('datadog-agent-')}
    assert left_out == {'AuthorizationPolicy', 'ClusterRole', 'ClusterRoleBinding'}
    assert found.keys() < everything.keys()


def test_what_was_annotated_is_listed_as_shown(kustomize, clone):
    command = blocks('shell')[0]
    assert command.startswith('kubectl kustomize . | ')
    command = command.replace('kubectl kustomize', shlex.join(kustomize), 1)

    # Else `sort` has the order of a language.
    environment = {**os.environ, 'LC_ALL': 'C'}
    shown = subprocess.run(command, shell=True, cwd=clone, env=environment, capture_output=True, text=True, check=True)
    assert [line.split() for line in shown.stdout.splitlines()] == [
        line.split() for line in blocks('text')[0].splitlines()
    ]


def test_every_piece_is_told_of():
    rows = re.findall(r'^\| (`.+?`) \|', PAGE, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r'`(.+?)`', row)}
    shipped = {
        str(path.parent.relative_to(PIECES))
        for path in PIECES.rglob('kustomization.yaml')
        if path.parent.parent == PIECES and path.parent.name not in KUBEFLOW
    }

    assert {piece for piece in told if piece.startswith('annotations/optional')} == set(OPTIONAL.values())
    assert shipped <= told
    for release in KUBEFLOW:
        assert f'`{release}`' in PAGE
        for piece in (piece for piece in told if piece.startswith('RELEASE/')):
            assert (PIECES / piece.replace('RELEASE', release) / 'kustomization.yaml').exists()
    assert all((PIECES / piece).is_dir() for piece in told if '/' in piece and not piece.startswith('RELEASE'))
