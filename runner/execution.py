# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One instance of the check and its runs, with the statistics the Agent keeps."""

import copy
import hashlib
import json
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from .agent import DatadogAgent
from .aggregator import Aggregator, CheckSampler, Submitted
from .configuration import Instance

CHECK = 'kubeflow'


@dataclass
class Stats:
    """Times are in milliseconds, dates in Unix seconds; 0 stands for never."""

    total_runs: int = 0
    total_errors: int = 0
    total_warnings: int = 0
    last_run: Submitted = field(default_factory=Submitted)
    total: Submitted = field(default_factory=Submitted)
    execution_times: list[int] = field(default_factory=list)
    first_date: int = 0
    last_date: int = 0
    last_success_date: int = 0
    # As the base check reports it: a JSON list of one object with `message` and `traceback`, or an empty text.
    last_error: str = ''
    last_warnings: list[str] = field(default_factory=list)

    @property
    def average_time(self) -> int:
        return sum(self.execution_times) // len(self.execution_times) if self.execution_times else 0


class Execution:
    """Runs one instance. An instance whose check cannot be made has that as the error of each run."""

    def __init__(
        self, instance: Instance, check_class: type, version: str, aggregator: Aggregator, agent: DatadogAgent
    ):
        self.instance = instance
        self.version = version
        self.check_id = _check_id(instance)
        self.stats = Stats()
        self._agent = agent
        self.sampler = _sampler(instance, agent)
        aggregator.open(self.check_id, self.sampler)
        self._check = None
        self._creation_error = ''
        try:
            self._check = check_class(CHECK, copy.deepcopy(instance.init_config), [copy.deepcopy(instance.options)])
            self._check.check_id = self.check_id
            self._check.provider = 'file'
        except Exception as error:
            self._creation_error = json.dumps([{'message': str(error), 'traceback': traceback.format_exc()}])

    def run(self) -> None:
        """Run the check once."""
        stats, sampler = self.stats, self.sampler
        stats.last_date = int(time.time())
        stats.first_date = stats.first_date or stats.last_date
        sampler.start_run()
        start = time.monotonic()
        stats.last_error = self._check.run() if self._check else self._creation_error
        stats.execution_times.append(round((time.monotonic() - start) * 1000))
        sampler.end_run()
        stats.last_warnings = list(self._check.get_warnings()) if self._check else []
        stats.total_runs += 1
        stats.total_errors += bool(stats.last_error)
        stats.total_warnings += len(stats.last_warnings)
        stats.last_run = sampler.run
        stats.total += sampler.run
        if not stats.last_error:
            stats.last_success_date = stats.last_date

    @property
    def failed(self) -> bool:
        """Whether the last run ended in an error."""
        return bool(self.stats.last_error)

    @property
    def metadata(self) -> dict[str, str]:
        """What the check said about the program it watches, as the version."""
        return dict(self._agent.metadata.get(self.check_id, {}))

    @property
    def reports(self) -> list[Any]:
        """What each scraper of the check recognised in its last payload."""
        scrapers = self._check.scrapers.values() if self._check else ()
        return [scraper.report for scraper in scrapers]


def _check_id(instance: Instance) -> str:
    """`kubeflow:`, the instance's `name` if it has one, and a digest of the configuration, as the Agent has it."""
    text = json.dumps([instance.options, instance.init_config], sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return ':'.join(str(part) for part in (CHECK, instance.options.get('name'), digest) if part)


def _sampler(instance: Instance, agent: DatadogAgent) -> CheckSampler:
    # Both options are the Agent's own and no part of the check.
    hostname = '' if instance.options.get('empty_default_hostname') else agent.get_hostname()
    service = instance.options.get('service') or instance.init_config.get('service')
    return CheckSampler(hostname, [f'service:{service}'] if service else [])
