# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The annotations of a pod by which an Agent scrapes one of its containers with this check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def v2(container: str, instance: Mapping[str, Any]) -> dict[str, str]:
    """The form that Agents from 7.36 on read."""
    return {f'ad.datadoghq.com/{container}.checks': json.dumps({'kubeflow': {'instances': [instance]}})}


def v1(container: str, instance: Mapping[str, Any]) -> dict[str, str]:
    """The form that every Agent reads: three lists, of which the first entries belong together."""
    lists = {'check_names': ['kubeflow'], 'init_configs': [{}], 'instances': [instance]}
    return {f'ad.datadoghq.com/{container}.{name}': json.dumps(content) for name, content in lists.items()}
