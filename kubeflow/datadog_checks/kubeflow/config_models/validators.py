# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from urllib.parse import urlsplit

EXAMPLE = 'http://katib-controller.kubeflow.svc:8080/metrics'


def initialize_instance(values, **kwargs):
    """
    Check the endpoint of an instance before its fields are typed.

    Arguments:
        values: the instance as the user wrote it, a mapping of option names to values

    Returns:
        `values`, unchanged.

    Raises:
        ValueError: when `openmetrics_endpoint` is not a URL that can be scraped; one sentence that names the option
            and shows a right value.
    """
    problem = endpoint_problem(values.get('openmetrics_endpoint'))
    if problem:
        raise ValueError(f'`openmetrics_endpoint` {problem}, write it like `{EXAMPLE}`')

    return values


def endpoint_problem(endpoint):
    """
    Say what keeps `endpoint` from being scraped.

    Arguments:
        endpoint: the value of `openmetrics_endpoint`, of any type

    Returns:
        The end of a sentence whose subject is the option, or an empty string when nothing is wrong. It never holds
        credentials or the query string of the URL.
    """
    if endpoint is None:
        return 'is required and missing'
    if not isinstance(endpoint, str):
        return f'must be a string, not of type `{type(endpoint).__name__}`'
    if not endpoint.strip():
        return 'is required and empty'

    try:
        url = urlsplit(endpoint.strip())
        # Reading the port is what validates it.
        url.port  # noqa: B018
    except ValueError:
        return f'has a host or port that cannot be read{_shown(endpoint)}'

    # The HTTP client of the base package also speaks to Unix sockets.
    if url.scheme == 'unix':
        return ''
    if url.scheme not in ('http', 'https'):
        return f'must start with `http://` or `https://`{_shown(endpoint)}'
    if not url.hostname:
        return f'has no host{_shown(endpoint)}'

    return ''


def _shown(endpoint):
    # A value that is no proper URL gives no way to tell where credentials end, so one that may hold any stays hidden.
    if '@' in endpoint:
        return ''

    bare = endpoint.strip().replace('#', '?').partition('?')[0]
    return f' (it is `{bare}`)' if bare else ''
