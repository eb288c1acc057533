# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

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
    'url, text, expected',
    [
        ('http://u:pw@h/m?t=s', 'cannot reach http://u:pw@h/m?t=s', 'cannot reach http://h/m'),
        ('http://u:pw@h/m?t=s', 'for url: http://u:pw@h/m', 'for url: http://h/m'),
        ('http://u:pw@h/m?t=s', "host='h': /m?t=s (refused)", "host='h': /m (refused)"),
        ('http://h/m?t=a b', 'url: http://h/m?t=a%20b', 'url: http://h/m'),
        ('http://u:p%20w@h/m', 'sent p%20w, that is p w', 'sent ***, that is ***'),
        ('http://t0ken@h/m', 'sent t0ken to http://t0ken@h/m', 'sent *** to http://h/m'),
        ('http://h/m', 'nothing to hide', 'nothing to hide'),
    ],
)
def test_secrets_are_taken_out_of_messages(url, text, expected):
    assert hide_secrets(text, url) == expected
