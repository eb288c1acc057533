# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import re
from types import MappingProxyType
from typing import get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel

EXAMPLE = 'http://katib-controller.kubeflow.svc:8080/metrics'


# Options that hold regular expressions.
PATTERNS = frozenset(
    {'exclude_metrics', 'exclude_metrics_by_labels', 'extra_metrics', 'ignore_tags', 'metrics', 'raw_line_filters'}
)
DURATIONS = frozenset({'timeout', 'connect_timeout', 'read_timeout'})
# What an option that bounds an answer is a number of, and the least that makes sense.
LIMITS = {
    'max_response_size': ('MiB', 1),
    'max_line_size': ('KiB', 1),
    'scrape_timeout': ('seconds', 0.1),
    'max_samples_per_family': ('samples', 0),
}
# Any more is no limit, and infinity is none that can be computed with.
HIGHEST_LIMIT = 1_000_000_000


def initialize_instance(values, **kwargs):
    """Check the endpoint of an instance, a mapping of options to values, before its fields are typed.

    Raises `ValueError` where `openmetrics_endpoint` is not a URL that can be scraped; one sentence that names the
    option and shows a right value.
    """
    problem = endpoint_problem(values.get('openmetrics_endpoint'))
    if problem:
        # Not at the top: the options are read off the models, which import this module.
        from ..options import LEGACY_OPTIONS

        legacy = [name for name in values if LEGACY_OPTIONS.get(name) == 'openmetrics_endpoint']
        instead = f' instead of the legacy `{legacy[0]}`' if legacy else ''
        raise ValueError(f'`openmetrics_endpoint` {problem}, write it like `{EXAMPLE}`{instead}')

    return values


def __getattr__(name):
    """The models ask for a validator of each option that is set, by the name `instance_<option>`; all have this one."""
    if not name.startswith('instance_'):
        raise AttributeError(name)
    option = name.removeprefix('instance_')

    def check(value, field):
        """Give `value` back. Raises `ValueError` with the end of a sentence whose subject is the option."""
        if (kind := _kind(field.annotation)) and not isinstance(value, (list, tuple) if kind == 'list' else dict):
            raise ValueError(f'must be a {kind}, not of type `{type(value).__name__}`')
        for pattern in _patterns(option, value) if option in PATTERNS else ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f'has an entry that is no regular expression, `{pattern}`: {error}') from None
            except TypeError:
                # What is no text the model names.
                continue
        if option in DURATIONS and isinstance(value, (int, float)) and value <= 0:
            raise ValueError('must be a number of seconds above 0')
        if option in LIMITS and (problem := limit_problem(option, value)):
            raise ValueError(problem)
        return value

    return check


def limit_problem(option, value):
    """Say what keeps `value`, of any type, from being an option of LIMITS.

    Gives the end of a sentence whose subject is the option, or an empty string when nothing is wrong.
    """
    unit, least = LIMITS[option]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f'must be a number of {unit}, not of type `{type(value).__name__}`'
    return '' if least <= value <= HIGHEST_LIMIT else f'must be a number of {unit} from {least} to {HIGHEST_LIMIT}'


def _kind(annotation):
    """What an option of this annotation is in YAML: `list`, `mapping`, or None for everything else."""
    for member in get_args(annotation) or (annotation,):
        origin = get_origin(member) or member
        if origin is tuple:
            return 'list'
        if origin is MappingProxyType or (isinstance(origin, type) and issubclass(origin, BaseModel)):
            return 'mapping'
    return None


def _patterns(option, value):
    """The regular expressions an option of PATTERNS holds."""
    if option == 'exclude_metrics_by_labels':
        for patterns in value.values():
            yield from patterns if isinstance(patterns, (list, tuple)) else ()
    else:
        for entry in value:
            yield from entry if isinstance(entry, dict) else (entry,)


def endpoint_problem(endpoint):
    """Say what keeps the value of `openmetrics_endpoint`, of any type, from being scraped.

    Gives the end of a sentence whose subject is the option, or an empty string when nothing is wrong. It never holds
    credentials or the query string of the URL.
    """
    if endpoint is None:
        return 'is required and missing'
    if not isinstance(endpoint, str):
        return f'must be a string, not of type `{type(endpoint).__name__}`'
    if not endpoint.strip():
        return 'is required and empty'
    if endpoint != endpoint.strip():
        return 'has blanks around it'

    try:
        url = urlsplit(endpoint)
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
    if '%%' in endpoint:
        return f'holds a template variable that Autodiscovery has not resolved{_shown(endpoint)}'

    return ''


def _shown(endpoint):
    # A value that is no proper URL gives no way to tell where credentials end, so one that may hold any stays hidden.
    if '@' in endpoint:
        return ''

    bare = endpoint.replace('#', '?').partition('?')[0]
    return f' (it is `{bare}`)' if bare else ''
