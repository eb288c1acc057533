# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whether the check takes an instance that a file or an annotation gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datadog_checks.kubeflow import KubeflowCheck


def taken(instance: Mapping[str, Any]) -> str:
    """The endpoint that the check scrapes for `instance`, once an Agent has filled in its template variables.

    Raises `ConfigurationError` where an option is wrong, `AssertionError` where the check warns of one.
    """
    url = instance['openmetrics_endpoint'].replace('%%host%%', '127.0.0.1').replace('<port>', '8080')
    check = KubeflowCheck('kubeflow', {}, [{**instance, 'openmetrics_endpoint': url}])
    check.load_configuration_models()
    check.configure_scrapers()
    assert check._option_warnings == []
    (endpoint,) = check.scrapers
    return endpoint
