# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The Agent's side of the modules the base check imports as `aggregator` and `datadog_agent`."""

import socket
import sys
import time
from collections import defaultdict
from typing import Any

from .aggregator import Aggregator


class DatadogAgent:
    """What the base check calls as the module `datadog_agent`, as far as an OpenMetrics check does.

    Logs and telemetry of the Agent itself have nowhere to go and are dropped, as with `agent check` by default.
    """

    SETTINGS = {'enable_metadata_collection': True}

    def __init__(self) -> None:
        self.metadata: dict[str, dict[str, str]] = defaultdict(dict)
        self._cache: dict[str, str] = {}
        self._start = time.time()

    def get_hostname(self) -> str:
        return socket.gethostname()

    def get_config(self, key: str) -> Any:
        """The Agent's setting, or None where it is not set."""
        return self.SETTINGS.get(key)

    def get_version(self) -> str:
        return '7.0.0'

    def get_host_tags(self) -> str:
        return '{}'

    def get_process_start_time(self) -> float:
        return self._start

    def headers(self, **_) -> dict[str, str]:
        return {'User-Agent': 'Datadog Agent/7.0.0'}

    def set_check_metadata(self, check_id: str, name: str, value: str) -> None:
        self.metadata[check_id][name] = value

    def read_persistent_cache(self, key: str) -> str:
        return self._cache.get(key, '')

    def write_persistent_cache(self, key: str, value: str) -> None:
        self._cache[key] = value

    def tracemalloc_enabled(self) -> bool:
        return False

    def _drop(self, *_) -> None:
        """Accept and forget."""

    log = send_log = emit_agent_telemetry = set_external_tags = report_issue = resolve_issue = _drop


def install() -> tuple[Aggregator, DatadogAgent]:
    """Stand in for the Agent. To be called before the first import of `datadog_checks.base`.

    Raises `RuntimeError` when that comes too late, for then the check would submit to the base package's stub.
    """
    if 'datadog_checks.base' in sys.modules:
        raise RuntimeError('datadog_checks.base was imported before the runner could stand in for the Agent')
    aggregator, agent = Aggregator(), DatadogAgent()
    sys.modules['aggregator'] = aggregator
    sys.modules['datadog_agent'] = agent
    return aggregator, agent
