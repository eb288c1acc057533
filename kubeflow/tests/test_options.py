# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from datadog_checks.kubeflow.config_models import InstanceConfig, SharedConfig
from datadog_checks.kubeflow.options import LEGACY_OPTIONS, unknown_options

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


def test_a_legacy_option_is_answered_with_its_successor():
    assert unknown_options({'bearer_token_auth': True}, {}) == [
        'Option `bearer_token_auth` belongs to the legacy OpenMetrics check and has no effect here, use `auth_token`.'
    ]


def test_legacy_options_lead_to_options_that_exist_and_are_none_themselves():
    assert set(LEGACY_OPTIONS.values()) <= set(InstanceConfig.model_fields)
    assert not set(LEGACY_OPTIONS) & set(InstanceConfig.model_fields)


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
