# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What stands between the braces of a query: which series are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase

EVERYTHING = '*'

# What is chosen for each template variable: `tag:value`, or `EVERYTHING`.
Chosen = Mapping[str, str]


@dataclass(frozen=True)
class Anything:
    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        return True


@dataclass(frozen=True)
class Tag:
    """A tag, in which an asterisk stands for any text."""

    pattern: str

    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        if EVERYTHING in self.pattern:
            return any(fnmatchcase(tag, self.pattern) for tag in tags)
        return self.pattern in tags


@dataclass(frozen=True)
class Variable:
    """A template variable by its name."""

    name: str

    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        value = chosen[self.name]
        return value == EVERYTHING or Tag(value).matches(tags, chosen)


@dataclass(frozen=True)
class Not:
    part: Filter

    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        return not self.part.matches(tags, chosen)


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Filter, ...]

    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        return all(part.matches(tags, chosen) for part in self.parts)


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Filter, ...]

    def matches(self, tags: Set[str], chosen: Chosen) -> bool:
        return any(part.matches(tags, chosen) for part in self.parts)


Filter = Anything | Tag | Variable | Not | AllOf | AnyOf


def variables(condition: Filter) -> Iterator[str]:
    """The template variables in a filter, by name."""
    match condition:
        case Variable(name):
            yield name
        case Not(part):
            yield from variables(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from variables(part)
