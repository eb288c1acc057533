# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A simulated Kubeflow on ports of this machine."""

import errno
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import token_file as tokens
from .certificates import server_context
from .clock import Clock
from .components.component import Component
from .controls import Controls
from .doors import Door, IstioDoor, LoginDoor, SelfSignedDoor, TokenDoor
from .faults import Fault, seconds, size
from .incidents import INCIDENTS, NOT_SCRAPABLE, UnknownIncident, incident, known
from .ports import Acceptor, Port
from .releases import Deployment
from .releases import deployments as deployments_of
from .sites import ComponentSite, ObstacleSite, Site
from .workloads import busy_world
from .world import Incident, World

# Two minutes of the world pass in one second, so that two scrapes a second apart see every counter move.
SPEED = 120.0
# What happened before the first scrape, in seconds of the world.
WARM_UP = 600.0

LAST_PORT = 65535
LOOPBACK = ('localhost', '127.0.0.1', '::1')


class StartError(Exception):
    """The simulator cannot start so; the message is one sentence for the user."""


@dataclass(frozen=True)
class Endpoint:
    """One port. `instance` holds the options of the check, as they stand in conf.yaml.

    `obstacle` is '' where a scrape with them succeeds, else what stands there: 'istio' or 'login'. `how` says in a few
    words what a scrape needs.
    """

    name: str
    title: str
    url: str
    instance: Mapping[str, Any]
    obstacle: str
    how: str
    _running: Callable[[], Component | None] = field(repr=False, compare=False)

    @property
    def component(self) -> Component | None:
        """The component that runs there now, None behind an obstacle. A restart puts a new one in its place."""
        return self._running()


class Simulator:
    """Serves a Kubeflow until it is stopped; a context manager, which starts once.

    `kubeflow` is one of `releases.RELEASES`, None for every component in each of its forms; `deployments` serves just
    these instead, without the obstacles. `speed` is how many seconds of the world pass in one second, from
    `clock.SLOWEST` to `clock.FASTEST`; None lets time stand still until `step`. `warm_up` is how many have passed at
    the start, either way. `base_port` is the port of the first endpoint, the others follow; None has the system choose.
    `token_file` holds the bearer token and is written where it is not there; None makes a new one for this start.
    `epoch` is the Unix time at which the world begins: without one such that it is now at the start, or `World.EPOCH`
    where time stands still.

    `incidents` says what can go wrong in the cluster: what happens, in a line, by the name of each incident.

    Raises `UnknownRelease`, `ValueError` for another speed; `start` raises `StartError`.
    """

    incidents: Mapping[str, str] = INCIDENTS

    def __init__(
        self,
        kubeflow: str | None = None,
        seed: int = 0,
        speed: float | None = SPEED,
        namespaces: int = 3,
        models: int = 1,
        host: str = '127.0.0.1',
        base_port: int | None = None,
        deployments: Iterable[Deployment] | None = None,
        warm_up: float = WARM_UP,
        token_file: Path | None = None,
        epoch: float | None = None,
    ):
        served = tuple(deployments_of(kubeflow) if deployments is None else deployments)
        if epoch is None:
            epoch = World.EPOCH if speed is None else time.time() - warm_up
        self._clock = Clock(busy_world(seed, namespaces, models, epoch), speed)
        self._host = host
        self._base_port = base_port
        self._warm_up = warm_up
        self._token_file = token_file
        self._directory: TemporaryDirectory | None = None
        self._controls = Controls(self.incident, self.end)
        self._ports: list[Port] = []
        self._acceptor: Acceptor | None = None
        self.endpoints: tuple[Endpoint, ...] = ()
        sites: list[Site] = [ComponentSite(each, self._clock) for each in served]
        if deployments is None:
            sites += [
                ObstacleSite('notebook-controller-istio', 'Notebook controller behind Istio', IstioDoor()),
                ObstacleSite('login-page', 'Login page of the gateway', LoginDoor()),
            ]
        for name, number in Counter(site.name for site in sites).items():
            if number > 1:
                raise ValueError(f'{number} deployments are named {name!r}')
        self._sites = {site.name: site for site in sites}

    @property
    def world(self) -> World:
        """The truth behind the expositions. Where time runs by itself it changes while it is read."""
        return self._clock.world

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the endpoints in the order of their ports, known before the start."""
        return tuple(self._sites)

    def __getitem__(self, name: str) -> Endpoint:
        """The endpoint of that name once it is open. Raises `KeyError`."""
        self._site(name)
        return {endpoint.name: endpoint for endpoint in self.endpoints}[name]

    def start(self) -> 'Simulator':
        """Open the ports and let the warm-up pass. Raises `StartError`, `clock.Stopped` where the world breaks."""
        try:
            self._open()
            self._clock.step(self._warm_up)
        except BaseException:
            self.stop()
            raise
        self._clock.start()
        self._acceptor = Acceptor(self._ports)
        return self

    def stop(self) -> None:
        """Close every port, wait for the threads behind them and remove the token. Answers under way may end."""
        self._clock.stop()
        if self._acceptor:
            self._acceptor.stop()
            self._acceptor = None
        if self._ports:
            # At once, because each may wait for an answer under way.
            with ThreadPoolExecutor(len(self._ports)) as pool:
                list(pool.map(Port.close, self._ports))
            self._ports.clear()
        for site in self._sites.values():
            if site.component:
                site.component.close()
        if self._directory:
            self._directory.cleanup()

    def __enter__(self) -> 'Simulator':
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def wait(self) -> str:
        """Wait until the simulator is stopped, or a component died: then one sentence that names it, else ''."""
        return self._clock.wait()

    def step(self, seconds: float) -> None:
        """Let so many seconds of the world pass. Raises `RuntimeError` without `speed=None`."""
        self._clock.step(seconds)

    def restart(self, name: str) -> None:
        """Have the component begin anew, its counters from nothing. Raises `BadFault` for an obstacle."""
        self.apply(name, Fault('restart'))

    def slow(self, name: str, delay: float) -> None:
        """Have the endpoint answer `delay` seconds late. Raises `BadFault`."""
        self.apply(name, Fault('slow', seconds(delay)))

    def cut(self, name: str, length: int) -> None:
        """Have the endpoint hang up after `length` bytes of an answer that is longer. Raises `BadFault`."""
        self.apply(name, Fault('cut', size(length)))

    def unavailable(self, name: str) -> None:
        """Have the endpoint answer 503."""
        self.apply(name, Fault('unavailable'))

    def recover(self, name: str) -> None:
        """End the faults of the endpoint."""
        self.apply(name, Fault('recover'))

    def apply(self, name: str, fault: Fault) -> None:
        """Let that befall the endpoint, before the start too. Raises `KeyError`, `BadFault`."""
        self._site(name).apply(fault)

    def incident(self, name: str) -> Incident:
        """Have that incident in force from now on, before the start too, and give it with its culprits.

        Raises `UnknownIncident`, also where the endpoint it strikes is not served, `clock.Stopped`.
        """
        with self._clock.present():
            begun = incident(name, self.world)
            if name == NOT_SCRAPABLE:
                self._strike(begun, True)
            self.world.begin(begun)
        return begun

    def end(self, name: str) -> None:
        """End that incident, if it is in force; the cluster recovers. Raises `UnknownIncident`, `clock.Stopped`."""
        with self._clock.present():
            if known(name) == NOT_SCRAPABLE:
                self._strike(incident(name, self.world), False)
            self.world.end(name)

    def _strike(self, incident: Incident, unavailable: bool) -> None:
        for endpoint in (culprit['endpoint'] for culprit in incident.culprits):
            if endpoint not in self._sites:
                raise UnknownIncident(f'there is no endpoint {endpoint} for the incident {incident.name}')
            self._sites[endpoint].faults.unavailable = unavailable

    def _site(self, name: str) -> Site:
        try:
            return self._sites[name]
        except KeyError:
            raise KeyError(f'there is no endpoint {name!r}; there are {", ".join(self._sites)}') from None

    def _open(self) -> None:
        doors = self._doors()
        last = None if self._base_port is None else self._base_port + len(self._sites) - 1
        if last is not None and not 0 < self._base_port <= last <= LAST_PORT:
            highest = LAST_PORT + 1 - len(self._sites)
            raise StartError(
                f'base port {self._base_port} leaves no room for {len(self._sites)} endpoints; '
                f'choose one from 1 to {highest}'
            )
        endpoints = []
        for index, site in enumerate(self._sites.values()):
            if isinstance(site, ComponentSite):
                site.door = doors[site.deployment.door]
            self._ports.append(self._listen(0 if self._base_port is None else self._base_port + index, site))
            endpoints.append(self._endpoint(site, self._ports[-1].number))
        self.endpoints = tuple(endpoints)

    def _doors(self) -> dict[str, Door]:
        """The doors by the name a deployment gives them."""
        try:
            self._directory = TemporaryDirectory(prefix='kubeflow-simulator-')
        except OSError as error:
            raise StartError(
                f'no place for the certificate and the token: {error.strerror}; name a directory in TMPDIR'
            ) from None
        directory = Path(self._directory.name)
        tls = server_context((*LOOPBACK, self._host), directory)
        file = self._token_file or directory / 'token'
        try:
            token = tokens.read_or_make(file)
        except tokens.BadTokenFile as error:
            raise StartError(str(error)) from None
        return {'http': Door(), 'https': SelfSignedDoor(tls), 'token': TokenDoor(tls, token, file.absolute())}

    def _listen(self, number: int, site: Site) -> Port:
        try:
            family, _, _, _, address = socket.getaddrinfo(self._host, number, type=socket.SOCK_STREAM)[0]
        except (socket.gaierror, UnicodeError):
            raise StartError(f'host {self._host!r} has no address') from None
        try:
            return Port(family, address, site, self._controls)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f'port {number} of {self._host} is taken; choose another base port'
            elif error.errno == errno.EADDRNOTAVAIL:
                reason = f'host {self._host!r} is no address of this machine'
            else:
                reason = f'cannot listen on port {number} of {self._host}: {error.strerror}'
            raise StartError(reason) from None

    def _endpoint(self, site: Site, port: int) -> Endpoint:
        door = site.door
        url = f'{door.scheme}://{_reachable(self._host)}:{port}{site.path}'
        return Endpoint(
            site.name,
            site.title,
            url,
            {'openmetrics_endpoint': url, **door.options()},
            door.obstacle,
            f'{door.how}; in a cluster: {site.note}' if site.note else door.how,
            lambda: site.component,
        )


def _reachable(host: str) -> str:
    """The host part of a URL that leads to a socket bound to `host`."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return '127.0.0.1' if address.version == 4 else '[::1]'
    return str(address) if address.version == 4 else f'[{address}]'
