# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check on a simulated Kubeflow for thousands of runs, with what it holds and counts compared with the truth."""
