# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to tell about a payload in which nothing is Kubeflow's."""

from __future__ import annotations

from .payload import Payload

SHOWN_FAMILIES = 5

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
        'set `openmetrics_endpoint` to the component itself',
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


def is_starting(payload: Payload, now: float) -> bool:
    """Whether the payload is that of a controller that has just started: normal, and nothing to warn of.

    `now` is in seconds since the epoch, as `process_start_time_seconds`.
    """
    started = payload.process_start_time
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
    # What every program exposes says least, so it is shown last.
    telling = sorted(payload.names, key=lambda name: name.startswith(RUNTIME))
    names = list(dict.fromkeys(telling))
    shown = ', '.join(names[:SHOWN_FAMILIES])
    more = f' and {len(names) - SHOWN_FAMILIES} more' if len(names) > SHOWN_FAMILIES else ''
    return f'Nothing at {endpoint} is Kubeflow\'s. First families seen: {shown}{more}. Likely cause: {_cause(payload)}.'


def _cause(payload: Payload) -> str:
    for prefixes, cause in FOREIGN:
        if any(name.startswith(prefixes) for name in payload.names):
            return cause
    if payload.controllers:
        return (
            f'this program runs controllers that are not Kubeflow\'s ({", ".join(sorted(payload.controllers)[:3])}); '
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
