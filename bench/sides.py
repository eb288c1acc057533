# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check and a stock one that maps what the check reads, both submitting to nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runner import agent
from runner.aggregator import Aggregator

CHECK = 'kubeflow'


class Nowhere(Aggregator):
    """Takes what is submitted and keeps nothing, so that only the work of a check is measured."""

    def submit_metric(self, *_: Any) -> None:
        """Accept and forget."""

    submit_histogram_bucket = submit_service_check = submit_event = submit_metric

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The names of the samples that are submitted meanwhile, one for each."""
        names: list[str] = []
        self.submit_metric = lambda check, check_id, kind, name, *_: names.append(name)
        try:
            yield names
        finally:
            del self.submit_metric


def install() -> Nowhere:
    """Stand in for the Agent. To be called before the first import of `datadog_checks.base`."""
    agent.install()
    nowhere = sys.modules['aggregator'] = Nowhere()
    return nowhere


class Failed(Exception):
    """A run of a check had an error, the message."""


class Side:
    """One instance of a check."""

    def __init__(self, check: Any):
        self.check = check
        # The Agent sets it.
        check.check_id = f'{check.name}:bench'

    def run(self) -> None:
        """One run. Raises `Failed`."""
        if error := self.check.run():
            raise Failed(error)
        # The base check keeps warnings until somebody fetches them.
        self.check.get_warnings()

    @property
    def sources(self) -> set[str]:
        """The raw families that fed the metrics of the last run, of the check alone."""
        (scraper,) = self.check.scrapers.values()
        return {family for families in scraper.report.sources.values() for family in families}


def ours(url: str) -> Side:
    """An instance of this check for that endpoint, with its defaults."""
    from datadog_checks.kubeflow import KubeflowCheck

    return Side(KubeflowCheck(CHECK, {}, [{'openmetrics_endpoint': url}]))


def stock(url: str, families: set[str]) -> Side:
    """An instance of the base package's check that maps these raw families, each to a metric."""
    from datadog_checks.base import OpenMetricsBaseCheckV2

    class Stock(OpenMetricsBaseCheckV2):
        __NAMESPACE__ = CHECK
        # As the check's: no limit.
        DEFAULT_METRIC_LIMIT = 0

    # Under the name that the parser gives a counter.
    names = {family.removesuffix('_total'): family.replace('_', '.') for family in sorted(families)}
    return Side(Stock('stock', {}, [{'openmetrics_endpoint': url, 'metrics': [names]}]))
