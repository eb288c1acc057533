# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A Kubeflow that runs on a laptop: the expositions of its components, alive."""
