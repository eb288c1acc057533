# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A kind cluster with one environment in it, for as long as the tests need it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from datadog_checks.dev._env import E2E_TEAR_DOWN, set_up_env
from datadog_checks.dev.conditions import WaitFor
from datadog_checks.dev.kind import KindLoad, kind_run
from datadog_checks.dev.kube_port_forward import port_forward
from datadog_checks.dev.structures import TempDir

from .plan import PAUSE, ROOT, Amendment, Command, Endpoint, Plan, auto_conf

TOOLS = ('kind', 'kubectl', 'docker')

# ddev can put an Agent into a cluster from 20.1.0 on, which needs this Python; the environments for end-to-end tests
# run on the one of ddev.
AGENT_IN_CLUSTER = sys.version_info >= (3, 13)
AGENT_SECONDS = 600

# Beyond what kubectl was told to wait, before it is ended, in seconds.
GRACE = 30
# Between two looks at what a command prints, in seconds.
POLL = 5

# What the tests are told through ddev, which runs them in another process.
STATE = 'kind'


class StepFailed(Exception):
    """A command did not do in time what it was to do; the message names it and holds what it printed last."""


def missing() -> str:
    """Why no cluster can be made on this machine, in one sentence; '' where one can."""
    for tool in TOOLS:
        if not shutil.which(tool):
            return f'`{tool}` is not on PATH; the end-to-end tests need {", ".join(TOOLS)} and a running Docker.'
    try:
        answer = subprocess.run(['docker', 'info'], capture_output=True, text=True, timeout=GRACE, check=False)
    except subprocess.TimeoutExpired:
        return f'`docker info` gave no answer within {GRACE} seconds; the end-to-end tests need a running Docker.'
    if answer.returncode:
        return f'`docker info` failed: {_last_line(answer.stderr or answer.stdout)}'
    return ''


@contextmanager
def environment(plan: Plan, save_state: Callable[[str, Any], None]) -> Iterator[tuple[dict, dict]]:
    """Make the cluster and what is in it; yields the Agent's configuration and how ddev is to run the Agent.

    `save_state` gets, under `STATE`, the plan's environment and version and the instances of the check that reach the
    endpoints from this machine, by name.

    Raises `StepFailed`, `SubprocessError` of the commands of kind.
    """
    with TempDir(f'kubeflow-{plan.environment}') as name:
        directory = Path(name)
        config = directory / 'kind.yaml'
        config.write_text(yaml.safe_dump(plan.kind_config()), encoding='utf-8')
        # Not on the stack below: `kind_run` finds the check's name by who enters it. One attempt, because a second one
        # would start from nothing.
        with (
            kind_run(conditions=conditions(plan), kind_config=str(config), attempts=1) as kubeconfig,
            ExitStack() as stack,
        ):
            try:
                instances = forwarded(plan, kubeconfig, directory, stack)
            except BaseException:
                # ddev wants all left as it is, for its tests. There will be none.
                os.environ[E2E_TEAR_DOWN] = 'true'
                TempDir.all_names.clear()
                raise
            save_state(STATE, {'environment': plan.environment, 'version': plan.version, 'instances': instances})

            yield agent(plan, kubeconfig, directory, list(instances.values()))


def forwarded(plan: Plan, kubeconfig: str, directory: Path, stack: ExitStack) -> dict[str, dict[str, Any]]:
    """The instances of the check that reach the endpoints from this machine, by name; `stack` ends the forwarding.

    Raises `StepFailed`, and `RetryError` where nothing listens.
    """
    token = write_token(kubeconfig, directory) if _wants_token(plan) else directory / 'token'
    instances = {}
    for endpoint in plan.endpoints:
        kind, _, name = endpoint.workload.partition('/')
        host, port = stack.enter_context(port_forward(kubeconfig, endpoint.namespace, endpoint.port, kind, name))
        instances[endpoint.name] = endpoint.instance(host, port, from_here(endpoint, token))
        # ddev enters a second time, to end what the first one made.
        if set_up_env():
            WaitFor(_connect, attempts=15, wait=1, args=(host, port))()
    return instances


def conditions(plan: Plan) -> list[Callable[[], Any]]:
    """What follows the creation of the cluster, in order."""
    if plan.environment != 'simulator':
        return [lambda: set_up(plan)]

    from .simulator import IMAGE

    build = Command(('docker', 'build', '--tag', IMAGE, str(ROOT / 'simulator')), 600)
    return [lambda: run(build), KindLoad(IMAGE), lambda: set_up(plan)]


def set_up(plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
    """Run the plan's commands; where one fails, show what the cluster looked like.

    Raises `StepFailed`, also once the plan has taken its longest.
    """
    end = clock() + plan.longest
    try:
        for command in plan.commands():
            if clock() > end:
                raise StepFailed(f'{plan.environment} {plan.version} was not up within {plan.longest} seconds')
            if isinstance(command, Amendment):
                command = command.write(run(command.read))
            run(command)
    except StepFailed:
        for what in (['pods', '--output=wide'], ['events', '--sort-by=.lastTimestamp']):
            argv = ['kubectl', 'get', *what, '--all-namespaces']
            subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=GRACE, check=False)
        raise


def run(command: Command, sleep: Callable[[float], None] = time.sleep) -> str:
    """What the command prints. It is ended once its time is over. Raises `StepFailed`."""
    print('+', *command.argv, file=sys.stderr, flush=True)
    if command.matches:
        return _repeated(command, sleep)
    for attempt in range(command.attempts):
        if attempt:
            sleep(PAUSE)
        code, output = _run(command.argv, command.seconds + GRACE)
        if code == 0:
            return output
    tries = f' in {command.attempts} attempts' if command.attempts > 1 else ''
    raise StepFailed(f'`{" ".join(command.argv)}` failed{tries}: {_last_line(output)}')


def _repeated(command: Command, sleep: Callable[[float], None]) -> str:
    output = ''
    for _ in range(max(1, command.seconds // POLL)):
        _, output = _run(command.argv, GRACE)
        if re.search(command.matches, output):
            return output
        sleep(POLL)
    raise StepFailed(
        f'`{" ".join(command.argv)}` did not print {command.matches} within {command.seconds} seconds: '
        f'{_last_line(output)}'
    )


def _run(argv: tuple[str, ...], seconds: float) -> tuple[int, str]:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f'it did not end within {seconds} seconds'
    return done.returncode, done.stdout


def write_token(kubeconfig: str, directory: Path) -> Path:
    """A file with a token of the account that may read metrics (manifests/access.yaml). Raises `StepFailed`."""
    path = directory / 'token'
    argv = ('kubectl', f'--kubeconfig={kubeconfig}', 'create', 'token', 'metrics-reader', '--duration=24h')
    token = run(Command((*argv, '--namespace=kubeflow-e2e'), 60))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='ascii') as file:
        file.write(token.strip())
    return path


def from_here(endpoint: Endpoint, token: Path) -> dict[str, Any]:
    """The endpoint's options outside the cluster, where the token of the Agent's account is not."""
    options = dict(endpoint.options)
    if 'auth_token' in options:
        options['auth_token'] = {**options['auth_token'], 'reader': {'type': 'file', 'path': str(token)}}
    return options


def agent(plan: Plan, kubeconfig: str, directory: Path, instances: list[dict]) -> tuple[dict, dict]:
    """The Agent's configuration and how ddev is to run the Agent, for the ddev of this Python."""
    if not AGENT_IN_CLUSTER:
        return {'init_config': {}, 'instances': instances}, {
            'agent_type': 'docker',
            'docker_volumes': [f'{directory}:{directory}:ro'],
        }
    path = directory / 'auto_conf.yaml'
    path.write_text(yaml.safe_dump(auto_conf(plan)), encoding='utf-8')
    return {'init_config': {}, 'instances': []}, {
        'agent_type': 'kubernetes',
        'kubernetes': {'kubeconfig': kubeconfig, 'auto_conf': str(path), 'wait_timeout': AGENT_SECONDS},
    }


def _wants_token(plan: Plan) -> bool:
    return set_up_env() and any('auth_token' in endpoint.options for endpoint in plan.endpoints)


def _connect(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=5).close()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else 'it printed nothing'
