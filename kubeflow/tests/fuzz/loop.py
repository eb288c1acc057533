# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The loop: an answer that reaches what none reached before is kept, and later ones are made of it."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .answers import on_the_wire, seeds
from .mutations import mutated, scratched
from .reached import Reached
from .subject import CONNECTIONS, NOTHING, OPTIONS, PARTICULAR, Failure, Outcome, Subject, subject

# How many answers are scratched once more as they go over the wire, headers and all.
SCRATCHED = 0.2
# How many are traced, which takes several times as long as the run itself.
TRACED = 0.3
# A failure is made smaller by so many runs.
SHRINKING_RUNS = 300
LARGEST_BODY = 64 * 1024


@dataclass(frozen=True)
class Found:
    """An answer that breaks what must hold, made as small as it could be, and how."""

    options: str
    answer: bytes
    reason: str


@dataclass
class Findings:
    """What a fuzzing showed. `kept` answers reached something new, `steps` of the code were reached in all."""

    runs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    kept: int = 0
    steps: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failures: list[Found] = field(default_factory=list)


class Fuzzing:
    """Makes answers of the seeds and of those in the directory `corpus`, which takes the ones that are kept."""

    def __init__(self, seed: int, corpus: Path | None = None):
        self._random = Random(seed)
        self._corpus = corpus
        self._bodies = seeds()
        if corpus:
            corpus.mkdir(parents=True, exist_ok=True)
            self._bodies += [path.read_bytes() for path in sorted(corpus.iterdir())]
        self._untried = list(range(len(self._bodies)))
        self._steps: set = set()
        self._reasons: set[str] = set()
        self.findings = Findings()

    def run(self, goes_on: Callable[[Findings], bool]) -> Findings:
        """Examine answers for as long as `goes_on` says so."""
        begin = time.monotonic()
        while goes_on(self.findings):
            with subject() as subjected:
                for _ in range(CONNECTIONS // 4):
                    if not goes_on(self.findings):
                        break
                    self.examine(subjected)
                    self.findings.seconds = time.monotonic() - begin
        return self.findings

    def examine(self, subjected: Subject) -> None:
        """Make one answer and see what it comes to."""
        random, findings = self._random, self.findings
        if self._untried:
            body = self._bodies[self._untried.pop()]
        else:
            body = mutated(random, random.choice(self._bodies), self._bodies)[:LARGEST_BODY]
        answer = on_the_wire(random, body)
        if random.random() < SCRATCHED:
            answer = scratched(random, answer)
        options = random.choice(tuple(OPTIONS))
        findings.runs += 1
        begin = time.monotonic()
        reached = Reached()
        try:
            findings.outcomes[subjected.examine(answer, options, reached if random.random() < TRACED else NOTHING)] += 1
            findings.slowest = max(findings.slowest, time.monotonic() - begin)
        except Failure as failure:
            self._found(subjected, options, answer, str(failure))
        if not reached.steps <= self._steps:
            self._steps |= reached.steps
            findings.steps = len(self._steps)
            findings.kept += 1
            self._bodies.append(body)
            if self._corpus:
                (self._corpus / hashlib.sha256(body).hexdigest()[:16]).write_bytes(body)

    def _found(self, subjected: Subject, options: str, answer: bytes, reason: str) -> None:
        kind = _kind(reason)
        if kind in self._reasons:
            return
        self._reasons.add(kind)
        self.findings.failures.append(Found(options, shrunk(subjected, options, answer, kind), reason))


def _kind(reason: str) -> str:
    return PARTICULAR.sub('...', reason)[:80]


def shrunk(subjected: Subject, options: str, answer: bytes, kind: str) -> bytes:
    """`answer` without what it fails without."""
    left = SHRINKING_RUNS
    size = len(answer) // 2
    while size:
        at = 0
        while at < len(answer) and left:
            shorter = answer[:at] + answer[at + size :]
            left -= 1
            if _fails(subjected, options, shorter, kind):
                answer = shorter
            else:
                at += size
        size //= 2
    return answer


def _fails(subjected: Subject, options: str, answer: bytes, kind: str) -> bool:
    try:
        subjected.examine(answer, options)
    except Failure as failure:
        return _kind(str(failure)) == kind
    return False
