# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is done to a cluster, as commands: read from the YAML files beside this one, run by `cluster.py`.

Nothing here starts a program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploy.annotations import v2
from deploy.endpoints import Endpoint as Row
from deploy.endpoints import of_release

HERE = Path(__file__).resolve().parent
MANIFESTS = HERE / 'manifests'
ROOT = HERE.parents[2]
AUTO_CONF = ROOT / 'kubeflow' / 'datadog_checks' / 'kubeflow' / 'data' / 'auto_conf.yaml'

ENVIRONMENT = 'KUBEFLOW_ENVIRONMENT'
VERSION = 'KUBEFLOW_VERSION'

ENVIRONMENTS = ('upstream', 'simulator')

# A webhook that is up may still refuse for a while, and an answer from far away may not come.
ATTEMPTS = 6
PAUSE = 10

# What every instance of the check is given, so that each metric that an option adds arrives too.
OPTIONS: Mapping[str, Any] = {
    'collect_runtime_metrics': True,
    'submit_reconcide_alias': True,
    'telemetry': True,
    'exclude_metrics': ['go_info'],
    'raw_line_filters': ['^promhttp_'],
}


class BadPlan(Exception):
    """An environment that cannot be meant; the message is one sentence that names what is wrong and what to do."""


@dataclass(frozen=True)
class Command:
    """A command line, how long it may take in seconds, and how often it is tried.

    With `matches`, a pattern, it is repeated until its output holds that or `seconds` have passed.
    """

    argv: tuple[str, ...]
    seconds: int
    attempts: int = 1
    matches: str = ''


@dataclass(frozen=True)
class Amendment:
    """A command that depends on what another one prints."""

    read: Command
    write: Callable[[str], Command]


@dataclass(frozen=True)
class Endpoint:
    """A port of a pod that is scraped, see `upstream.yaml`."""

    name: str
    component: str
    namespace: str
    workload: str
    container: str
    port: int
    discovery: str
    scheme: str = 'http'
    path: str = '/metrics'
    image: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)

    def instance(self, host: str, port: int | None = None, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The check's options for this endpoint at `host`; `options` stand in for its own."""
        url = f'{self.scheme}://{host}:{port or self.port}{self.path}'
        return {'openmetrics_endpoint': url, **OPTIONS, **(self.options if options is None else options)}


@dataclass(frozen=True)
class Plan:
    """An environment with one Kubeflow release: what it is made of, what is done to it, where it is scraped.

    `longest` is after how many seconds no further command is begun.
    """

    environment: str
    version: str
    longest: int
    pins: Mapping[str, str]
    actions: tuple[Mapping[str, Any], ...]
    endpoints: tuple[Endpoint, ...]

    def commands(self) -> Iterator[Command | Amendment]:
        """Everything to run, in order. Raises `BadPlan`."""
        for action in self.actions:
            yield from commands(action, self)

    def kind_config(self) -> dict[str, Any]:
        """The configuration of the cluster: one node, for the Agent that ddev puts into it wants no second."""
        node = {'role': 'control-plane', 'image': f'kindest/node:{self.pins["node"]}'}
        return {'kind': 'Cluster', 'apiVersion': 'kind.x-k8s.io/v1alpha4', 'nodes': [node]}


def chosen(environ: Mapping[str, str] = os.environ) -> Plan:
    """The plan that the environment variables name. Raises `BadPlan` where one is not set or names nothing."""
    values = []
    for variable, known in ((ENVIRONMENT, ENVIRONMENTS), (VERSION, versions())):
        value = environ.get(variable)
        if value not in known:
            raise BadPlan(
                f'{variable} is {repr(value) if value else "not set"}; it takes one of {", ".join(known)}. '
                'The environments of `ddev env show kubeflow` set it.'
            )
        values.append(value)
    return read_plan(*values)


def versions() -> tuple[str, ...]:
    """The Kubeflow releases that can be chosen."""
    return tuple(_yaml('releases.yaml')['releases'])


def read_plan(environment: str, version: str) -> Plan:
    """The plan of one environment and one Kubeflow release. Raises `BadPlan`."""
    data = _yaml(f'{environment}.yaml')
    pins = {'kubeflow': version, **_yaml('releases.yaml')['releases'][version]}
    actions = tuple(action for action in data['actions'] if _applies(action, version))
    if environment == 'simulator':
        # Imported only here: who tests against the upstream releases needs no simulator.
        from .simulator import endpoints as simulated

        return Plan(environment, version, data['longest'], pins, actions, simulated(version))
    rows = {row.component: row for row in of_release(version)}
    endpoints = tuple(
        _endpoint(name, entry, rows[entry['component']])
        for name, entry in data['endpoints'].items()
        if entry['component'] in rows
    )
    return Plan(environment, version, data['longest'], pins, actions, endpoints)


def _endpoint(name: str, entry: Mapping[str, str], row: Row) -> Endpoint:
    options = {option: value for option, value in row.instance.items() if option != 'openmetrics_endpoint'}
    return Endpoint(
        name=name, container=row.container, port=row.port, scheme=row.scheme, path=row.path, options=options, **entry
    )


def commands(action: Mapping[str, Any], plan: Plan) -> Iterator[Command | Amendment]:
    """The commands of one action. Raises `BadPlan` for one of no known verb."""
    verbs = [key for key in action if key in _VERBS]
    if len(verbs) != 1 or not isinstance(action.get('seconds'), int):
        raise BadPlan(
            f'{plan.environment}.yaml: an action has one verb of {", ".join(_VERBS)} and `seconds`, '
            f'not {", ".join(action)}'
        )
    yield from _VERBS[verbs[0]](action, plan)


def _apply(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    source = _filled(action['apply'], plan)
    if '://' not in source:
        source = str(MANIFESTS / source)
    yield _applied('-f', source, action)


def _kustomize(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    yield _applied('-k', _filled(action['kustomize'], plan), action)


def _applied(flag: str, source: str, action: Mapping[str, Any]) -> Command:
    # On the server, because some CRDs are too large for the annotation that the client would keep.
    return Command(
        ('kubectl', 'apply', '--server-side', '--force-conflicts', flag, source), action['seconds'], attempts=ATTEMPTS
    )


def _rollout(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    for resource in action['rollout']:
        yield _kubectl(action, 'rollout', 'status', resource, f'--timeout={action["seconds"]}s')


def _wait(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    for resource in action['resources']:
        yield _kubectl(action, 'wait', f'--for={action["wait"]}', resource, f'--timeout={action["seconds"]}s')


def _patch(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    yield _patched(action, action['patch'], action['with'])


def _amend(action: Mapping[str, Any], plan: Plan) -> Iterator[Amendment]:
    """A key of a ConfigMap that holds JSON: some of it is changed, the rest is the release's own."""
    key, changes = action['key'], action['with']

    def write(text: str) -> Command:
        settings = json.loads(json.loads(text)['data'][key])
        return _patched(action, action['amend'], {'data': {key: json.dumps({**settings, **changes})}})

    yield Amendment(_kubectl(action, 'get', action['amend'], '--output=json'), write)


def _set(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    yield _kubectl(action, 'set', *(_filled(argument, plan) for argument in action['set']))


def _restart(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    yield _kubectl(action, 'rollout', 'restart', *action['restart'])


def _delete(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    yield _kubectl(action, 'delete', *action['delete'], '--wait', f'--timeout={action["seconds"]}s')


def _until(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    command = _kubectl(action, 'get', *action['until'])
    yield Command(command.argv, action['seconds'], matches=action['matches'])


def _annotate(action: Mapping[str, Any], plan: Plan) -> Iterator[Command]:
    """The annotations by which an Agent finds endpoints; those that the release does not have are passed over."""
    for endpoint in plan.endpoints:
        if endpoint.name in action['annotate']:
            template = {'metadata': {'annotations': annotations(endpoint)}}
            yield _patched(
                {**action, 'namespace': endpoint.namespace}, endpoint.workload, {'spec': {'template': template}}
            )


_VERBS: Mapping[str, Callable[[Mapping[str, Any], Plan], Iterator[Command | Amendment]]] = {
    'apply': _apply,
    'kustomize': _kustomize,
    'rollout': _rollout,
    'wait': _wait,
    'patch': _patch,
    'amend': _amend,
    'set': _set,
    'restart': _restart,
    'delete': _delete,
    'until': _until,
    'annotate': _annotate,
}


def annotations(endpoint: Endpoint) -> dict[str, str]:
    """The annotation of a pod by which an Agent scrapes the endpoint."""
    return v2(endpoint.container, endpoint.instance('%%host%%'))


def auto_conf(plan: Plan) -> dict[str, Any]:
    """What the Agent in the cluster finds by image: as the check's own file has it, or the simulated endpoints."""
    if plan.environment != 'simulator':
        template = yaml.safe_load(AUTO_CONF.read_text(encoding='utf-8'))
        return {**template, 'instances': [{**instance, **OPTIONS} for instance in template['instances']]}
    images = sorted({endpoint.image for endpoint in plan.endpoints})
    instances = [endpoint.instance('%%host%%') for endpoint in plan.endpoints]
    return {'ad_identifiers': images, 'init_config': None, 'instances': instances}


def _patched(action: Mapping[str, Any], resource: str, patch: Mapping[str, Any]) -> Command:
    return _kubectl(action, 'patch', resource, '--type=merge', f'--patch={json.dumps(patch)}')


def _kubectl(action: Mapping[str, Any], verb: str, *arguments: str) -> Command:
    namespace = (f'--namespace={action["namespace"]}',) if 'namespace' in action else ()
    return Command(('kubectl', verb, *arguments, *namespace), action['seconds'])


def _filled(text: str, plan: Plan) -> str:
    try:
        return text.format_map(plan.pins)
    except KeyError as error:
        raise BadPlan(f'{plan.environment}.yaml: {text} names {error}, which is no pin of {plan.version}') from None


def _applies(entry: Mapping[str, Any], version: str) -> bool:
    return version in entry.get('releases', (version,))


def _yaml(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding='utf-8'))
