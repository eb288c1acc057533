# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard and the monitors of the check, evaluated on what it submits from a simulated Kubeflow, and drawn."""
