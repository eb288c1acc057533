# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from datadog_checks.base.utils.http import DEFAULT_REMAPPED_FIELDS, STANDARD_FIELDS

from .config_models import InstanceConfig, SharedConfig

# Read by the Agent or by AgentCheck from an instance, and part of no configuration template.
AGENT_OPTIONS = frozenset({'debug_metrics', 'loader', 'name', 'no_index', 'process_isolation'})

# Options of the first OpenMetrics check, which are still all over the web, and what replaces them.
LEGACY_OPTIONS = {
    'bearer_token_auth': 'auth_token',
    'bearer_token_path': 'auth_token',
    'bearer_token_refresh_interval': 'auth_token',
    'custom_tags': 'tags',
    'health_service_check': 'enable_health_service_check',
    'ignore_metrics': 'exclude_metrics',
    'ignore_metrics_by_labels': 'exclude_metrics_by_labels',
    'label_joins': 'share_labels',
    'label_to_hostname': 'hostname_label',
    'label_to_hostname_suffix': 'hostname_format',
    'labels_mapper': 'rename_labels',
    'metadata_label_map': 'extra_metrics',
    'metadata_metric_name': 'extra_metrics',
    'metrics_mapper': 'extra_metrics',
    'non_cumulative_buckets': 'non_cumulative_histogram_buckets',
    'possible_prometheus_urls': 'openmetrics_endpoint',
    'prometheus_endpoint': 'openmetrics_endpoint',
    'prometheus_metrics_prefix': 'raw_metric_prefix',
    'prometheus_timeout': 'timeout',
    'prometheus_url': 'openmetrics_endpoint',
    'send_distribution_buckets': 'histogram_buckets_as_distributions',
    'send_histograms_buckets': 'collect_histogram_buckets',
    'send_monotonic_counter': 'extra_metrics',
    'send_monotonic_with_gauge': 'extra_metrics',
    'ssl_ca_cert': 'tls_ca_cert',
    'ssl_cert': 'tls_cert',
    'ssl_ignore_warning': 'tls_ignore_warning',
    'ssl_private_key': 'tls_private_key',
    'ssl_verify': 'tls_verify',
    'type_overrides': 'extra_metrics',
}

# The end of the sentence about a legacy option whose value does not fit its successor.
CONVERSIONS = {
    'bearer_token_auth': (
        ': `auth_token: {reader: {type: file, path: /var/run/secrets/kubernetes.io/serviceaccount/token}, '
        'writer: {type: header, name: Authorization, value: Bearer <TOKEN>}}`'
    ),
    'bearer_token_path': ', with that path as `path` of its `reader`',
    'bearer_token_refresh_interval': ', which reads the file again when it has changed',
    'ignore_metrics': ', whose entries are regular expressions: `go_*` becomes `^go_`',
    'ignore_metrics_by_labels': ', whose values are regular expressions: `*` becomes `true` in place of the list',
    'label_joins': ', with `match` for `labels_to_match` and `labels` for `labels_to_get`',
    'label_to_hostname_suffix': ', with `<HOSTNAME>` before the suffix',
    'metadata_label_map': ': `{<METRIC>: {name: <KEY>, type: metadata, label: <LABEL>}}`',
    'metadata_metric_name': ': `{<METRIC>: {name: <KEY>, type: metadata, label: <LABEL>}}`',
    'metrics_mapper': ', with an entry `<METRIC>: <NAME>` in its list for each metric',
    'possible_prometheus_urls': ' with the one URL that answers',
    'send_monotonic_counter': ' with `type: gauge` for a counter whose value is wanted, not its increase',
    'send_monotonic_with_gauge': ' with `type: counter_gauge` for a counter whose value is wanted too',
    'type_overrides': ': `{<METRIC>: {name: <METRIC>, type: gauge}}`, or another type',
}

# Legacy options that nothing replaces, and why.
OBSOLETE_OPTIONS = {
    'send_distribution_counts_as_monotonic': 'the counts of histograms and summaries are always submitted as counts',
    'send_distribution_sums_as_monotonic': 'the sums of histograms and summaries are always submitted as counts',
}


def unknown_options(instance: Mapping, init_config: Mapping) -> list[str]:
    """Name the options, as the user wrote them, that nothing reads.

    Gives one sentence for each, in their order, with the option that was probably meant where there is one. Values
    never appear in it, they may be secret.
    """
    of_instances, of_init_config = _documented(InstanceConfig), _documented(SharedConfig)
    sentences = [_sentence(option, of_instances) for option in _unread(instance, of_instances)]
    for option in _unread(init_config, of_init_config):
        if option in of_instances:
            sentences.append(
                f'Option `{option}` has no effect in `init_config`, it belongs to an entry of `instances`.'
            )
        else:
            sentences.append(_sentence(option, of_init_config, ' of `init_config`'))
    return sentences


def _unread(section: Mapping, documented: list[str]) -> list[str]:
    known = {*documented, *AGENT_OPTIONS, *STANDARD_FIELDS, *DEFAULT_REMAPPED_FIELDS}
    # What the Agent adds for itself starts with an underscore.
    return [option for option in map(str, section) if option not in known and not option.startswith('_')]


def _sentence(option: str, documented: list[str], place: str = '') -> str:
    if option in LEGACY_OPTIONS:
        return (
            f'Option `{option}` belongs to the legacy OpenMetrics check and has no effect here, '
            f'use `{LEGACY_OPTIONS[option]}`{CONVERSIONS.get(option, "")}.'
        )
    if option in OBSOLETE_OPTIONS:
        return (
            f'Option `{option}` belongs to the legacy OpenMetrics check and has no effect here, leave it out: '
            f'{OBSOLETE_OPTIONS[option]}.'
        )
    close = get_close_matches(option.lower(), documented, n=1, cutoff=0.75)
    hint = f' Did you mean `{close[0]}`?' if close else ''
    return f'Option `{option}`{place} is unknown and has no effect.{hint}'


def _documented(model: type) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
