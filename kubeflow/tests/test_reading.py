# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Expositions read scrape after scrape: the families, and what had to be left out of each."""

import pytest
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as parse_text

from datadog_checks.kubeflow import reading as module
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.parsing import Parser
from datadog_checks.kubeflow.payload import Slots
from datadog_checks.kubeflow.reading import Reader, Reading
from datadog_checks.kubeflow.wanted import Wanted

from .common import ENDPOINT

CATALOGUE = load_catalogue()
SLOTS = Slots(CATALOGUE.selected({}))
GAUGE, COUNTER = 'katib_trials_current', 'katib_trial_created_total'


def reader(max_samples=0):
    return Reader(ENDPOINT, Wanted(CATALOGUE, SLOTS.names), Parser(SLOTS), max_samples)


def read(each, text, parse=parse_text):
    """The families with the values of their samples, and what became of the rest."""
    blocks = each.blocks([text.encode()], parse)
    families = [(family.name, [sample.value for sample in family.samples]) for family in each.families(blocks, parse)]
    return families, each.conclude()


def gauge(*values):
    return f'# TYPE {GAUGE} gauge\n' + ''.join(
        f'{GAUGE}{{a="{number}"}} {value}\n' for number, value in enumerate(values)
    )


def test_what_is_not_wanted_is_counted_and_named():
    each = reader()
    assert read(each, '# TYPE other_total counter\nother_total 1\n' + gauge(1, 2) + 'more 1\n') == (
        [(GAUGE, [1, 2]), ('more', [1])],
        Reading(dropped=1),
    )
    assert each.names_passed_over == ['other']


def test_a_malformed_line_is_told_and_its_family_left_out():
    text = gauge(1, 'oops') + f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    assert read(reader(), text) == (
        [('katib_trial_created', [1])],
        Reading(
            left_out=frozenset({GAUGE}),
            problems=[
                'The exposition of http://component:8080/metrics has a line that cannot be understood: line 3, '
                f'\'{GAUGE}{{a="1"}} oops\': could not convert string to float. What is made of {GAUGE} is left out of '
                'this run, the rest is submitted; it is for the component to mend.'
            ],
        ),
    )


def test_several_malformed_lines_are_one_problem():
    families, reading = read(reader(), f'{GAUGE} oops\n{COUNTER} alas\n{COUNTER} 1\n')
    assert (families, reading.left_out) == ([(COUNTER, [1])], {GAUGE, COUNTER})
    (problem,) = reading.problems
    assert 'line 1, ' in problem and '(and 1 more)' in problem and f'made of {COUNTER}, {GAUGE} is' in problem


def test_the_numbers_of_lines_are_those_of_the_exposition():
    (problem,) = read(reader(), '# TYPE other gauge\nother 1\n\n' + gauge(1, 'x'))[1].problems
    assert 'line 6, ' in problem


def test_a_family_with_too_many_samples_is_a_problem_of_its_own():
    text = gauge(1, 2, 3) + f'{COUNTER} alas\n' + f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    families, reading = read(reader(max_samples=2), text)
    assert families == [('katib_trial_created', [1])]
    assert (reading.dropped, reading.left_out) == (4, {GAUGE})
    assert [problem[: problem.index(',')] for problem in reading.problems] == [
        f'http://component:8080/metrics exposes 4 samples of the family {GAUGE}',
    ]


def test_both_problems_are_told():
    _, reading = read(reader(max_samples=2), gauge(1, 2, 3) + f'# TYPE {COUNTER} counter\n{COUNTER} alas\n')
    assert reading.left_out == {GAUGE, COUNTER} and len(reading.problems) == 2
    assert 'exposes 3 samples' in reading.problems[0] and 'line 6, ' in reading.problems[1]


def test_the_label_is_looked_for_in_so_many_lines(monkeypatch):
    monkeypatch.setattr(module, 'EXAMINED_SAMPLES', 2)
    (problem,) = read(reader(max_samples=1), gauge(1, 2, 3))[1].problems
    assert 'The label `a` has the most values: 2 in the 2 samples looked at.' in problem


def test_nothing_is_left_from_one_scrape_to_the_next():
    each = reader(max_samples=2)
    _, first = read(
        each, '# TYPE other gauge\nother 1\n' + gauge(1, 2, 3) + f'# TYPE {COUNTER} counter\n{COUNTER} oops\n'
    )
    assert (first.dropped, first.left_out, len(first.problems)) == (4, {GAUGE, COUNTER}, 2)
    assert read(each, gauge(1, 2)) == ([(GAUGE, [1, 2])], Reading())
    assert each.names_passed_over == []
    assert read(each, '') == ([], Reading())


def test_openmetrics_is_read_as_a_whole():
    each = reader()
    text = '# TYPE other gauge\nother 1\n' + gauge(1, 2)
    assert read(each, f'{text}# EOF\n', parse_openmetrics) == ([('other', []), (GAUGE, [1, 2])], Reading(dropped=1))
    with pytest.raises(ValueError, match="^line 5, .*: Missing # EOF at end$"):
        read(each, text, parse_openmetrics)


class Counting:
    """A parser that counts the lines of samples it is given."""

    def __init__(self):
        self.lines = 0

    def __call__(self, lines):
        lines = list(lines)
        self.lines += sum(not line.startswith('#') for line in lines)
        return parse_text(lines)


def test_families_are_remembered_for_as_long_as_they_come():
    each, parse = reader(), Counting()

    def parsed(text, stops=False):
        parse.lines = 0
        blocks = each.blocks([text.encode()], parse)
        for _ in each.families(blocks, parse):
            if stops:
                return parse.lines
        each.conclude()
        return parse.lines

    both = gauge(1, 2) + f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    assert [parsed(both), parsed(both)] == [3, 0]
    # A scrape that ends before the second one has not seen it.
    assert [parsed(both, stops=True), parsed(both), parsed(both)] == [0, 1, 0]
    assert [parsed(gauge(1, 2)), parsed(both), parsed(both), parsed('a 1\n'), parsed(both)] == [0, 1, 0, 0, 3]


def test_an_endpoint_whose_every_answer_breaks_off_is_not_remembered_without_end():
    parser = Parser(SLOTS)
    each = Reader(ENDPOINT, Wanted(CATALOGUE, SLOTS.names), parser)
    for number in range(20):
        text = f'# TYPE {GAUGE} gauge{" " * number}\n{GAUGE} 1\n# TYPE {COUNTER} counter\n{COUNTER} 1\n'
        next(iter(each.families(each.blocks([text.encode()], parse_text), parse_text)))
        assert len(parser._layouts) <= 2
