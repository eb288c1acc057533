# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The ServiceMonitors and PodMonitors of `deploy/prometheus`, and what the Prometheus operator makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).parents[1] / 'prometheus'
POD = '__meta_kubernetes_pod_'


def documents(*patterns: str) -> list[dict[str, Any]]:
    """The objects of the files of `deploy/prometheus` that match one of the patterns."""
    paths = sorted(path for pattern in patterns for path in DIRECTORY.glob(pattern))
    return [content for path in paths for content in yaml.safe_load_all(path.read_text(encoding='utf-8'))]


@dataclass(frozen=True)
class Scrape:
    """One endpoint of a monitor."""

    monitor: Mapping[str, Any]
    endpoint: Mapping[str, Any]

    @property
    def of_services(self) -> bool:
        return self.monitor['kind'] == 'ServiceMonitor'

    @cached_property
    def job(self) -> str:
        """The label `job` that the relabeling gives."""
        (job,) = [each['replacement'] for each in self.endpoint['relabelings'] if each.get('targetLabel') == 'job']
        return job

    @property
    def by_service(self) -> bool:
        """Whether targets have the label `inferenceservice`."""
        return any(each.get('targetLabel') == 'inferenceservice' for each in self.endpoint['relabelings'])

    @property
    def honors_labels(self) -> bool:
        """Whether a label of a sample stays that the target has too; else it begins with `exported_`."""
        return self.endpoint.get('honorLabels', False)

    @cached_property
    def kept(self) -> re.Pattern[str]:
        """The names of the series that are stored."""
        (rule,) = self.endpoint['metricRelabelings']
        assert (rule['sourceLabels'], rule['action']) == (['__name__'], 'keep')
        return re.compile(rule['regex'])

    def in_namespace(self, namespace: str) -> bool:
        selector = self.monitor['spec']['namespaceSelector']
        return selector.get('any', False) or namespace in selector['matchNames']

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected: a Service or a pod, as the monitor is for."""
        selector = self.monitor['spec']['selector']
        assert all(each['operator'] == 'Exists' for each in selector.get('matchExpressions', ()))
        return selector.get('matchLabels', {}).items() <= labels.items() and all(
            each['key'] in labels for each in selector.get('matchExpressions', ())
        )

    def config(self, name: str, targets: list[dict[str, str]]) -> dict[str, Any]:
        """
        The scrape configuration that the operator writes (read at 0.68.0, 0.77.2 and 0.80.1), with discovered targets.

        `targets` are the labels Prometheus discovers, `__address__` among them. They are of selected objects.
        """
        spec = self.endpoint
        rules: list[dict[str, Any]] = [
            {'source_labels': [f'{POD}phase'], 'regex': '(Failed|Succeeded)', 'action': 'drop'}
        ]
        if port := spec.get('port') or spec.get('targetPort'):
            assert isinstance(port, str) and (self.of_services or 'port' in spec)
            rules.append({'source_labels': [f'{POD}container_port_name'], 'regex': port, 'action': 'keep'})
        for source, label in (
            ('__meta_kubernetes_namespace', 'namespace'),
            (f'{POD}container_name', 'container'),
            (f'{POD}name', 'pod'),
        ):
            rules.append({'source_labels': [source], 'target_label': label})
        names = {'sourceLabels': 'source_labels', 'targetLabel': 'target_label'}
        for each in spec['relabelings']:
            rules.append({names.get(key, key): value for key, value in each.items()})
        config = {
            'job_name': name,
            'scheme': spec.get('scheme', 'http'),
            'metrics_path': spec.get('path', '/metrics'),
            'honor_labels': self.honors_labels,
            'relabel_configs': rules,
            'static_configs': [
                {'targets': [labels['__address__']], 'labels': {k: v for k, v in labels.items() if k != '__address__'}}
                for labels in targets
            ],
        }
        if 'bearerTokenFile' in spec:
            config['authorization'] = {'credentials_file': spec['bearerTokenFile']}
        if 'tlsConfig' in spec:
            config['tls_config'] = {'insecure_skip_verify': spec['tlsConfig']['insecureSkipVerify']}
        return config


@cache
def scrapes() -> tuple[Scrape, ...]:
    """Every endpoint of every monitor, those that are optional too."""
    return tuple(
        Scrape(monitor, endpoint)
        for monitor in documents('monitors/*.yaml', 'optional/*/podmonitors.yaml')
        for endpoint in monitor['spec'].get('podMetricsEndpoints') or monitor['spec']['endpoints']
    )
