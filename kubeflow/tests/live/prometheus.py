# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A Prometheus server that runs: from Debian's package where none is installed, without root, unpacked and kept."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from .environment import Unavailable, appearing
from .process import NotReady, Server, free_ports

PACKAGE = 'prometheus'
PROGRAM = Path('usr/bin/prometheus')

SCRAPE_INTERVAL = '1s'

# In seconds.
PACKAGE_TIMEOUT = 300
SCRAPE_TIMEOUT = 60
ANSWER_TIMEOUT = 30

# Prometheus moves the time of a scrape by up to 2 ms so that intervals compress well.
TIMESTAMP_TOLERANCE = 0.01


def find_program(cache: Path) -> Path:
    """
    The path of a Prometheus server: that on PATH, else the one of the distribution's package.

    The package is unpacked below `cache` on first use and kept, under a name that changes with the distribution.

    Raises:
        Unavailable: there is none on PATH, and the package cannot be fetched or does not run here
    """
    if installed := shutil.which(PACKAGE):
        return Path(installed)
    if missing := [tool for tool in ('apt-get', 'dpkg-deb') if not shutil.which(tool)]:
        raise Unavailable(f'no `{PACKAGE}` on PATH, and without {" and ".join(missing)} its package cannot be fetched')

    release = Path('/etc/os-release')
    seed = f'{platform.machine()}\0{release.read_text() if release.exists() else ""}'
    unpacked = cache / f'{PACKAGE}-{hashlib.sha256(seed.encode()).hexdigest()[:16]}'
    if not _runs(unpacked / PROGRAM):
        try:
            _unpack(unpacked)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, 'stderr', None) or ''
            raise Unavailable(f'cannot fetch the package {PACKAGE}: {error}\n{said}') from None
        if not _runs(unpacked / PROGRAM):
            raise Unavailable(f'the package {PACKAGE} has no program that runs here')
    return unpacked / PROGRAM


def _runs(program: Path) -> bool:
    try:
        return not subprocess.run([program, '--version'], capture_output=True, check=False, timeout=60).returncode
    except OSError:
        return False


def _unpack(target: Path) -> None:
    """Fetch the package and unpack it to `target`."""
    with (
        appearing(target, lambda: _runs(target / PROGRAM)) as draft,
        tempfile.TemporaryDirectory(prefix='draft-', dir=target.parent) as directory,
    ):
        fetched = Path(directory)
        try:
            _download(fetched, [])
        except subprocess.CalledProcessError:
            # The system has no lists of packages, or they are older than what the archive holds.
            own = _own_directories(fetched / 'apt')
            _run(['apt-get', *own, 'update'], fetched)
            _download(fetched, own)
        (archive,) = fetched.glob(f'{PACKAGE}_*.deb')
        _run(['dpkg-deb', '-x', archive, draft], fetched)


def _download(directory: Path, options: list[str]) -> None:
    _run(['apt-get', *options, 'download', PACKAGE], directory)


def _own_directories(directory: Path) -> list[str]:
    """Options that have apt-get keep its state where everyone may write."""
    for path in ('state/lists/partial', 'cache/archives/partial'):
        (directory / path).mkdir(parents=True)
    return ['-o', f'Dir::State={directory / "state"}', '-o', f'Dir::Cache={directory / "cache"}']


def _run(command: list, directory: Path) -> None:
    # Root hands downloads to a user who may not write here.
    command = [command[0], *(['-o', 'APT::Sandbox::User=root'] if command[0] == 'apt-get' else []), *command[1:]]
    subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=PACKAGE_TIMEOUT)


class Prometheus(Server):
    """
    A server that scrapes every second.

    Attributes:
        url: where it listens, without a path
    """

    def __init__(
        self,
        program: Path,
        directory: Path,
        scrape_configs: Collection[Mapping[str, Any]],
        port: int | None = None,
    ):
        """
        Args:
            directory: where its files go, none of which is there yet
            scrape_configs: those of prometheus.yml, with static targets
            port: where it listens, one of the system's choice by default
        """
        port = port or free_ports(1)[0]
        self.url = f'http://127.0.0.1:{port}'
        self._targets = sum(len(each['targets']) for config in scrape_configs for each in config['static_configs'])
        directory.mkdir(parents=True)
        config = directory / 'prometheus.yml'
        intervals = {'scrape_interval': SCRAPE_INTERVAL, 'scrape_timeout': SCRAPE_INTERVAL}
        config.write_text(yaml.safe_dump({'global': intervals, 'scrape_configs': list(scrape_configs)}))
        options = [
            f'--config.file={config}',
            f'--storage.tsdb.path={directory / "data"}',
            f'--web.listen-address=127.0.0.1:{port}',
        ]
        super().__init__([program, *options], [port], f'{self.url}/-/ready', directory)

    def federate(self, *selectors: str) -> str:
        """The URL of the federation of what these select."""
        return f'{self.url}/federate?{"&".join(f"match[]={selector}" for selector in selectors)}'

    def get(self, path: str, **query: str) -> str:
        """What the server answers. Raises `OSError`."""
        url = f'{self.url}{path}?{urllib.parse.urlencode(query)}'
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT) as answer:
            return answer.read().decode()

    def query(self, promql: str) -> dict[str, float]:
        """The values of an instant query by the label `job`. Raises `OSError`."""
        result = json.loads(self.get('/api/v1/query', query=promql))['data']['result']
        return {each['metric']['job']: float(each['value'][1]) for each in result}

    def wait_until_scraped(self, down: Collection[str] = ()) -> None:
        """
        Return once every target was scraped that began after this call, those of the jobs `down` without success.

        What a scrape brought is stored together with its `up`, which therefore tells when it can be federated. A job
        has one target here.

        Raises:
            NotReady: that takes too long
        """
        since = time.time() + TIMESTAMP_TOLERANCE
        deadline = time.monotonic() + SCRAPE_TIMEOUT
        while time.monotonic() < deadline:
            times, up = self.query('timestamp(up)'), self.query('up')
            # A target may have been scraped again between the two, which changes nothing.
            if len(times) == self._targets and min(times.values()) > since:
                if up == {job: float(job not in down) for job in times}:
                    return
            time.sleep(0.05)
        raise NotReady(f'not all of {self._targets} targets were scraped as expected: {up} at {times} since {since}')
