# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Expositions that move from scrape to scrape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from simulator import components
from simulator.workloads import busy_world

from .payloads import Foreign, Payload

HELP = re.compile(r'^# HELP (\S+)', re.MULTILINE)


class Exposition:
    """What an endpoint answers: that of a component in a busy world, with foreign lines among it where asked for."""

    def __init__(self, payload: Payload, foreign: Foreign, now: int):
        """`now`, in whole Unix seconds, is the time of the first scrape."""
        self._world = busy_world(payload.seed, payload.namespaces, payload.models, now - payload.seconds)
        self._component = getattr(components, payload.component)(self._world, payload.release)
        self._world.step(payload.seconds)
        self._step = payload.step
        self._foreign = Application(foreign, payload.foreign, Random(payload.seed)) if payload.foreign else None

    def scrape(self) -> bytes:
        """The exposition of this moment; the next one is that of a step later."""
        text = self._component.payload()
        self._world.step(self._step)
        if not self._foreign:
            return text.encode()
        families = {**_families(text), **self._foreign.scrape()}
        return b''.join(families[name] for name in sorted(families))


def _families(text: str) -> dict[str, bytes]:
    """The text of each family by its name, where each begins with its HELP."""
    heads = list(HELP.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.start() : end].encode() for head, end in zip(heads, ends, strict=True)}


class Application:
    """A program that has nothing to do with Kubeflow, with so many lines, those of HELP and TYPE included."""

    def __init__(self, foreign: Foreign, lines: int, random: Random):
        self._random = random
        self._share = foreign.share
        count = len(foreign.families)
        self._families = [
            Family(name, kind, lines // count + (number < lines % count), foreign, random)
            for number, (name, kind) in enumerate(foreign.families.items())
        ]

    def scrape(self) -> dict[str, bytes]:
        """The text of each family by its name, after some of the series have moved."""
        for family in self._families:
            family.move(self._share, self._random)
        return {family.name: family.text() for family in self._families}


class Family:
    """A family as a list of its lines, of which those that move are written anew."""

    def __init__(self, name: str, kind: str, lines: int, foreign: Foreign, random: Random):
        self.name = name
        self._histogram = kind == 'histogram'
        self._bounds = foreign.bounds if self._histogram else []
        self._heads: list[bytes] = []
        self._counts: list[list[int]] = []
        self._sums: list[float] = []
        self._head = f'# HELP {name} Of another application\n# TYPE {name} {kind}\n'.encode()
        room = lines - 2
        for labels in _labels(foreign, name):
            series = self._series(labels)[:room]
            if not series:
                break
            self._heads += series
            self._counts.append([random.randrange(1, 5000) for _ in self._bounds or 'v'])
            self._sums.append(random.uniform(1, 5000))
            room -= len(series)
        # Of each series as many as the family has of the last one, which the number of lines may cut short.
        self._width = len(self._bounds) + 2 if self._histogram else 1
        self._lines = [b''] * len(self._heads)
        for number in range(len(self._counts)):
            self._write(number)

    def move(self, share: float, random: Random) -> None:
        """Let that share of the series count something more."""
        for number in random.sample(range(len(self._counts)), round(share * len(self._counts))):
            counts = self._counts[number]
            counts[random.randrange(len(counts))] += random.randrange(1, 20)
            self._sums[number] += random.uniform(0, 10)
            self._write(number)

    def text(self) -> bytes:
        return self._head + b''.join(self._lines)

    def _series(self, labels: str) -> list[bytes]:
        if not self._histogram:
            return [f'{self.name}{{{labels}}} '.encode()]
        buckets = [f'{self.name}_bucket{{{labels},le="{bound}"}} '.encode() for bound in self._bounds]
        return [*buckets, f'{self.name}_sum{{{labels}}} '.encode(), f'{self.name}_count{{{labels}}} '.encode()]

    def _write(self, number: int) -> None:
        values: list[object] = list(accumulate(self._counts[number]))
        if self._histogram:
            values += [self._sums[number], values[-1]]
        begin = number * self._width
        for index, value in zip(range(begin, len(self._heads)), values, strict=False):
            self._lines[index] = b'%s%s\n' % (self._heads[index], str(value).encode())


def _labels(foreign: Foreign, name: str) -> Iterator[str]:
    service = name.split('_', 1)[0]
    number = 0
    while True:
        rest, labels = number, []
        for label, values in foreign.labels.items():
            rest, index = divmod(rest, len(values))
            labels.append(f'{label}="{values[index]}"')
        yield ','.join([*labels, f'pod="{service}-{number:08x}"'])
        number += 1
