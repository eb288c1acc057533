# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Requests to model servers over HTTP."""

import json
import urllib.error
import urllib.request


def tensor(value):
    """The body of an inference of one number, by the Open Inference Protocol."""
    return {'inputs': [{'name': 'x', 'shape': [1], 'datatype': 'FP64', 'data': [value]}]}


def post(url, body):
    """Send `body`, a string as it is and anything else as JSON; returns the status of the answer."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def send(url, requests):
    """Send requests, each a path, a body and the status that must come back, to the server at `url`."""
    for path, body, status in requests:
        assert post(url + path, body) == status, (path, body)
