# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from datadog_checks.base import ConfigurationError, OpenMetricsBaseCheckV2

from .catalogue import load_catalogue, transformer_key
from .config_models import ConfigMixin
from .endpoint import SECRETS_FILTER, hide_secrets, public_url
from .options import unknown_options
from .scraper import KubeflowScraper


class KubeflowCheck(OpenMetricsBaseCheckV2, ConfigMixin):
    """The Agent check `kubeflow`: one instance scrapes one endpoint of a Kubeflow component."""

    __NAMESPACE__ = 'kubeflow'
    DEFAULT_METRIC_LIMIT = 0

    # The base check warns of an option before it has made its own.
    scrapers: Mapping[str, KubeflowScraper] = MappingProxyType({})

    def __init__(self, name, init_config, instances):
        try:
            super().__init__(name, init_config, instances)
        except re.error as error:
            # The one option whose patterns the base check compiles before any option is validated.
            raise ConfigurationError(f'`metric_patterns` has an entry that is no regular expression: {error}') from None
        self.log.logger.addFilter(SECRETS_FILTER)

    def sanitize(self, text):
        """Service checks, errors, tracebacks and warnings pass here on their way to the Agent."""
        text = super().sanitize(text)
        for scraper in self.scrapers.values():
            text = scraper.hide_secrets(text)
        return hide_secrets(text)

    def warning(self, warning_message, *args, **kwargs):
        super().warning('%s', self.sanitize(warning_message % args if args else warning_message), **kwargs)

    def check(self, instance):
        for sentence in self._option_warnings:
            self.warning('%s', sentence)
        super().check(instance)

    def configure_scrapers(self):
        self._option_warnings = unknown_options(self.instance, self.init_config)
        super().configure_scrapers()
        # The base check puts the key into its messages.
        for endpoint in list(self.scrapers):
            scraper = self.scrapers[public_url(endpoint)] = self.scrapers.pop(endpoint)
            self._option_warnings += scraper.option_warnings

    def create_scraper(self, config):
        return KubeflowScraper(self, self.get_config_with_defaults(config))

    def get_default_config(self):
        return {
            'metrics': [
                {
                    transformer_key(name): {'name': name, 'type': entry.transformer or entry.type}
                    for entry in load_catalogue().metrics
                    if entry.sources
                    for name in (entry.name, entry.alias)
                    if name
                }
            ]
        }
