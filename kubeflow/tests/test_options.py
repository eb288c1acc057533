# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest
import yaml

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.config_models import InstanceConfig, SharedConfig
from datadog_checks.kubeflow.options import CONVERSIONS, LEGACY_OPTIONS, OBSOLETE_OPTIONS, unknown_options

from .common import TEXT
from .origins import origin, told

ENDPOINT = 'http://127.0.0.1:8080/metrics'


def test_every_option_of_the_configuration_is_known():
    assert unknown_options(dict.fromkeys(InstanceConfig.model_fields), {}) == []


@pytest.mark.parametrize(
    'option',
    [
        pytest.param('min_collection_interval', id='scheduling'),
        pytest.param('name', id='name of the instance'),
        pytest.param('loader', id='check loader'),
        pytest.param('debug_metrics', id='AgentCheck'),
        pytest.param('process_isolation', id='AgentCheck, isolated'),
        pytest.param('use_latest_spec', id='hidden in the example'),
        pytest.param('namespace', id='hidden and fixed by the check'),
        pytest.param('tls_validate_hostname', id='read by the HTTP client, in no template'),
        pytest.param('tls_private_key_password', id='read by the HTTP client, in no template'),
        pytest.param('no_proxy', id='renamed by the HTTP client'),
        pytest.param('__memory_profiling_tags', id='added by the Agent'),
    ],
)
def test_options_read_outside_the_configuration_model_are_known(option):
    assert unknown_options({'openmetrics_endpoint': ENDPOINT, option: 'x'}, {}) == []


@pytest.mark.parametrize(
    'option, meant',
    [
        ('openmetric_endpoint', 'openmetrics_endpoint'),
        ('exclude_metric', 'exclude_metrics'),
        ('Tags', 'tags'),
        ('submit_reconcile_alias', 'submit_reconcide_alias'),
        ('collect_runtime_metric', 'collect_runtime_metrics'),
        ('tls-verify', 'tls_verify'),
    ],
)
def test_a_typo_is_answered_with_the_option_meant(option, meant):
    assert unknown_options({option: 1}, {}) == [
        f'Option `{option}` is unknown and has no effect. Did you mean `{meant}`?'
    ]


def test_an_option_unlike_any_other_is_named_without_a_guess():
    assert unknown_options({'frobnicate': 1}, {}) == ['Option `frobnicate` is unknown and has no effect.']


LEGACY = 'belongs to the legacy OpenMetrics check and has no effect here'


@pytest.mark.parametrize('option', sorted(set(LEGACY_OPTIONS) - set(CONVERSIONS)))
def test_a_legacy_option_is_answered_with_its_successor(option):
    assert unknown_options({option: True}, {}) == [f'Option `{option}` {LEGACY}, use `{LEGACY_OPTIONS[option]}`.']


@pytest.mark.parametrize(
    'option, use',
    [
        ('bearer_token_path', '`auth_token`, with that path as `path` of its `reader`'),
        ('ignore_metrics', '`exclude_metrics`, whose entries are regular expressions: `go_*` becomes `^go_`'),
        ('label_joins', '`share_labels`, with `match` for `labels_to_match` and `labels` for `labels_to_get`'),
        ('type_overrides', '`extra_metrics`: `{<METRIC>: {name: <METRIC>, type: gauge}}`, or another type'),
    ],
)
def test_a_legacy_option_of_another_shape_is_answered_with_what_to_write(option, use):
    assert unknown_options({option: True}, {}) == [f'Option `{option}` {LEGACY}, use {use}.']


def test_a_legacy_option_that_nothing_replaces_is_to_be_left_out():
    assert unknown_options({'send_distribution_sums_as_monotonic': True}, {}) == [
        f'Option `send_distribution_sums_as_monotonic` {LEGACY}, leave it out: the sums of histograms and summaries '
        'are always submitted as counts.'
    ]


def test_the_mapping_given_for_a_bearer_token_sends_the_token(tmp_path):
    (sentence,) = unknown_options({'bearer_token_auth': True}, {})
    assert sentence.startswith(f'Option `bearer_token_auth` {LEGACY}, use `auth_token`: `auth_token: ')
    options = yaml.safe_load(sentence.split('`')[-2])
    reader = options['auth_token']['reader']
    assert reader['path'] == '/var/run/secrets/kubernetes.io/serviceaccount/token'
    reader['path'] = str(tmp_path / 'token')
    (tmp_path / 'token').write_text('of-the-pod\n', encoding='ascii')
    with origin() as served:
        assert told(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': served.endpoint, **options}])) == ''
    ((_, headers),) = served.asked
    assert headers['Authorization'] == 'Bearer of-the-pod'


LABELLED = """
# TYPE pod_info gauge
pod_info{pod="a",node="n1"} 1
# TYPE go_x gauge
go_x{pod="a"} 1
# TYPE mango gauge
mango{pod="a"} 2
# TYPE jobs_total counter
jobs_total{pod="a"} 3
"""


@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param(
            {'extra_metrics': ['go_x', 'mango'], 'exclude_metrics': ['^go_']}, {'mango': 'pod:a'}, id='ignore_metrics'
        ),
        pytest.param(
            {'extra_metrics': ['mango'], 'share_labels': {'pod_info': {'match': ['pod'], 'labels': ['node']}}},
            {'mango': 'node:n1,pod:a'},
            id='label_joins',
        ),
        pytest.param(
            {'extra_metrics': ['mango'], 'exclude_metrics_by_labels': {'pod': True}}, {}, id='ignore_metrics_by_labels'
        ),
        pytest.param(
            {'extra_metrics': [{'jobs': {'name': 'jobs', 'type': 'gauge'}}]}, {'jobs': 'pod:a'}, id='type_overrides'
        ),
        pytest.param(
            {'extra_metrics': [{'jobs': {'name': 'jobs', 'type': 'counter_gauge'}}]},
            {'jobs.count': 'pod:a', 'jobs.total': 'pod:a'},
            id='send_monotonic_with_gauge',
        ),
        pytest.param({'extra_metrics': [{'mango': 'fruit'}]}, {'fruit': 'pod:a'}, id='metrics_mapper'),
    ],
)
def test_what_is_said_to_take_the_place_of_a_legacy_option_does(
    dd_run_check, mock_http_response, aggregator, options, expected
):
    mock_http_response(LABELLED, headers={'Content-Type': TEXT})
    dd_run_check(KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}]))
    submitted = {
        name.removeprefix('kubeflow.'): ','.join(sorted(tag for tag in metric.tags if not tag.startswith('endpoint:')))
        for name in aggregator.metric_names
        for metric in aggregator.metrics(name)
    }
    assert submitted == expected


@pytest.mark.parametrize('option', ['prometheus_url', 'prometheus_endpoint', 'possible_prometheus_urls'])
def test_an_instance_with_a_legacy_endpoint_alone_is_told_what_to_write(option):
    message = told(KubeflowCheck('kubeflow', {}, [{option: ENDPOINT}]))
    assert message.splitlines()[2:] == [
        '  Value error, `openmetrics_endpoint` is required and missing, write it like '
        f'`http://katib-controller.kubeflow.svc:8080/metrics` instead of the legacy `{option}`'
    ]


def test_legacy_options_lead_to_options_that_exist_and_are_none_themselves():
    assert set(LEGACY_OPTIONS.values()) <= set(InstanceConfig.model_fields)
    assert not {*LEGACY_OPTIONS, *OBSOLETE_OPTIONS} & set(InstanceConfig.model_fields)
    assert set(CONVERSIONS) <= set(LEGACY_OPTIONS)


def test_sentences_keep_the_order_of_the_instance():
    sentences = unknown_options({'zzz_first': 1, 'openmetrics_endpoint': ENDPOINT, 'aaa_second': 2}, {})

    assert [sentence.split('`')[1] for sentence in sentences] == ['zzz_first', 'aaa_second']


def test_values_are_never_repeated():
    sentences = unknown_options({'pasword': 'hunter2', 'frobnicate': {'token': 'hunter2'}}, {'prox': 'hunter2'})

    assert len(sentences) == 3
    assert 'hunter2' not in ' '.join(sentences)


def test_a_key_that_is_no_string_is_named_too():
    assert unknown_options({8080: 'x'}, {}) == ['Option `8080` is unknown and has no effect.']


def test_every_option_of_the_init_config_is_known():
    assert unknown_options({}, dict.fromkeys(SharedConfig.model_fields)) == []


def test_an_option_in_the_wrong_section_is_told_where_it_belongs():
    assert unknown_options({}, {'collect_runtime_metrics': True, 'prox': 1, 'frobnicate': 1}) == [
        'Option `collect_runtime_metrics` has no effect in `init_config`, it belongs to an entry of `instances`.',
        'Option `prox` of `init_config` is unknown and has no effect. Did you mean `proxy`?',
        'Option `frobnicate` of `init_config` is unknown and has no effect.',
    ]
