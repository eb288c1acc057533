# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Families that nobody asks for are dropped while they are bytes, before the costly parsing.

An exposition may be a hundred times what is wanted of it. A family's header tells whether it is; the samples below
another one are counted, not looked at, where all of them bear its name. What is left reads as it would in the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .wanted import Family, Verdict, Wanted

NEWLINE, HASH = b'\n#'

KEYWORDS = (b'HELP', b'TYPE')
# Those of a family as nearly all programs write them.
HEADERS = re.compile(rb'\n(?:# HELP ([^ \n]+)[^\n]*\n)?# TYPE ([^\s"]+) ([^\n]*)')

QUOTED = re.compile(rb'#\s+\w+\s+"((?:[^"\\]|\\.)*)"\s*(\S*)')
TYPE_LINE = re.compile(rb'\n# TYPE ([^ \n]+) ([^\n]*)')
# Of such a family it is cheaper to look at every line than to find where each ends.
SMALL_BYTES = 1024
ESCAPED = re.compile(rb'\\([\\"])')
COMMENT = re.compile(rb'\n[ \t\r\v\f]*#')
# A line and the name of its sample, which is empty where the line is, or begins with a space or a brace.
LINE = re.compile(rb'\n([^{ \t\r\n]*)[^\n]*')
NAME = re.compile(rb'[^{ \t\r]*')
QUOTED_NAME = re.compile(rb'\{[ \t]*"((?:[^"\\]|\\.)*)"')

# What the samples of a family are called, by its type, as prometheus_client takes them for its own.
SUFFIXES = {
    b'summary': (b'', b'_count', b'_sum'),
    b'histogram': (b'_count', b'_sum', b'_bucket'),
}
OPENMETRICS_SUFFIXES = {
    b'counter': (b'_total', b'_created'),
    b'summary': (b'', b'_count', b'_sum', b'_created'),
    b'histogram': (b'_count', b'_sum', b'_bucket', b'_created'),
    b'gaugehistogram': (b'_gcount', b'_gsum', b'_bucket'),
    b'info': (b'_info',),
}

# Of a family with too many samples, to see which label makes them so many.
KEPT_BYTES = 65_536

# They serve diagnosis alone.
KEPT_NAMES = 10_000


def sample_name(line: bytes) -> bytes:
    """The name of the sample on a line without surrounding blanks, empty where it has none."""
    quoted = QUOTED_NAME.match(line)
    return ESCAPED.sub(rb'\1', quoted[1]) if quoted else NAME.match(line)[0]


@dataclass(slots=True)
class Block:
    """Lines of one family that stand together, its headers included; lines without a header are a block too.

    `name` is the header's, empty without one. `parts` are whole lines, each ended by a newline, with the number of
    the first in the exposition. `header` is the TYPE line of a block that is nothing but this line and samples, else
    empty. `samples` counts lines that are no comments.
    """

    name: str = ''
    header: bytes = b''
    parts: list[tuple[int, bytes]] = field(default_factory=list)
    samples: int = 0

    @property
    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line without its newline, by its number."""
        for number, part in self.parts:
            for offset, line in enumerate(part[:-1].split(b'\n')):
                yield number + offset, line


@dataclass(slots=True)
class Explosion:
    """A family with more samples than one may have: how many, and some of the first lines above that."""

    samples: int = 0
    lines: bytes = b''


def framed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines out of chunks that are cut anywhere, each text with a newline before the first and after the last."""
    rest = b'\n'
    for chunk in chunks:
        rest += chunk
        end = rest.rfind(b'\n')
        if end > 0:
            yield rest[: end + 1]
            rest = rest[end:]
    if len(rest) > 1:
        yield rest + b'\n'


class Selection:
    """What is wanted of one exposition.

    In the text format a header means nothing beyond the next one of another name. OpenMetrics (`openmetrics`) has
    rules across families, so its headers are all kept. `max_samples` is what one family may have (0: any number).

    Once `blocks` is exhausted `dropped` is the number of samples left out, `names` are the families of which nothing
    was wanted, as the parser would call them, and `explosions` those that have more samples than they may, by the name
    of their header or samples: what was given of them before that showed must not be used.
    """

    def __init__(self, wanted: Wanted, openmetrics: bool = False, max_samples: int = 0):
        self._wanted = wanted
        self._openmetrics = openmetrics
        self._max_samples = max_samples
        self.dropped = 0
        self.explosions: dict[str, Explosion] = {}
        self._passed: dict[bytes, bytes] = {}
        self._lines = 0
        self._ready: list[Block] = []
        self._samples_of: dict[str, int] = {}
        self._ended = False
        # The family whose samples are read.
        self._name = b''
        self._kind = b''
        self._verdict = Verdict.NOTHING
        self._beginning: bytes | None = None
        # Whether another sample stood among its own, which ends it.
        self._interrupted = True
        self._block: Block | None = None

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        """Select from an exposition that comes in chunks, none of them empty, cut anywhere."""
        for text in framed(chunks):
            self._read(text, len(text) - 1)
            yield from self._take()
        self._close()
        yield from self._take()

    @property
    def names(self) -> list[str]:
        return [
            (name.removesuffix(b'_total') if kind.strip() == b'counter' else name).decode('utf-8', 'replace')
            for name, kind in self._passed.items()
        ]

    def _take(self) -> list[Block]:
        ready, self._ready = self._ready, []
        return ready

    def _read(self, text: bytes, end: int) -> None:
        """Read the whole lines between the newlines at 0 and at `end`."""
        at = 0
        while at < end:
            if text[at + 1] == HASH:
                if not self._openmetrics and (stop := self._pass_over(text, at, end)):
                    at = stop
                    continue
                stop = at
            else:
                stop = self._end_of_samples(text, at, end)
            if stop == at:
                stop = text.find(b'\n', at + 1)
                self._lines += 1
                self._comment(text[at + 1 : stop].lstrip(), self._lines)
            else:
                number = self._lines + 1
                count = text.count(b'\n', at + 1, stop + 1)
                self._lines += count
                self._samples(text, at, stop, number, count)
            at = stop

    def _end_of_samples(self, text: bytes, at: int, end: int) -> int:
        """The newline before the next comment, which is `at` where that is indented, or the last one."""
        # Seldom does another `#` stand before that of a comment, and a single byte is found fastest.
        comment = text.find(b'#', at + 1, end)
        if comment < 0:
            return end
        if text[comment - 1] == NEWLINE:
            return comment - 1
        if self._openmetrics:
            comment = text.find(b'\n#', comment, end)
        else:
            found = COMMENT.search(text, at, end)
            comment = found.start() if found else -1
        return end if comment < 0 else comment

    def _pass_over(self, text: bytes, at: int, end: int) -> int:
        """Pass over the families after `at`, as long as it is seen with little effort that nothing of them is wanted.

        The headers of one that is wanted are read then. Gives the newline before what follows, 0 where there is nothing
        but what takes a closer look.
        """
        # Calls and attributes cost more here than what is done with them.
        match, family_of, passed = HEADERS.match, self._wanted.family, self._passed
        last: tuple[bytes, Family, bytes] | None = None
        stop = at
        while stop < end and (headers := match(text, stop)):
            help_name, name, kind = headers.groups()
            family = family_of(name)
            if help_name and help_name != name:
                break
            if family.beginning is None:
                if family.verdict is Verdict.SAMPLES and name != self._name:
                    stop = headers.end()
                    self._lines += 2 if help_name else 1
                    self._begin(name, family)
                    self._kind = kind.strip()
                    self._head(self._block, b'# TYPE %b %b\n' % (name, kind), self._lines, True)
                    return stop
                break
            header_end = headers.end()
            comment = text.find(b'#', header_end, end)
            next_stop = comment - 1 if comment > 0 else end
            if family.run is not None and next_stop - header_end < SMALL_BYTES:
                next_stop = family.run.match(text, stop).end()
                run = text[stop:next_stop]
                lines, count = run.count(b'\n'), run.count(b'\n') - run.count(b'\n#')
                noted = TYPE_LINE.findall(run)
            else:
                count = text.count(b'\n', header_end + 1, next_stop + 1)
                if text[next_stop] != NEWLINE or text.count(family.beginning, header_end, next_stop) != count:
                    break
                lines = count + (2 if help_name else 1)
                noted = [(name, kind)]
            if last is None:
                self._close()
            if len(passed) < KEPT_NAMES:
                passed.update(noted)
            self._lines += lines
            self.dropped += count
            last = name, family, kind
            stop = next_stop
        if last is None:
            return 0
        name, family, kind = last
        self._begin(name, family)
        self._kind = kind.strip()
        return stop

    def _comment(self, line: bytes, number: int) -> None:
        words = line.split(None, 3)
        if len(words) < 2 or words[0] != b'#' or words[1] not in KEYWORDS:
            if self._openmetrics:
                # `# UNIT` and `# EOF` are, and anything else is an error to be found.
                self._ended = self._ended or line == b'# EOF'
                self._keep(line + b'\n', number, 0)
            return
        name = words[2] if len(words) > 2 else b''
        is_type = words[1] == b'TYPE'
        kind = words[3] if len(words) > 3 else b''
        if name.startswith(b'"') and (quoted := QUOTED.match(line)):
            name, kind = ESCAPED.sub(rb'\1', quoted[1]), quoted[2]
        if name != self._name or self._interrupted:
            self._begin(name, self._wanted.family(name))
        if is_type:
            self._kind = kind.rstrip()
        if self._block is not None:
            self._head(self._block, line + b'\n', number, is_type)

    def _begin(self, name: bytes, family: Family) -> None:
        self._close()
        self._name = name
        self._kind = b''
        self._verdict = family.verdict
        self._beginning = family.beginning
        self._interrupted = False
        if self._openmetrics or family.verdict is not Verdict.NOTHING:
            self._block = Block(family.name)

    def _head(self, block: Block, line: bytes, number: int, is_type: bool) -> None:
        if self._openmetrics:
            pass
        elif is_type and not block.samples and not block.header:
            # What HELP says is read by nobody.
            block.header = line
            block.parts.clear()
        elif block.header and not is_type and not block.samples:
            return
        else:
            block.header = b''
        block.parts.append((number, line))

    def _samples(self, text: bytes, at: int, stop: int, number: int, count: int) -> None:
        """Read `count` lines between the newlines at `at` and at `stop`, the first of which has the number given."""
        if self._verdict is Verdict.NAME:
            # Samples that a Prometheus server federates tell which of its targets the component is.
            line = text[at + 1 : text.find(b'\n', at + 1)]
            self._verdict = Verdict.SAMPLES if b'instance=' in line else Verdict.NOTHING
        if self._verdict is Verdict.SAMPLES or self._ended:
            self._keep(text[at + 1 : stop + 1], number, count)
        elif self._is_own(text, at, stop, count):
            self.dropped += count
        else:
            self._pick(text, at, stop, number)

    def _is_own(self, text: bytes, at: int, stop: int, count: int) -> bool:
        """Whether all of these lines are samples of the family that is read, or begin as nothing wanted does."""
        if self._beginning:
            return text.count(self._beginning, at, stop) == count
        return count == sum(
            text.count(b'\n' + name + end, at, stop) for name in self._own_names for end in (b'{', b' ')
        )

    @property
    def _own_names(self) -> list[bytes]:
        """What the samples are called that belong to the family that is read."""
        if self._interrupted:
            return []
        suffixes = OPENMETRICS_SUFFIXES if self._openmetrics else SUFFIXES
        return [self._name + suffix for suffix in suffixes.get(self._kind, (b'',))]

    def _pick(self, text: bytes, at: int, stop: int, first: int) -> None:
        """Keep those lines among an unwanted family's that are wanted and not its own."""
        loose = Block()
        own = self._own_names
        for number, match in enumerate(LINE.finditer(text, at, stop), first):
            name = match[1]
            if not name:
                line = match[0].strip()
                if not line:
                    if self._openmetrics:
                        self._keep(b'\n', number, 0)
                    continue
                name = sample_name(line)
            if name in own:
                self.dropped += 1
                continue
            self._interrupted, own = True, []
            sample = match[0][1:] + b'\n'
            text_name = name.decode('utf-8', 'replace')
            if self._wanted(text_name) is Verdict.NOTHING:
                self.dropped += 1
                self._note(name)
            elif self._openmetrics:
                self._keep(sample, number, 1)
            elif self._may_have(text_name, 1, sample):
                loose.samples += 1
                loose.parts.append((number, sample))
            else:
                self.dropped += 1
        self._give(loose)

    def _keep(self, part: bytes, number: int, count: int) -> None:
        """Keep whole lines, `count` of which are samples, for the family that is read."""
        if self._block is None:
            self._block = Block()
        block = self._block
        if count and not self._may_have(block.name, count, part):
            self.dropped += block.samples + count
            block.samples = 0
            block.header = b''
            block.parts.clear()
            return
        block.samples += count
        block.parts.append((number, part))

    def _may_have(self, name: str, count: int, part: bytes) -> bool:
        if not self._max_samples:
            return True
        total = self._samples_of[name] = self._samples_of.get(name, 0) + count
        if total <= self._max_samples:
            return True
        explosion = self.explosions.setdefault(name, Explosion())
        explosion.samples = total
        if len(explosion.lines) < KEPT_BYTES:
            explosion.lines += part
        return False

    def _close(self) -> None:
        if self._block is not None:
            self._give(self._block)
            self._block = None
        if self._verdict is Verdict.NOTHING and self._name:
            self._note(self._name, self._kind)

    def _give(self, block: Block) -> None:
        if block.parts:
            self._ready.append(block)

    def _note(self, name: bytes, kind: bytes = b'') -> None:
        if len(self._passed) < KEPT_NAMES:
            self._passed[name] = kind
