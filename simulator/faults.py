# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What can go wrong with an endpoint, and how each fault is asked for.

Over HTTP as `POST /-/slow?seconds=3`, on the command line as `slow:3`.
"""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from reprlib import repr as shortened
from urllib.parse import parse_qsl


class BadFault(ValueError):
    """A fault that cannot be; the message is one sentence."""


class UnknownFault(BadFault):
    """A kind of fault that does not exist; the message is one sentence."""


@dataclass(frozen=True)
class Fault:
    """A fault that was asked for. `value` is None where the kind has no parameter."""

    kind: str
    value: float | int | None = None

    def __str__(self) -> str:
        parameter = KINDS[self.kind]
        return f'{self.kind}, {self.value} {parameter.name}' if parameter else self.kind


@dataclass
class Faults:
    """The faults of one endpoint that are in force. `delay` is in seconds, `length` in bytes."""

    delay: float = 0.0
    length: int | None = None
    unavailable: bool = False

    def apply(self, fault: Fault) -> None:
        """Add a fault to those in force, or end them all. A restart is none that lasts."""
        match fault.kind:
            case 'slow':
                self.delay = fault.value
            case 'cut':
                self.length = fault.value
            case 'unavailable':
                self.unavailable = True
            case 'recover':
                self.delay, self.length, self.unavailable = 0.0, None, False


def seconds(value: str | float) -> float:
    """How late a slow endpoint answers. Raises `BadFault`."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= threading.TIMEOUT_MAX:
        raise BadFault(f'{shortened(value)} is no number of seconds')
    return number


def size(value: str | int) -> int:
    """How many bytes of its answer an endpoint sends before it hangs up. Raises `BadFault`."""
    text = str(value)
    try:
        number = int(text) if text.isascii() and text.isdigit() else -1
    except ValueError:
        # Python reads no number of thousands of digits.
        number = -1
    if number < 0:
        raise BadFault(f'{shortened(value)} is no number of bytes')
    return number


@dataclass(frozen=True)
class _Parameter:
    name: str
    example: int
    read: Callable[[str], float | int]


# By kind: its parameter, if it has one.
KINDS: Mapping[str, _Parameter | None] = {
    'restart': None,
    'slow': _Parameter('seconds', 3, seconds),
    'cut': _Parameter('bytes', 2000, size),
    'unavailable': None,
    'recover': None,
}
# There is nothing to restart and nothing to recover from when the simulator starts.
AT_START = ('slow', 'cut', 'unavailable')


def from_query(kind: str, query: str) -> Fault:
    """The fault that `POST /-/<kind>?<query>` asks for. Raises `BadFault`, `UnknownFault` for the kind."""
    if kind not in KINDS:
        raise UnknownFault(f'there is no /-/{kind}; there are {_listed(f"/-/{each}" for each in KINDS)}')
    parameter = KINDS[kind]
    given = parse_qsl(query, keep_blank_values=True)
    for name, _ in given:
        if parameter is None or name != parameter.name:
            raise BadFault(f'/-/{kind} has no parameter {name!r}')
    if parameter is None:
        return Fault(kind)
    if len(given) != 1:
        raise BadFault(f'/-/{kind} needs {parameter.name} once, as in /-/{kind}?{parameter.name}={parameter.example}')
    return Fault(kind, parameter.read(given[0][1]))


def from_text(text: str) -> Fault:
    """The fault that `KIND[:VALUE]` on the command line asks for. Raises `BadFault`."""
    kind, colon, value = text.partition(':')
    if kind not in AT_START:
        raise UnknownFault(f'{kind!r} is no fault to start with; these are {_listed(AT_START)}')
    parameter = KINDS[kind]
    if parameter is None:
        if colon:
            raise BadFault(f'{kind} has no value, but {value!r} is given')
        return Fault(kind)
    if not value:
        raise BadFault(f'{kind} needs {parameter.name}, as in {kind}:{parameter.example}')
    return Fault(kind, parameter.read(value))


def _listed(names) -> str:
    *most, last = names
    return f'{", ".join(most)} and {last}'
