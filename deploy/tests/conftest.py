# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from deploy.endpoints import KUBEFLOW
from kubeflow.tests.live.availability import available
from kubeflow.tests.live.environment import cache_directory

from .installation import installed, standins
from .kustomize import find_command


@pytest.fixture(scope='session')
def kustomize():
    """The command that renders a directory, see `kustomize.render`; without it tests are skipped, in CI they fail."""
    return available(lambda: find_command(cache_directory()))


@pytest.fixture(scope='session')
def bundles(kustomize, tmp_path_factory):
    """What each release of the distribution is with everything that deploy/kustomize has for it."""
    return {
        release: installed(kustomize, tmp_path_factory.mktemp('bundle'), standins(release), [release])
        for release in KUBEFLOW
    }
