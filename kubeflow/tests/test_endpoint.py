# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.endpoint import hide_secrets, public_url


@pytest.mark.parametrize(
    'url, public',
    [
        ('http://host:8080/metrics', 'http://host:8080/metrics'),
        ('https://user:pa55@host/metrics?token=s3cret#part', 'https://host/metrics'),
        ('http://user:p@55@[::1]:8080/metrics', 'http://[::1]:8080/metrics'),
        ('http://host/metrics?a=1&b=2', 'http://host/metrics'),
    ],
)
def test_what_may_be_seen_of_an_endpoint(url, public):
    assert public_url(url) == public


@pytest.mark.parametrize(
    'text, expected',
    [
        ('cannot reach http://u:pw@h/m?t=s', 'cannot reach http://h/m'),
        ('for url: http://u:p%40w@h:80/m', 'for url: http://h:80/m'),
        ('for url: http://u:p@w@h/m', 'for url: http://h/m'),
        ("host='h': url: /m?t=s (Caused by x)", "host='h': url: /m (Caused by x)"),
        ('`https://h/m?t=s`; raising', '`https://h/m`; raising'),
        ('sent to http://t0ken@h/m, then http://h?t=s', 'sent to http://h/m, then http://h'),
        ("return character(s) in header value: 'Bearer abc\n'", 'return character(s) in header value: ***'),
        ('Did you mean this? a@b, 1/2', 'Did you mean this? a@b, 1/2'),
        ('nothing to hide at http://h/m', 'nothing to hide at http://h/m'),
    ],
)
def test_secrets_are_taken_out_of_messages_and_nothing_else(text, expected):
    assert hide_secrets(text) == expected


def test_secrets_are_taken_out_of_what_is_logged(caplog):
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': 'http://h/m'}])
    check.log.error('no answer from `%s`, %d tries', 'http://u:pw@h/m?t=s', 3)
    assert 'no answer from `http://h/m`, 3 tries' in caplog.text
    assert 'pw' not in caplog.text
