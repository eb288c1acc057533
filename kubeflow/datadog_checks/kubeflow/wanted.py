# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which families of an exposition somebody asks for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from .catalogue import Catalogue
from .payload import PART_SUFFIX, PART_SUFFIXES

# An endpoint may invent names without end, of any length; then the verdicts are found again.
REMEMBERED_NAMES = 2_000
REMEMBERED_CHARACTERS = 4_096

# As Go's runtime has. For fewer families it is not worth to compile a pattern.
LARGE_GROUP = 8
LONGEST_GROUP = 100


class Verdict(Enum):
    """What is needed of a family: its samples, its name alone as a sign of its component, or nothing."""

    SAMPLES = 'samples'
    NAME = 'name'
    NOTHING = 'nothing'


class Family(NamedTuple):
    """A family by its header: its name and the verdict on it.

    Unless something wanted begins with its name too, `beginning` is how a line below begins that may be dropped unseen.
    Where nothing wanted begins as it does up to the first underscore, `run` matches lines of such families.
    """

    name: str
    verdict: Verdict
    beginning: bytes | None = None
    run: re.Pattern[bytes] | None = None


class Wanted:
    """Gives the verdict on a family by the name that its header or a sample bears.

    `names` are wanted exactly, `search` tells of further ones and `excluded` of those that are not wanted all the same;
    all as they are without the `prefix` that `raw_metric_prefix` removes. Where only the name is seen, its type is not
    known, so a family is wanted if it would be as a counter or as any part of an untyped one.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        names: Collection[str],
        search: Callable[[str], bool] | None = None,
        excluded: Callable[[str], bool] | None = None,
        prefix: str = '',
    ):
        self._catalogue = catalogue
        self._names = frozenset(names)
        self._search = search
        self._prefix = prefix
        beginnings = self._names | catalogue.owned_beginnings
        raw_names = {name + suffix for name in beginnings for suffix in ('', *PART_SUFFIXES)}
        self._sorted = sorted(raw_names | {prefix + name for name in raw_names})
        self._excluded = excluded
        self._verdicts: dict[str, Verdict] = {}
        self._families: dict[bytes, Family] = {}
        self._group_sizes: dict[str, int] = {}

    def __call__(self, name: str) -> Verdict:
        return _remembered(self._verdicts, name, self._verdict)

    def family(self, name: bytes) -> Family:
        """What a header of this name begins."""
        family = self._families.get(name)
        return family or _remembered(self._families, name, self._family)

    def _family(self, raw_name: bytes) -> Family:
        name = raw_name.decode('utf-8', 'replace')
        # The parser tells what is wrong with a header that has no name.
        verdict = self(name) if name else Verdict.SAMPLES
        if verdict is not Verdict.NOTHING or not self._none_begins_with(name):
            return Family(name, verdict)
        group = name[: name.find('_', 0, LONGEST_GROUP) + 1]
        if len(self._group_sizes) >= REMEMBERED_NAMES:
            self._group_sizes.clear()
        size = self._group_sizes[group] = self._group_sizes.get(group, 0) + 1
        if not group or size < LARGE_GROUP or not self._none_begins_with(group):
            return Family(name, verdict, b'\n' + raw_name)
        return Family(name, verdict, b'\n' + group.encode(), _run(group.encode()))

    def _none_begins_with(self, beginning: str) -> bool:
        if self._search is not None:
            return False
        at = bisect_left(self._sorted, beginning)
        return at == len(self._sorted) or not self._sorted[at].startswith(beginning)

    def _verdict(self, raw_name: str) -> Verdict:
        name = raw_name.removeprefix(self._prefix)
        if self._excluded is not None and all(map(self._excluded, {name, name.removesuffix('_total')})):
            return Verdict.NOTHING
        # In OpenMetrics a counter's header lacks the suffix.
        names = {name, f'{name}_total', PART_SUFFIX.sub('', name)}
        if not names.isdisjoint(self._names) or self._search is not None and any(map(self._search, names)):
            return Verdict.SAMPLES
        return Verdict.NAME if any(map(self._catalogue.owner, names)) else Verdict.NOTHING


@lru_cache(maxsize=1024)
def _run(group: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'(?:\n(?:# (?:HELP|TYPE) )?%b[^\n]*+){1,500}+' % re.escape(group))


Key = TypeVar('Key', str, bytes)
Value = TypeVar('Value')


def _remembered(known: dict[Key, Value], key: Key, find: Callable[[Key], Value]) -> Value:
    value = known.get(key)
    if value is None:
        value = find(key)
        if len(key) <= REMEMBERED_CHARACTERS:
            if len(known) >= REMEMBERED_NAMES:
                known.clear()
            known[key] = value
    return value
