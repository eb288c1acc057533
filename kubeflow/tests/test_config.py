# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from pathlib import Path

import pytest
import yaml

import datadog_checks.kubeflow
from datadog_checks.base import ConfigurationError
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.fetch.limits import Limits

ENDPOINT = 'http://127.0.0.1:8080/metrics'
EXAMPLE = Path(datadog_checks.kubeflow.__file__).parent / 'data' / 'conf.yaml.example'


def load(instance):
    """Take `instance` through the configuration models of the check; returns the model."""
    check = KubeflowCheck('kubeflow', {}, [instance])
    check.load_configuration_models()
    return check._config_model_instance


def failure(instance):
    """The message a user reads in `agent status` for `instance`."""
    check = KubeflowCheck('kubeflow', {}, [instance])
    with pytest.raises(ConfigurationError) as error:
        check.load_configuration_models()
    return str(error.value)


@pytest.mark.parametrize(
    'instance, problem',
    [
        pytest.param({}, 'is required and missing', id='absent'),
        pytest.param({'openmetrics_endpoint': None}, 'is required and missing', id='no value'),
        pytest.param({'openmetrics_endpoint': ''}, 'is required and empty', id='empty'),
        pytest.param({'openmetrics_endpoint': '  '}, 'is required and empty', id='blank'),
        pytest.param({'openmetrics_endpoint': 8080}, 'must be a string, not of type `int`', id='number'),
        pytest.param({'openmetrics_endpoint': [ENDPOINT]}, 'must be a string, not of type `list`', id='list'),
        pytest.param(
            {'openmetrics_endpoint': 'katib:8080/metrics'},
            'must start with `http://` or `https://` (it is `katib:8080/metrics`)',
            id='host and port only',
        ),
        pytest.param(
            {'openmetrics_endpoint': '/metrics'},
            'must start with `http://` or `https://` (it is `/metrics`)',
            id='path only',
        ),
        pytest.param(
            {'openmetrics_endpoint': 'ftp://katib/metrics'},
            'must start with `http://` or `https://` (it is `ftp://katib/metrics`)',
            id='another scheme',
        ),
        pytest.param(
            {'openmetrics_endpoint': 'http:///metrics'}, 'has no host (it is `http:///metrics`)', id='no host'
        ),
        pytest.param(
            {'openmetrics_endpoint': 'http://:8080/metrics'},
            'has no host (it is `http://:8080/metrics`)',
            id='port without host',
        ),
        pytest.param(
            {'openmetrics_endpoint': 'http://katib:%%port%%/metrics'},
            'has a host or port that cannot be read (it is `http://katib:%%port%%/metrics`)',
            id='unresolved port',
        ),
        pytest.param(
            {'openmetrics_endpoint': 'http://%%host%%:8080/metrics'},
            'holds a template variable that Autodiscovery has not resolved (it is `http://%%host%%:8080/metrics`)',
            id='unresolved host',
        ),
        pytest.param({'openmetrics_endpoint': f' {ENDPOINT}'}, 'has blanks around it', id='blanks'),
        pytest.param(
            {'openmetrics_endpoint': 'http://[::1:8080/metrics'},
            'has a host or port that cannot be read (it is `http://[::1:8080/metrics`)',
            id='open bracket',
        ),
    ],
)
def test_a_wrong_endpoint_is_one_sentence_with_an_example(instance, problem):
    lines = failure(instance).splitlines()

    assert lines[0] == 'Detected 1 error while loading configuration model `InstanceConfig`:'
    assert [line.strip() for line in lines[1:] if line.strip()] == [
        f'Value error, `openmetrics_endpoint` {problem}, '
        'write it like `http://katib-controller.kubeflow.svc:8080/metrics`'
    ]


@pytest.mark.parametrize(
    'endpoint',
    [
        'katib:8080/metrics?token=hunter2',
        'katib:8080/metrics#hunter2',
        'http:///metrics?token=hunter2',
        'user:hunter2@katib:8080/metrics',
        'ftp://user:hunter2@katib/metrics',
        'ftp://user:x?hunter2@katib/metrics?a=b@c',
        'http://user:hunter2@/metrics',
        'http://user:hunter2@katib:port/metrics',
    ],
)
def test_the_message_about_an_endpoint_never_shows_secrets(endpoint):
    message = failure({'openmetrics_endpoint': endpoint})

    assert '`openmetrics_endpoint`' in message
    assert 'hunter2' not in message


@pytest.mark.parametrize(
    'endpoint',
    [
        ENDPOINT,
        'https://workflow-controller-metrics.kubeflow:9090/metrics',
        'HTTP://katib-controller/metrics',
        'http://[::1]:8080/metrics',
        'http://user:password@katib:8080/metrics?format=text',
        'unix:///var/run/katib.sock/metrics',
    ],
)
def test_a_right_endpoint_is_kept_as_written(endpoint):
    assert load({'openmetrics_endpoint': endpoint}).openmetrics_endpoint == endpoint


@pytest.mark.parametrize(
    'option, value',
    [
        pytest.param('exclude_metrics', 'katib_.*', id='string for a list'),
        pytest.param('extra_metrics', 'katib_queue', id='string for a list of metrics'),
        pytest.param('rename_labels', ['name:katib_name'], id='list for a mapping'),
        pytest.param('share_labels', ['target_info'], id='list for a mapping of labels'),
        pytest.param('auth_token', 'hunter2', id='string for a mapping'),
        pytest.param('timeout', 'soon', id='text for a number'),
        pytest.param('max_returned_metrics', 'many', id='text for a whole number'),
        pytest.param('max_returned_metrics', -1, id='negative number'),
        pytest.param('collect_runtime_metrics', 'perhaps', id='text for a boolean'),
        pytest.param('submit_reconcide_alias', 2, id='number for a boolean'),
        pytest.param('target_info', [], id='list for a boolean'),
        pytest.param('collect_histograms_as_distributions', {}, id='mapping for a boolean'),
        pytest.param('hostname_label', 1, id='number for a string'),
    ],
)
def test_a_value_of_the_wrong_type_names_its_option(option, value):
    message = failure({'openmetrics_endpoint': ENDPOINT, option: value})

    assert option in message.splitlines()[1]
    assert 'hunter2' not in message


@pytest.mark.parametrize(
    'option, value, problem',
    [
        ('tags', 'team:ml', 'must be a list, not of type `str`'),
        ('extra_metrics', {'a': 'b'}, 'must be a list, not of type `dict`'),
        ('headers', 'X: y', 'must be a mapping, not of type `str`'),
        ('auth_token', [], 'must be a mapping, not of type `list`'),
        ('proxy', 'http://proxy', 'must be a mapping, not of type `str`'),
        ('timeout', 0, 'must be a number of seconds above 0'),
        ('read_timeout', -1.5, 'must be a number of seconds above 0'),
        ('scrape_timeout', 0, 'must be a number of seconds from 0.1 to 1000000000'),
        ('max_response_size', 0.5, 'must be a number of MiB from 1 to 1000000000'),
        ('max_line_size', float('inf'), 'must be a number of KiB from 1 to 1000000000'),
        ('max_line_size', float('nan'), 'must be a number of KiB from 1 to 1000000000'),
        ('max_samples_per_family', -1, 'must be a number of samples from 0 to 1000000000'),
        ('max_response_size', '64 MiB', 'must be a number of MiB, not of type `str`'),
        ('scrape_timeout', True, 'must be a number of seconds, not of type `bool`'),
        ('exclude_metrics', ['go_.*', '('], 'has an entry that is no regular expression, `(`: '),
        ('raw_line_filters', ['['], 'has an entry that is no regular expression, `[`: '),
        ('ignore_tags', ['*'], 'has an entry that is no regular expression, `*`: '),
        ('extra_metrics', [{'a(': 'b'}], 'has an entry that is no regular expression, `a(`: '),
        ('exclude_metrics_by_labels', {'pod': ['(']}, 'has an entry that is no regular expression, `(`: '),
    ],
)
def test_a_wrong_value_is_explained_in_words_of_yaml(option, value, problem):
    lines = failure({'openmetrics_endpoint': ENDPOINT, option: value}).splitlines()

    assert lines[1] == option
    assert lines[2].strip().startswith(f'Value error, {problem}')


def test_patterns_the_base_check_compiles_first_name_their_option_too():
    with pytest.raises(ConfigurationError, match='`metric_patterns` has an entry that is no regular expression: '):
        KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, 'metric_patterns': {'include': ['(']}}])


def test_right_patterns_are_taken():
    load(
        {
            'openmetrics_endpoint': ENDPOINT,
            'extra_metrics': ['^go_.+', {'a': {'name': 'b', 'type': 'gauge'}}],
            'exclude_metrics_by_labels': {'pod': ['a|b'], 'node': True},
        }
    )


def test_a_legacy_name_of_the_endpoint_is_answered():
    assert (
        'write it like `http://katib-controller.kubeflow.svc:8080/metrics` instead of the legacy `prometheus_url`'
        in (failure({'prometheus_url': ENDPOINT}))
    )


def test_all_wrong_options_are_reported_at_once():
    message = failure({'openmetrics_endpoint': ENDPOINT, 'timeout': 'soon', 'tags': 'team:ml'})

    assert message.startswith('Detected 2 errors')
    assert 'timeout' in message
    assert 'tags' in message


def test_a_wrong_option_stops_the_run_with_the_same_message(dd_run_check):
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': 'katib:8080'}])

    with pytest.raises(Exception, match='`openmetrics_endpoint` must start with `http://` or `https://`'):
        dd_run_check(check)


@pytest.mark.parametrize('option', ['collect_runtime_metrics', 'submit_reconcide_alias', 'target_info'])
def test_added_switches_are_off_unless_set(option):
    assert not getattr(load({'openmetrics_endpoint': ENDPOINT}), option)
    assert getattr(load({'openmetrics_endpoint': ENDPOINT, option: True}), option) is True


def test_a_limit_is_what_its_option_says_and_else_its_default():
    assert Limits.of({'max_line_size': None}) == Limits(256 * 1024**2, 1024 * 1024, 30, 50_000)
    options = {'max_response_size': 1.5, 'max_line_size': 8, 'scrape_timeout': 0.5, 'max_samples_per_family': 0}
    assert Limits.of(options) == Limits(1_572_864, 8192, 0.5, 0)


def test_a_wrong_limit_is_told_where_the_base_check_does_not_look():
    with pytest.raises(ConfigurationError, match=r'^`scrape_timeout` must be a number of seconds from 0.1 to 10+$'):
        Limits.of({'scrape_timeout': 0})


def test_the_example_configuration_loads_as_it_is():
    example = yaml.safe_load(EXAMPLE.read_text(encoding='utf-8'))

    assert example['init_config'] is None
    assert len(example['instances']) == 1
    config = load(example['instances'][0])
    assert config.openmetrics_endpoint == 'http://katib-controller.kubeflow.svc:8080/metrics'


def test_the_example_configuration_offers_the_added_options():
    text = EXAMPLE.read_text(encoding='utf-8')

    for option in (
        'collect_histograms_as_distributions',
        'collect_runtime_metrics',
        'max_line_size',
        'max_response_size',
        'max_returned_metrics',
        'max_samples_per_family',
        'scrape_timeout',
        'submit_reconcide_alias',
        'target_info',
    ):
        assert f'# {option}: ' in text
