# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is remembered of a line is never another line's, and what cannot be understood is told by line and reason."""

from math import inf, isnan
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as parse_text

from datadog_checks.kubeflow import parsing as module
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.layout import KnownFamily
from datadog_checks.kubeflow.parsing import Malformed, Parser, reason_of, shortened, strictly, usable
from datadog_checks.kubeflow.payload import Payload, Slots
from datadog_checks.kubeflow.selection import Block, Selection
from datadog_checks.kubeflow.wanted import Wanted

from .submissions import parser_optimizations

CATALOGUE = load_catalogue()
SLOTS = Slots(CATALOGUE.selected({}))
# `a` has no slot.
WANTED = Wanted(CATALOGUE, SLOTS.names | {'a'})

GAUGE, COUNTER, HISTOGRAM = 'katib_trials_current', 'katib_trial_created_total', 'request_predict_seconds'
TYPE = f'# TYPE {GAUGE} gauge\n'


class Endpoint:
    """Parses one text after the other."""

    def __init__(self, prefix=''):
        self.parser = Parser(SLOTS, prefix)
        self.parsed = 0

    def _parse(self, lines):
        for line in lines:
            self.parsed += not line.startswith('#')
            yield from ()
            self._lines.append(line)
        yield from parse_text(self._lines)

    def parse(self, lines):
        self._lines = []
        return self._parse(lines)

    def scrape(self, text):
        """The families and the malformed lines, in the order of the text."""
        text = text.encode() if isinstance(text, str) else text
        families, malformed = [], []
        self.parsed = 0
        for block in Selection(WANTED).blocks([text] if text else []):
            more, wrong = self.parser(block, self.parse)
            families += more
            malformed += wrong
        self.parser.forget()
        return families, malformed


@pytest.fixture(autouse=True)
def strict_parser():
    """prometheus_client as it comes, whatever a check of another test has made of it."""
    if not parser_optimizations:
        yield
        return
    was_fast = getattr(parser_optimizations._prom_parser, '_dd_optimized', False)
    parser_optimizations.unapply()
    yield
    if was_fast:
        parser_optimizations.apply()


def comparable(families):
    """What the rest of the check sees of families: samples, and the children that slots are given."""
    payload = Payload(CATALOGUE, SLOTS)
    for family in families:
        payload.add(family)
    children = {
        slot: [
            (
                dict(child.labels),
                *map(_number, (child.value, child.sum, child.count)),
                _all(child.buckets),
                _all(child.quantiles),
            )
            for child in each
        ]
        for slot, each in payload.children.items()
    }
    samples = [
        (family.name, family.type, [(s.name, s.labels, _number(s.value), s.timestamp) for s in family.samples])
        for family in families
    ]
    return samples, children, payload.components, payload.process_start_times


def _number(value):
    return 'nan' if value is not None and isnan(value) else value


def _all(values):
    return {bound: _number(value) for bound, value in values.items()}


def assert_as_if_new(*texts):
    """Each text gives what the parser alone makes of it; gives the last scrape's."""
    endpoint = Endpoint()
    for number, text in enumerate(texts):
        families, malformed = endpoint.scrape(text)
        with patch.object(Parser, '_recall', lambda *_: None):
            fresh_families, fresh_malformed = Endpoint().scrape(text)
        assert malformed == fresh_malformed, number
        assert comparable(families) == comparable(fresh_families), number
    return families, malformed


def values(families):
    return [[sample.value for sample in family.samples] for family in families]


# --- remembering ---


def test_lines_that_came_before_are_not_parsed_again():
    endpoint = Endpoint()
    first, _ = endpoint.scrape(f'{TYPE}{GAUGE}{{status="Running"}} 1\n{GAUGE}{{status="Failed"}} 2\n')
    assert (endpoint.parsed, values(first)) == (2, [[1, 2]])
    second, _ = endpoint.scrape(f'{TYPE}{GAUGE}{{status="Running"}} 3\n{GAUGE}{{status="Failed"}} 4\n')
    assert (endpoint.parsed, second[0].values) == (0, [3, 4])
    assert isinstance(second[0], KnownFamily)
    third, _ = endpoint.scrape(f'{TYPE}{GAUGE}{{status="Failed"}} 5\n{GAUGE}{{status="New"}} 6\n')
    assert (endpoint.parsed, third[0].values) == (1, [5, 6])
    # Where somebody asks for the samples all are parsed.
    assert (values(third), endpoint.parsed) == ([[5, 6]], 3)


SERIES = [f'{GAUGE}{{namespace="a",status="Running"}}', f'{GAUGE}{{namespace="b",status="Running"}}', f'{GAUGE}']


def gauge(*lines, newline='\n'):
    return ''.join(f'{line}{newline}' for line in (TYPE.strip(), *lines))


@pytest.mark.parametrize(
    'later',
    [
        pytest.param(gauge(f'{SERIES[0]} 5', f'{SERIES[1]} 6'), id='other values'),
        pytest.param(gauge(f'{SERIES[1]} 6', f'{SERIES[0]} 5'), id='another order'),
        pytest.param(gauge(f'{SERIES[1]} 6'), id='one has gone'),
        pytest.param(gauge(f'{SERIES[0]} 5', f'{SERIES[1]} 6', f'{SERIES[2]} 7'), id='one more'),
        pytest.param(gauge(f'{SERIES[0]} 5', f'{SERIES[0]} 6', f'{SERIES[1]} 7'), id='one twice'),
        pytest.param(gauge(), id='none'),
        pytest.param('', id='no family'),
        pytest.param(gauge(f'{SERIES[0]} 5') + '# TYPE a gauge\na 1\n' + gauge(f'{SERIES[1]} 6'), id='in two blocks'),
        pytest.param(gauge(f'{SERIES[0]} 5', 'a 1', f'{SERIES[1]} 6'), id='interrupted'),
        pytest.param(f'# TYPE {GAUGE} counter\n{SERIES[0]} 5\n', id='of another type'),
        pytest.param(f'# HELP {GAUGE} Text.\n{TYPE}{SERIES[0]} 5\n', id='with a text'),
        pytest.param(f'{SERIES[0]} 5\n', id='without a header'),
        pytest.param(gauge(f'{SERIES[0]} NaN', f'{SERIES[1]} +Inf'), id='no numbers'),
        pytest.param(gauge(f'{SERIES[0]} -Inf', f'{SERIES[1]} -1e300'), id='below 0'),
        pytest.param(gauge(f'{SERIES[0]} {"9" * 400}'), id='more than a float holds'),
        pytest.param(gauge(f'{SERIES[0]} 5 1795000000000', f'{SERIES[1]} 6'), id='with a timestamp'),
        pytest.param(gauge(f'{SERIES[0]} 5\t1795000000000'), id='with a timestamp after a tab'),
        pytest.param(gauge(f'{SERIES[0]} 5 ', f'{SERIES[1]} 6\t'), id='with blanks at the end'),
        pytest.param(gauge(f'{SERIES[0]}  5', f' {SERIES[1]} 6'), id='with blanks before'),
        pytest.param(gauge(f'{SERIES[0]}\t5', f'{SERIES[1]}6'), id='without a space'),
        pytest.param(gauge(f'{SERIES[0]} 5', f'{SERIES[1]} 6', newline='\r\n'), id='with CRLF'),
        pytest.param(gauge(f'{SERIES[0]} 5', '', f'{SERIES[1]} 6', ' '), id='with blank lines'),
        pytest.param(gauge(f'{SERIES[0]} 5', '# a 5', ' # a 5', f'{SERIES[1]} 6'), id='with comments'),
        pytest.param(gauge(f'{SERIES[0]} 1_0'), id='a number for Python alone'),
        pytest.param(gauge(f'{SERIES[0]} five', f'{SERIES[1]} 6'), id='no number'),
        pytest.param(gauge(f'{SERIES[0]}', f'{SERIES[1]} 6'), id='no value'),
        pytest.param(gauge(f'{SERIES[0]} 5 # {{trace="a"}} 5', f'{SERIES[1]} 6'), id='with an exemplar'),
        pytest.param(gauge(f'{GAUGE}{{a=" # {{"}} 5'), id='with what looks like an exemplar'),
    ],
)
def test_whatever_follows_is_read_as_if_new(later):
    first = gauge(f'{SERIES[0]} 1', f'{SERIES[1]} 2')
    assert_as_if_new(first, later, first, first, later, later, first)


@pytest.mark.parametrize(
    'first, second',
    [
        # What is before the last space of the first is before it in the second, where it is something else.
        (f'{SERIES[0]} 5 ', f'{SERIES[0]} 5 1795000000000'),
        (f'{GAUGE}{{a="b 5"}}\t7', f'{GAUGE}{{a="b 5'),
        (f'{GAUGE}{{a="b c"}}7', f'{GAUGE}{{a="b 7'),
        (f'{SERIES[0]} 5\t', f'{SERIES[0]} 6 '),
        (f'{SERIES[0]} 5', f'{SERIES[0]} 5 6'),
        ('# a 5', '# a 6'),
    ],
)
def test_a_line_is_not_taken_for_one_that_only_begins_as_it_does(first, second):
    assert_as_if_new(gauge(first), gauge(second), gauge(first))
    assert_as_if_new(gauge(second), gauge(first), gauge(second))


def test_an_odd_line_costs_a_family_its_memory_until_it_has_been_away():
    endpoint = Endpoint()
    plain, odd = gauge(f'{SERIES[0]} 1'), gauge(f'{SERIES[0]} 1 1795000000000')
    parsed = []
    for text in (plain, plain, odd, plain, plain, '', plain, plain):
        endpoint.scrape(text)
        parsed.append(endpoint.parsed)
    assert parsed[:2] == [1, 0] and parsed[3:5] == [1, 1] and parsed[6:] == [1, 0]


def test_a_family_without_a_slot_is_parsed_whole_every_time():
    endpoint = Endpoint()
    for value in (1, 2):
        families, _ = endpoint.scrape(f'# TYPE a gauge\na {value}\n')
        assert (values(families), isinstance(families[0], KnownFamily)) == ([[value]], False)


def test_a_header_without_a_name_is_remembered_for_nobody():
    assert_as_if_new('# TYPE "" gauge\n' + f'{GAUGE} 1\n', '# TYPE "" gauge\n' + f'{GAUGE} 1\n{COUNTER} 2\n')


def test_a_prefix_is_no_part_of_the_name_by_which_a_family_is_placed():
    assert Endpoint('pre_').parser(
        Block(
            'pre_' + GAUGE,
            f'# TYPE pre_{GAUGE} gauge\n'.encode(),
            [(1, f'# TYPE pre_{GAUGE} gauge\n'.encode()), (2, f'pre_{GAUGE} 1\n'.encode())],
            1,
        ),
        parse_text,
    )[0][0].layout.places.keys() == {f'pre_{GAUGE}'}


def histogram(*observed, sum_='1.5'):
    lines = [f'# TYPE {HISTOGRAM} histogram']
    for name, count in zip('mn', observed, strict=False):
        lines += [
            f'{HISTOGRAM}_bucket{{le="0.5",model_name="{name}"}} {count}',
            f'{HISTOGRAM}_bucket{{le="+Inf",model_name="{name}"}} {count}',
            f'{HISTOGRAM}_sum{{model_name="{name}"}} {sum_}',
            f'{HISTOGRAM}_count{{model_name="{name}"}} {count}',
            f'{HISTOGRAM}_created{{model_name="{name}"}} 1795000000',
        ]
    return '\n'.join(lines) + '\n'


def test_parts_that_have_gone_are_not_remembered_as_values():
    whole = histogram(1, 2)
    less = '\n'.join(line for line in histogram(3, 4).splitlines() if '+Inf' not in line and '_sum' not in line) + '\n'
    assert_as_if_new(whole, whole, less, histogram(5), less, whole)


def test_a_bucket_whose_bound_is_no_number_is_no_bucket():
    odd = histogram(1, 2).replace('"0.5",model_name="n"', '"half",model_name="n"')
    assert_as_if_new(odd, odd, histogram(1, 2), odd)
    _, children, *_ = comparable(Endpoint().scrape(odd)[0])
    assert [each[4] for each in children[HISTOGRAM]] == [{'0.5': 1, 'inf': 1}, {'inf': 2}]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(module, 'REMEMBERED_LINES', 3)
    endpoint = Endpoint()
    three = gauge(*(f'{GAUGE}{{a="{number}"}} 1' for number in range(3)))
    four = gauge(*(f'{GAUGE}{{a="{number}"}} 1' for number in range(4)))
    parsed = []
    for text in (three, three, four, four, three, three):
        families, _ = endpoint.scrape(text)
        parsed.append(endpoint.parsed)
        assert comparable(families) == comparable(Endpoint().scrape(text)[0])
    # Where one line too many comes none is remembered.
    assert parsed == [3, 0, 4, 4, 3, 0]


def test_lines_that_have_all_changed_are_remembered_instead(monkeypatch):
    monkeypatch.setattr(module, 'REMEMBERED_LINES', 4)
    endpoint = Endpoint()
    parsed = []
    for generation in (0, 0, 1, 1, 1):
        endpoint.scrape(gauge(*(f'{GAUGE}{{a="{generation}.{number}"}} 1' for number in range(3))))
        parsed.append(endpoint.parsed)
    assert parsed == [3, 0, 3, 3, 0]


def test_a_family_that_vanishes_makes_room(monkeypatch):
    monkeypatch.setattr(module, 'REMEMBERED_LINES', 1)
    endpoint = Endpoint()
    other = f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    parsed = []
    for text in (gauge(f'{GAUGE} 1'), gauge(f'{GAUGE} 1') + other, other, other, other):
        endpoint.scrape(text)
        parsed.append(endpoint.parsed)
    assert parsed == [1, 1, 1, 1, 0]


def test_families_are_bounded_too(monkeypatch):
    monkeypatch.setattr(module, 'REMEMBERED_FAMILIES', 1)
    text = gauge(f'{GAUGE} 1') + f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    endpoint = Endpoint()
    for parsed in (2, 1, 1):
        endpoint.scrape(text)
        assert endpoint.parsed == parsed


@pytest.mark.parametrize('length, parsed', [(4096, 0), (4097, 1)])
def test_a_long_line_is_not_remembered(length, parsed):
    line = GAUGE + '{a="' + 'x' * (length - len(GAUGE) - 6) + '"}'
    assert len(line) == length
    endpoint = Endpoint()
    for value in (1, 2):
        families, _ = endpoint.scrape(gauge(f'{line} {value}'))
    assert (values(families), endpoint.parsed - (not parsed)) == ([[2]], parsed)


def test_a_long_header_is_not_remembered():
    endpoint = Endpoint()
    for value in (1, 2):
        families, _ = endpoint.scrape(f'# TYPE {GAUGE} gauge{" " * 5000}\n{GAUGE} {value}\n')
    assert (values(families), endpoint.parsed) == ([[2]], 1)


@pytest.mark.parametrize('rounds', [50])
def test_an_endpoint_that_renames_its_series_does_not_grow(rounds):
    endpoint = Endpoint()
    sizes = []
    for number in range(rounds):
        endpoint.scrape(gauge(*(f'{GAUGE}{{a="{number}.{each}"}} 1' for each in range(10))))
        (layout,) = endpoint.parser._layouts.values()
        sizes.append(len(layout.places))
    assert max(sizes) <= 30 and endpoint.parser._remembered == sizes[-1]


VALUES = st.sampled_from(['0', '1', '2.5', '1e3', 'NaN', '+Inf', '-Inf', '-1', '1_0', 'x', '', '5 7', '5\t', '5 '])
LINES = st.lists(
    st.tuples(
        st.sampled_from([*SERIES, f'{GAUGE}{{a=" b"}}', f'{GAUGE}{{a="c \\" d"}}', 'a', '# x', '']),
        st.sampled_from([' ', ' ', ' ', '\t', '  ', '']),
        VALUES,
    ).map(''.join),
    max_size=4,
)


@settings(deadline=None)
@given(st.lists(LINES, min_size=2, max_size=4))
def test_any_lines_are_read_as_if_new(scrapes):
    assert_as_if_new(*(gauge(*lines) for lines in scrapes))


# --- what cannot be understood ---


def malformed(text):
    families, wrong = Endpoint().scrape(text)
    return [family.name for family in families], [
        (each.number, each.line, each.reason, set(each.families)) for each in wrong
    ]


def test_a_family_with_a_malformed_line_is_left_out_whole():
    text = (
        gauge(f'{SERIES[0]} 1', f'{SERIES[1]} oops', f'{SERIES[2]} alas') + f'# TYPE {COUNTER} counter\n{COUNTER} 1\n'
    )
    assert malformed(text) == (
        [COUNTER.removesuffix('_total')],
        [(3, f'{SERIES[1]} oops'.encode(), "could not convert string to float", {GAUGE})],
    )


def test_without_headers_each_line_stands_for_itself():
    text = f'{SERIES[0]} 1\n{SERIES[1]} oops\n{COUNTER}{{a="1" 2\n{COUNTER} 1\n'
    names, wrong = malformed(text)
    assert names == [GAUGE, COUNTER]
    assert [(number, families) for number, _, _, families in wrong] == [(2, {GAUGE}), (3, {COUNTER})]


@pytest.mark.parametrize(
    'line, families',
    [
        (f'{GAUGE}{{a="1" 1', {GAUGE}),
        (f'  {GAUGE}{{a="1",a="2"}} 1', {GAUGE}),
        (f'{GAUGE} ', {GAUGE}),
        (f'{{"{GAUGE}",a="1"}} x', {GAUGE}),
        (f'{COUNTER} 1_0', {GAUGE, COUNTER}),
    ],
)
def test_the_families_are_those_of_the_header_and_of_the_lines(line, families):
    names, ((number, told, reason, of),) = malformed(gauge(f'{SERIES[0]} 1', line))
    assert (names, number, told, of) == ([], 3, line.encode(), families | {GAUGE})
    assert reason and '\n' not in reason


@pytest.mark.parametrize('line', [f'{GAUGE} 1 # {{trace="a"}} 0.5', f'{SERIES[0]} 1 # {{trace="a"}} 0.5'])
def test_the_value_of_an_exemplar_is_not_the_samples(line):
    assert values(assert_as_if_new(gauge(line), gauge(line))[0]) == [[1]]


@pytest.mark.parametrize(
    'name, label, reason',
    [
        (GAUGE, '1 # {trace', 'the name of a label is none'),
        (GAUGE, '0a', 'the name of a label is none'),
        (GAUGE, 'a:b', 'the name of a label is none'),
        (f'{GAUGE} 1', 'a', 'its name is none'),
        ('0a', 'a', 'its name is none'),
    ],
)
def test_a_parser_that_takes_anything_for_a_name_is_not_believed(name, label, reason):
    def parse(lines):
        family = Metric('a', '', 'gauge')
        family.name = name
        family.add_sample(name, {label: 'x'}, 0.5)
        return [family] * len(list(lines))

    line = GAUGE.encode() + b'{a="b"} 1'
    assert Parser(SLOTS)(Block('', b'', [(4, line + b'\n')], 1), parse) == (
        [],
        [Malformed(4, line, reason, frozenset({GAUGE}))],
    )


@pytest.mark.parametrize('name, label', [('a:b_1', '_b1'), ('_', 'B')])
def test_names_of_the_format_are_taken(name, label):
    assert malformed(f'# TYPE {GAUGE} gauge\n{GAUGE}{{{label}="x"}} 1\n') == ([GAUGE], [])
    ((family,), _) = Parser(SLOTS)(Block('', b'', [(1, f'{name}{{{label}="x"}} 1\n'.encode())], 1), parse_text)
    assert (family.name, family.samples[0].labels) == (name, {label: 'x'})


@pytest.mark.parametrize('header', ['# TYPE "a.b" gauge', '# HELP "a.b" Text.', ' # TYPE "a.b" gauge'])
def test_a_name_in_quotes_in_a_header_is_left_as_the_parser_reads_it(header):
    block = Block('a.b', b'', [(1, f'{header}\n{GAUGE} 1\n'.encode())], 1)
    families, wrong = Parser(SLOTS)(block, parse_text)
    assert ([family.name for family in families], wrong) == (['a.b', GAUGE], [])


def test_names_in_quotes_are_left_as_the_parser_reads_them():
    (family,), _ = Endpoint().scrape(f'{{"{GAUGE}","a.b"="x"}} 1\n')
    assert (family.name, family.samples[0].labels) == (GAUGE, {'a.b': 'x'})


def test_a_family_whose_type_is_missing_is_left_out():
    assert malformed(f'# TYPE {GAUGE}\n{GAUGE} 1\n')[1] == [(1, f'# TYPE {GAUGE}'.encode(), 'it is no sample', {GAUGE})]


def test_what_is_not_utf_8_is_told():
    line = f'{GAUGE}{{a="'.encode() + b'\xff"} 1'
    assert malformed(gauge().encode() + f'{SERIES[0]} 1\n'.encode() + line + b'\n') == (
        [],
        [(3, line, 'it is not UTF-8', {GAUGE})],
    )
    assert malformed(line + b'\n' + f'{GAUGE} 1\n'.encode())[0] == [GAUGE]


def test_malformed_after_it_was_remembered_and_well_again():
    good, bad = gauge(f'{SERIES[0]} 1', f'{SERIES[1]} 2'), gauge(f'{SERIES[0]} 1', f'{SERIES[1]} oops')
    assert_as_if_new(good, bad, good, good)
    endpoint = Endpoint()
    endpoint.scrape(good)
    assert [each.number for each in endpoint.scrape(bad)[1]] == [3]


def test_a_parser_that_fails_on_the_whole_alone_is_told_by_the_first_line():
    def parse(lines):
        if len(list(lines)) > 1:
            raise RuntimeError('too many')
        return []

    block = Block('a', b'', [(7, b'# TYPE a gauge\na 1\n')], 1)
    assert Parser(SLOTS)(block, parse) == ([], [Malformed(7, b'# TYPE a gauge', 'it is no sample', frozenset({'a'}))])


@pytest.mark.parametrize(
    'error, reason',
    [
        (ValueError('Invalid labels: a="1'), 'Invalid labels'),
        (ValueError("could not convert string to float: 'x'"), 'could not convert string to float'),
        (ValueError('substring not found'), 'it is no sample'),
        (ValueError(), 'it is no sample'),
        (KeyError('a'), 'it is no sample'),
        (IndexError('string index out of range'), 'it is no sample'),
        (UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid start byte'), 'it is not UTF-8'),
    ],
)
def test_the_reason_is_told_without_the_line(error, reason):
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    'line, shown',
    [
        (b'a 1', "'a 1'"),
        (b'a\x00\x1b[31m\t', "'a\\x00\\x1b[31m\\t'"),
        (b'\xff', "'\\\\xff'"),
        (b'x' * 100, "'" + 'x' * 100 + "'"),
        (b'x' * 101, "'" + 'x' * 100 + "'..."),
    ],
)
def test_a_line_is_shown_printable_and_short(line, shown):
    assert shortened(line) == shown
    assert str(Malformed(3, line, 'why', frozenset())) == f'line 3, {shown}: why'


# --- what the base check would fail on ---


def parsed(text):
    return list(map(usable, parse_openmetrics(f'{text}# EOF\n'.splitlines(keepends=True))))


def test_a_native_histogram_has_no_value_and_goes():
    spans = 'schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],positive_deltas:[2,1,-2,3]'
    text = f'# TYPE a histogram\na {{count:24,sum:100,{spans}}}\n'
    assert parsed(text)[0].samples == []


@pytest.mark.parametrize(
    'kind, sample, stays',
    [
        ('histogram', 'a_bucket{le="half"} 1', False),
        ('histogram', 'a_bucket{le="NaN"} 1', False),
        ('histogram', 'a_bucket 1', False),
        ('histogram', 'a_bucket{le="0x1"} 1', False),
        ('histogram', 'a_bucket{le="+Inf"} 1', True),
        ('histogram', 'a_sum 1', True),
        ('summary', 'a{quantile="half"} 1', False),
        ('summary', 'a{quantile="0.5"} 1', True),
        ('summary', 'a 1', True),
        ('gauge', 'a{le="half"} 1', True),
    ],
)
def test_a_bound_that_is_no_number_goes(kind, sample, stays):
    (family,) = parse_text([f'# TYPE a {kind}', sample, 'a_count 1' if kind != 'gauge' else 'a 1'])
    assert len(usable(family).samples) == 1 + stays


@pytest.mark.parametrize('value, number', [('9' * 400, inf), ('-' + '9' * 400, -inf), ('1e308', 1e308), ('Inf', inf)])
def test_a_whole_number_that_no_float_holds_is_infinite(value, number):
    (family,) = map(usable, parse_text(['# TYPE a gauge', f'a {value}']))
    assert [(type(sample.value), sample.value) for sample in family.samples] == [(float, number)]


def test_nan_stays():
    (family,) = map(usable, parse_text(['# TYPE a gauge', 'a NaN', 'a ' + '9' * 400]))
    assert isnan(family.samples[0].value) and family.samples[1].value == inf


# --- OpenMetrics, as one whole ---


def strict(text):
    return strictly(Selection(WANTED, openmetrics=True).blocks([text]), parse_openmetrics)


def test_openmetrics_is_parsed_as_one_whole():
    text = b'# TYPE other gauge\nother 1\n# TYPE a counter\na_total 1 # {b="c"} 1\n# EOF\n'
    assert [(family.name, family.type, len(family.samples)) for family in strict(text)] == [
        ('other', 'gauge', 0),
        ('a', 'counter', 1),
    ]


@pytest.mark.parametrize(
    'text, line',
    [
        (b'# TYPE a counter\na_total 1\n', "line 2, 'a_total 1': Missing # EOF at end"),
        (b'# TYPE a counter\na_total -1\n# EOF\n', "line 2, 'a_total -1': Counter-like samples cannot be negative"),
        (b'# TYPE a gauge\na x\na 2\n# EOF\n', "line 2, 'a x': could not convert string to float"),
        (b'# TYPE a gauge\na{b="\xff"} 1\n# EOF\n', "line 2, 'a{b=\"\\\\xff\"} 1': it is not UTF-8"),
        (b'a 1\n# EOF\na 2\n', "line 3, 'a 2': Received line after # EOF"),
    ],
)
def test_what_breaks_a_rule_is_told_by_its_line(text, line):
    with pytest.raises(ValueError) as error:
        list(strict(text))
    assert str(error.value).startswith(line)


def test_what_was_read_before_is_given():
    families = strict(f'# TYPE a gauge\na 1\n{TYPE}{GAUGE} x\n# EOF\n'.encode())
    assert next(families).name == 'a'
    with pytest.raises(ValueError, match='^line 4, '):
        list(families)


@pytest.mark.parametrize('error', [ConnectionError('reset'), ValueError('refused'), KeyError('a')])
def test_what_reading_raises_passes(error):
    def blocks():
        yield Block('a', b'', [(1, b'# TYPE a gauge\n')])
        raise error

    with pytest.raises(type(error)) as raised:
        list(strictly(blocks(), parse_openmetrics))
    assert raised.value is error
