# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The runs themselves, and what they showed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runner.aggregator import Aggregator
from runner.watched import Watched

from .ledger import Expected, Tags
from .stage import Stage
from .totals import Totals
from .usage import Usage, usage

# What passes in the world between two runs: the Agent's interval, in seconds.
INTERVAL = 15.0
# An exposition that ends after so many bytes is cut in the middle of a line or a family.
CUT = 700
OK = 0


@dataclass(frozen=True)
class Plan:
    """How long, and what goes wrong on the way, all counted in rounds: each endpoint is scraped once in a round.

    Every `restart` rounds a component restarts, each in its turn, by turns just after a scrape and between two; every
    `fault` rounds an endpoint fails for a round, by turns with a 503 and an answer that is cut.
    """

    rounds: int
    restart: int = 10
    fault: int = 7

    # So often is measured what the process holds, from the first half's end on.
    MEASURES = 20


@dataclass(frozen=True)
class Difference:
    """A count that is not what happened."""

    endpoint: str
    metric: str
    tags: Tags
    expected: float
    submitted: float


@dataclass
class Findings:
    """What a soak showed.

    `compared` is the number of counts by endpoint, `counted` the sum of them all. `untold` events of components that do
    not tell when they started are not in it. `measures` are by round.
    """

    runs: int = 0
    errors: int = 0
    unexpected_errors: list[str] = field(default_factory=list)
    restarts: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    counted: float = 0.0
    untold: float = 0.0
    differences: list[Difference] = field(default_factory=list)
    negative: set[str] = field(default_factory=set)
    measures: dict[int, Usage] = field(default_factory=dict)

    @property
    def comparisons(self) -> int:
        """How many counts were compared, at all endpoints."""
        return sum(self.compared.values())


class Soak:
    """Runs the check on every endpoint of `stage` as a plan says."""

    def __init__(self, stage: Stage, plan: Plan, check_class: type, aggregator: Aggregator):
        self._stage = stage
        self._plan = plan
        self._watched = [
            Watched(endpoint.name, endpoint.options, Totals(), check_class, aggregator) for endpoint in stage.endpoints
        ]
        self._findings = Findings()

    def run(self, tell: Callable[[int], None] = lambda number: None) -> Findings:
        """All rounds. `tell` is called with the number of each round that is over."""
        plan, stage = self._plan, self._stage
        restarts, faults = self._turns(), self._turns()
        for number in range(1, plan.rounds + 1):
            stage.step(INTERVAL / 2)
            due = number % plan.restart == 0
            midway = number // plan.restart % 2 == 1
            if due and midway:
                self._restart(next(restarts))
            stage.step(INTERVAL / 2)
            failing = None
            # Never the first one, which is what later counts start from.
            if number > 1 and number % plan.fault == 0:
                failing = next(faults)
                self._fail(failing, number // plan.fault % 2 == 1)
            self._round(failing)
            if failing:
                stage.recover(failing)
            if due and not midway:
                self._restart(next(restarts))
            if number >= plan.rounds // 2 and number % max(1, plan.rounds // (2 * plan.MEASURES)) == 0:
                self._findings.measures[number] = usage()
            tell(number)
        self._compare(stage.expected())
        return self._findings

    def _turns(self) -> Iterator[str]:
        while True:
            yield from (each.name for each in self._watched)

    def _restart(self, endpoint: str) -> None:
        self._stage.restart(endpoint)
        self._findings.restarts += 1

    def _fail(self, endpoint: str, unavailable: bool) -> None:
        if unavailable:
            self._stage.unavailable(endpoint)
        else:
            self._stage.cut(endpoint, CUT)

    def _round(self, failing: str | None) -> None:
        findings = self._findings
        read = []
        for each in self._watched:
            error = each.run()
            findings.runs += 1
            if error:
                findings.errors += 1
            else:
                read.append(each.name)
            if bool(error) != (each.name == failing) or (each.sampler.health == OK) == bool(error):
                findings.unexpected_errors.append(f'{each.name}: {error or "no error at a fault"}')
        self._stage.scraped(read)

    def _compare(self, expected: dict[str, list[Expected]]) -> None:
        findings = self._findings
        for each in self._watched:
            findings.negative |= {f'{each.name}: {name}' for name in each.sampler.negative}
            findings.compared[each.name] = 0
            for rule in expected[each.name]:
                submitted = each.sampler.by(rule.metric, rule.keys)
                for tags in submitted.keys() | rule.counts.keys():
                    findings.compared[each.name] += 1
                    findings.counted += submitted[tags]
                    difference = submitted[tags] - rule.counts[tags]
                    if not rule.exact and difference <= 0:
                        findings.untold -= difference
                    elif not math.isclose(difference, 0, abs_tol=1e-6):
                        findings.differences.append(
                            Difference(each.name, rule.metric, tags, rule.counts[tags], submitted[tags])
                        )
