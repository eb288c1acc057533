# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is selected of an exposition in the text format, parsed by prometheus_client.

Most of an exposition is what it was a scrape ago but for the values. So what the parser made of a line is remembered,
and where the line comes again its value alone is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf

from prometheus_client import Metric
from prometheus_client.samples import Sample

from .children import LARGEST, Place, spelled
from .layout import KnownFamily, Layout
from .payload import Slots
from .selection import Block, sample_name
from .wanted import REMEMBERED_CHARACTERS

Parse = Callable[[Iterable[str]], Iterable[Metric]]

# Of one endpoint. Each line takes about half a kilobyte with what relabelling remembers of it.
REMEMBERED_LINES = 40_000
REMEMBERED_FAMILIES = 2_000

SHOWN_CHARACTERS = 100

METRIC_NAME = re.compile('[a-zA-Z_:][a-zA-Z0-9_:]*')
LABEL_NAME = re.compile('[a-zA-Z_][a-zA-Z0-9_]*')
# Where one may stand, of a metric or a label: in a sample or a header.
QUOTED_NAME = re.compile(rb'(?:[{,]|^\s*#\s+\w+)\s*"')

# By which samples of a family are told apart, where the base check takes it for a number.
BOUND_OF = {'histogram': 'le', 'summary': 'quantile'}


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be understood, by its number and text, why, and the families whose samples went with it."""

    number: int
    line: bytes
    reason: str
    families: frozenset[str]

    def __str__(self) -> str:
        return f'line {self.number}, {shortened(self.line)}: {self.reason}'


def shortened(line: bytes) -> str:
    """A line as a message shows it: printable and of bounded length."""
    shown = repr(line[:SHOWN_CHARACTERS].decode('utf-8', 'backslashreplace'))
    return f'{shown}...' if len(line) > SHOWN_CHARACTERS else shown


def reason_of(error: Exception) -> str:
    """What a parser's exception says is wrong, without the line that some repeat."""
    if isinstance(error, UnicodeDecodeError):
        return 'it is not UTF-8'
    text = str(error).partition(':')[0]
    return text if isinstance(error, ValueError) and text and text != 'substring not found' else 'it is no sample'


def usable(family: Metric) -> Metric:
    """A family without what the base check would fail on.

    That is a native histogram, which has no value, a bound or quantile that is no number, and a whole number that no
    float holds.
    """
    bound = BOUND_OF.get(family.type)
    if not all(_is_plain(sample, bound) for sample in family.samples):
        family.samples = [
            sample if -LARGEST <= sample.value <= LARGEST else sample._replace(value=_as_float(sample.value))
            for sample in family.samples
            if sample.value is not None and _is_bounded(sample, bound)
        ]
    return family


def _is_plain(sample: Sample, bound: str | None) -> bool:
    value = sample.value
    return value is not None and -LARGEST <= value <= LARGEST and (bound is None or _is_bounded(sample, bound))


def _is_bounded(sample: Sample, bound: str | None) -> bool:
    if bound not in sample.labels:
        return bound != 'le' or not sample.name.endswith('_bucket')
    return bool(spelled(sample.labels[bound]))


def _as_float(value: float) -> float:
    if isinstance(value, float):
        return value
    return inf if value > 0 else -inf


class Parser:
    """Parses blocks of one endpoint, scrape after scrape.

    `prefix` is what `raw_metric_prefix` will remove from the names of families.
    """

    def __init__(self, slots: Slots, prefix: str = ''):
        self._slots = slots
        self._prefix = prefix
        self._layouts: dict[bytes, Layout] = {}
        self._seen: set[bytes] = set()
        self._remembered = 0

    def __call__(self, block: Block, parse: Parse) -> tuple[list[Metric], list[Malformed]]:
        """The families of a block, and the lines that cannot be understood.

        A family with such a line is left out, for half of it would be wrong.
        """
        try:
            regular = block.name and block.header and block.samples
            if regular and (family := self._recall(block, parse)):
                return [family], []
            return _parsed([line for _, line in block.lines], parse), []
        # On what it was not written for a parser raises anything.
        except Exception as error:
            return _piecewise(block, parse, error)

    def forget(self) -> None:
        """Forget the families that have not come since this was called last."""
        for header in self._layouts.keys() - self._seen:
            self._unlearn(self._layouts.pop(header))
        self._seen.clear()

    def _recall(self, block: Block, parse: Parse) -> KnownFamily | None:
        if block.header in self._seen:
            # The other part of a family in two pieces.
            return None
        layout = self._layouts.get(block.header)
        if layout is None:
            if len(self._layouts) >= REMEMBERED_FAMILIES or len(block.header) > REMEMBERED_CHARACTERS:
                return None
            layout = self._layouts[block.header] = Layout()
        self._seen.add(block.header)
        if layout.irregular:
            return None
        lines = b''.join([part for _, part in block.parts[1:]])[:-1].decode().split('\n')
        try:
            places, values, unknown = _read(layout.places, lines)
            if unknown:
                if not self._learn(layout, block.header, unknown, parse):
                    return None
                places, values, _ = _read(layout.places, lines)
        except ValueError:
            # The parser understands more, or says what is wrong.
            return None
        layout.arrange(places)
        if len(layout.places) > 2 * len(lines):
            self._remembered -= len(layout.places)
            layout.places = {(text := line.rpartition(' ')[0]): layout.places[text] for line in lines}
            self._remembered += len(layout.places)
        return KnownFamily(layout, values, lambda: usable(next(iter(parse([block.header.decode(), *lines])))))

    def _learn(self, layout: Layout, header: bytes, lines: list[str], parse: Parse) -> bool:
        if self._remembered + len(lines) > REMEMBERED_LINES:
            # Of these lines some may not come any more.
            self._unlearn(layout)
            return False
        family, *others = parse([header.decode(), *lines])
        _check_names(family)
        place_of = self._slots.places(family.name.removeprefix(self._prefix), family.type)
        plain = all(map(_is_plain_line, lines)) and all(sample.timestamp is None for sample in family.samples)
        if place_of is None or others or not plain or len(family.samples) != len(lines):
            layout.irregular = True
            self._unlearn(layout)
            return False
        texts = [line.rpartition(' ')[0] for line in lines]
        layout.name, layout.type = family.name, family.type
        children = {place.child.key: place.child for place in layout.places.values() if place}
        before = len(layout.places)
        layout.places.update(
            (text, place_of(sample, children)) for text, sample in zip(texts, family.samples, strict=True)
        )
        self._remembered += len(layout.places) - before
        return True

    def _unlearn(self, layout: Layout) -> None:
        self._remembered -= len(layout.places)
        layout.places = {}


def strictly(blocks: Iterable[Block], parse: Parse) -> Iterator[Metric]:
    """The families of blocks that have to be parsed as one whole.

    Raises `ValueError`, whose text tells the line, where that cannot be. What reading the blocks raises passes.
    """
    last = (0, b'')
    failure: Exception | None = None

    def lines() -> Iterator[str]:
        nonlocal last, failure
        try:
            for block in blocks:
                for last in block.lines:
                    yield f'{last[1].decode()}\n'
        except Exception as error:
            failure = None if isinstance(error, UnicodeDecodeError) else error
            raise

    try:
        yield from map(usable, parse(lines()))
    except Exception as error:
        if failure is not None:
            raise
        raise ValueError(str(Malformed(*last, reason_of(error), frozenset()))) from None


def _read(known: dict[str, Place | None], lines: list[str]) -> tuple[list[Place | None], list[float], list[str]]:
    """The places and values of the known among `lines`, and the others. Raises `ValueError` for a value in doubt."""
    places, values, unknown = [], [], []
    for line in lines:
        text, _, value = line.rpartition(' ')
        try:
            places.append(known[text])
        except KeyError:
            unknown.append(line)
            continue
        if '_' in value:
            # A number for Python alone.
            raise ValueError(value)
        values.append(float(value))
    return places, values, unknown


def _is_plain_line(line: str) -> bool:
    """Whether all before the last space tells what the sample is, and what follows is its value."""
    text, _, value = line.rpartition(' ')
    try:
        float(value)
    except ValueError:
        return False
    return len(text) <= REMEMBERED_CHARACTERS


def _parsed(lines: list[bytes], parse: Parse) -> list[Metric]:
    families = list(parse([line.decode() for line in lines]))
    # The parser of the base check is fast and takes anything for a name, the rest of a line included. Names in quotes
    # are none of the format's, and are left as it reads them.
    if not any(map(QUOTED_NAME.search, lines)):
        for family in families:
            _check_names(family)
    return [usable(family) for family in families]


def _check_names(family: Metric) -> None:
    if not METRIC_NAME.fullmatch(family.name):
        raise ValueError('its name is none')
    for sample in family.samples:
        for label in sample.labels:
            if not LABEL_NAME.fullmatch(label):
                raise ValueError('the name of a label is none')


def _piecewise(block: Block, parse: Parse, error: Exception) -> tuple[list[Metric], list[Malformed]]:
    families: list[Metric] = []
    malformed: list[Malformed] = []
    for number, line in block.lines:
        try:
            families += _parsed([line], parse)
        except Exception as reason:
            malformed.append(Malformed(number, line, reason_of(reason), _families_of(block, [line])))
    if not block.name:
        # Without a header each line stands for itself.
        return families, malformed
    number, line = next(block.lines)
    first = malformed[0] if malformed else Malformed(number, line, reason_of(error), frozenset())
    lines = [line for _, line in block.lines if not line.startswith(b'#')]
    return [], [Malformed(first.number, first.line, first.reason, _families_of(block, lines))]


def _families_of(block: Block, lines: Iterable[bytes]) -> frozenset[str]:
    names = {sample_name(line.strip()).decode('utf-8', 'replace') for line in lines}
    return frozenset(names | {block.name} if block.name else names)
