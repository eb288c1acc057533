# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to tell about an answer in which nothing is Kubeflow's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from .fetch.answers import WRONG_PLACE, Kind
from .parsing import Malformed
from .payload import Payload

SHOWN_FAMILIES = 5

# Of what an endpoint says, in messages.
SHOWN_CHARACTERS = 100

# A controller registers its families once its webhook certificates are ready (Katib, every release), so for the
# first minutes there may be nothing but what any such program exposes.
STARTING_SECONDS = 300

RUNTIME = ('go_', 'process_', 'python_', 'promhttp_')
CONTROLLER_RUNTIME = ('controller_runtime_', 'workqueue_', 'rest_client_', 'certwatcher_', 'leader_election_')

# What a family that starts so says about where the scrape went.
FOREIGN = (
    (
        ('prometheus_tsdb_', 'prometheus_engine_', 'prometheus_build_info', 'prometheus_target_'),
        "these are a Prometheus server's own metrics, not those of what it scrapes; "
        'set `openmetrics_endpoint` to the component itself, or to the path `/federate` of the server with selectors '
        'in the parameter `match[]`',
    ),
    (
        ('istio_', 'envoy_'),
        'this is the port of an Envoy or Istio proxy beside the component; '
        'set `openmetrics_endpoint` to the metrics port of the component',
    ),
    (
        ('flask_', 'rest_http_', 'nodejs_'),
        "this is a web application, as Kubeflow's own are, and exposes nothing this check submits; "
        'set `openmetrics_endpoint` to a controller or a model server',
    ),
    (('kube_',), 'this is kube-state-metrics, not a component of Kubeflow'),
    (
        ('activator_', 'autoscaler_', 'queue_requests_per_second', 'queue_average_concurrent_requests'),
        "these are numbers for Knative's autoscaler; requests are counted by the InferenceService's pod, port 9091",
    ),
)

# Of the path of a Prometheus server under any prefix: its query API, and its pages in releases 2 and 3.
PROMETHEUS_PAGE = re.compile(
    r'/api/v1/(?:query|query_range|query_exemplars|series|labels?|targets|metadata|rules|alerts|status)(?:/|$)'
    r'|/(?:classic/)?(?:graph|query|targets|alerts|rules|config|flags|status|service-discovery|tsdb-status)/?$'
)
PROMETHEUS_PAGE_HINT = (
    'this is a page or the query API of a Prometheus server; set `openmetrics_endpoint` to the component itself, or to '
    'the path `/federate` of the server with selectors in the parameter `match[]`'
)


def is_federate(url: str) -> bool:
    """Whether the URL is that of a Prometheus server's federation, under any prefix of the path."""
    return urlsplit(url).path.endswith('/federate')


def is_starting(payload: Payload, now: float) -> bool:
    """Whether the payload is that of a controller that has just started: normal, and nothing to warn of.

    `now` is in seconds since the epoch, as `process_start_time_seconds`.
    """
    started = min(payload.process_start_times, default=None)
    return (
        started is not None
        and now - started < STARTING_SECONDS
        and not payload.controllers
        and any(name.startswith(CONTROLLER_RUNTIME) for name in payload.names)
        and all(name.startswith(RUNTIME + CONTROLLER_RUNTIME) for name in payload.names)
    )


def nothing_recognised(payload: Payload, endpoint: str) -> str:
    """One sentence or two: what was seen at the endpoint, the likely cause and what to do.

    `endpoint` is shown as it is; the payload has at least one family.
    """
    seen = f'First families seen: {_first(payload.names)}'
    return f'Nothing at {endpoint} is Kubeflow\'s. {seen}. Likely cause: {_cause(payload)}.'


def nothing_federated(names: Sequence[str], endpoint: str) -> str:
    """As `nothing_recognised`, of the families that a Prometheus server federates."""
    cause = 'the selectors of its `match[]` ask for other series, or the server does not scrape Kubeflow'
    seen = f'First families seen: {_first(names)}'
    return f'Nothing that {endpoint} federates is Kubeflow\'s. {seen}. Likely cause: {cause}.'


def federates_nothing(url: str, endpoint: str) -> str:
    """What to tell about federation that answers without a series. `endpoint` is `url` as it may be shown."""
    query = urlsplit(url).query
    if not parse_qs(query).get('match[]'):
        return (
            f'{endpoint} answered without any series, for it federates what the parameter `match[]` selects and '
            '`openmetrics_endpoint` has none: append a selector to it, such as match[]={__name__=~"katib_.*"}.'
        )
    cause = 'the server does not scrape Kubeflow, or no label has such a value'
    if '+' in query:
        cause = 'the `+` in a selector, which a URL takes for a space: write `.*`, or %2B'
    return (
        f'{endpoint} answered without any series: it has none that the selectors of `match[]` in '
        f'`openmetrics_endpoint` meet. Likely cause: {cause}.'
    )


# What a component that answers so most likely wants.
REFUSALS = {
    401: 'The endpoint asks for a token: set `auth_token`, and let its account `get` the path `/metrics`',
    403: (
        'Likely cause: a token whose account may not `get` the path `/metrics`, or Istio, which lets nobody in whom no '
        'AuthorizationPolicy allows'
    ),
    404: (
        "Likely cause: another port or path than that of the metrics; MLServer's port is 8082, not the 8080 that "
        'KServe annotates'
    ),
}


def refused(url: str, status: int) -> str:
    """What to do about an answer with a status from 400 on; empty where nothing is likely."""
    if is_federate(url) and status == 400:
        return (
            'A selector of `match[]` in `openmetrics_endpoint` is not valid: try it as a query on a page of the server'
        )
    # Where there is no such page there is another program.
    if status != 404 and PROMETHEUS_PAGE.search(urlsplit(url).path):
        return f'Likely cause: {PROMETHEUS_PAGE_HINT}'
    return REFUSALS.get(status, '')


def unreadable(url: str, content_type: str, use_latest_spec: bool) -> str:
    """Why what `url` answered may be no exposition, and what to do."""
    if PROMETHEUS_PAGE.search(urlsplit(url).path):
        return PROMETHEUS_PAGE_HINT
    if use_latest_spec and content_type.partition(';')[0] == 'text/plain':
        return (
            '`use_latest_spec: true` asks for OpenMetrics and the answer is in the older text format, '
            'the only one that Prometheus federates in; leave the option out'
        )
    return WRONG_PLACE


def no_exposition(endpoint: str, content_type: str, reason: str, cause: str) -> str:
    """What to tell about an answer that is no exposition at all, for the reason and the likely cause given."""
    return (
        f'What {endpoint} answered (Content-Type: {shown(content_type) or "none"}) is no Prometheus exposition: '
        f'{reason}. Likely cause: {cause}.'
    )


def another_kind(endpoint: str, url: str, content_type: str, kind: Kind) -> str:
    """As `no_exposition`, of an answer of `url` that is of another kind."""
    cause = PROMETHEUS_PAGE_HINT if PROMETHEUS_PAGE.search(urlsplit(url).path) else kind.cause
    return no_exposition(endpoint, content_type, f'it is {kind.what}', cause)


def no_success(endpoint: str, url: str, status: int, reason: str, kind: Kind | None) -> str:
    """What to tell about an answer of `url` with another status than 200, as requests words it, and what to do.

    `kind` is what its body is, None where that is not known.
    """
    what = 'Client Error: ' if 400 <= status < 500 else 'Server Error: ' if status >= 500 else ''
    told = [f'{status} {what}{shown(reason)} for url: {endpoint}']
    if status < 400:
        told.append('A scrape is answered with 200: set `openmetrics_endpoint` to where the exposition is')
    elif hint := refused(url, status):
        told.append(hint)
    if kind and kind.is_telling:
        told.append(f'What came with it is {kind.what}. Likely cause: {kind.cause}')
    return '. '.join(told)


def shown(text: str) -> str:
    """What an endpoint said, as it may stand in a message: printable, and its beginning alone where it is long."""
    printable = ascii(text[:SHOWN_CHARACTERS])[1:-1]
    return f'{printable[:SHOWN_CHARACTERS]}...' if len(text) > SHOWN_CHARACTERS else printable


def untyped(names: Sequence[str], endpoint: str) -> str:
    """What to tell about families that options name without a type and that were left out because they have none."""
    return (
        f'What {endpoint} federates has no types, so these families of `extra_metrics` are left out: {_first(names)}. '
        f'Give each its type: `{names[0]}: {{name: {names[0]}, type: gauge}}`, or counter.'
    )


def many_target_infos(endpoint: str) -> str:
    """What to tell about `target_info: true` where the family has the labels of many programs."""
    return (
        f'`target_info: true` has no effect, for {endpoint} federates many targets: use `share_labels` with '
        '`target_info: {match: [job, instance], labels: [kn_revision_name, kn_service_name]}` and '
        '`cache_shared_labels: false`.'
    )


def _first(names: Sequence[str]) -> str:
    # What every program exposes says least, so it is shown last.
    telling = list(dict.fromkeys(sorted(names, key=lambda name: name.startswith(RUNTIME))))
    more = f' and {len(telling) - SHOWN_FAMILIES} more' if len(telling) > SHOWN_FAMILIES else ''
    return ', '.join(map(shown, telling[:SHOWN_FAMILIES])) + more


def _cause(payload: Payload) -> str:
    for prefixes, cause in FOREIGN:
        if any(name.startswith(prefixes) for name in payload.names):
            return cause
    if payload.controllers:
        controllers = ', '.join(map(shown, sorted(payload.controllers)[:3]))
        return (
            f"this program runs controllers that are not Kubeflow's ({controllers}); "
            'set `openmetrics_endpoint` to a component of Kubeflow'
        )
    if any(name.startswith(CONTROLLER_RUNTIME) for name in payload.names):
        return 'a controller whose controllers have not started; look at its log for what it waits for'
    if all(name.startswith(RUNTIME) for name in payload.names):
        return (
            'a program that exposes its runtime alone, or whose own metrics are switched off; '
            'check the port and the options of the component'
        )
    return 'a wrong port, or a program that is not part of Kubeflow'


def malformed_lines(endpoint: str, lines: Sequence[Malformed]) -> str:
    """What to tell about lines of the text format that cannot be understood."""
    families = sorted({family for line in lines for family in line.families})
    more = f' (and {len(lines) - 1} more)' if len(lines) > 1 else ''
    return (
        f'The exposition of {endpoint} has a line that cannot be understood: {lines[0]}{more}. What is made of '
        f'{_first(families)} is left out of this run, the rest is submitted; it is for the component to mend.'
    )
