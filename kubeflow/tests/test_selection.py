# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Which lines of an exposition are kept, by their numbers and families, however it is cut into chunks."""

import time
from functools import cache
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadog_checks.kubeflow import selection as module
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.selection import Block, Explosion, Selection, framed, sample_name
from datadog_checks.kubeflow.wanted import Wanted

from . import expositions

WANTED = ('depth', 'adds_total', 'seconds')


def chunks(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


@cache
def asked_for(names=WANTED, search=None):
    return Wanted(load_catalogue(), names, search)


def selection(wanted=None, openmetrics=False, max_samples=0):
    return Selection(wanted or asked_for(), openmetrics, max_samples)


def outcome(selected, pieces):
    """Blocks as (name, header, number of samples, [(number, line), …]), loose lines that follow each other as one."""
    blocks = []
    for name, group in groupby(selected.blocks(pieces), key=lambda block: block.name or None):
        together = list(group)
        if name is None:
            lines = [line for block in together for line in block.lines]
            together = [Block(parts=[(number, line + b'\n') for number, line in lines], samples=len(lines))]
            assert not any(block.header for block in together)
        blocks += [(block.name, block.header, block.samples, list(block.lines)) for block in together]
    return blocks, selected.dropped, selected.names, selected.explosions


def select(text, **options):
    """The outcome, which is the same in chunks of every size, and the lines are those of the text.

    Of loose lines the fewer are seen the smaller the chunks are, so fewer names of what is passed over may be told.
    """
    text = text.encode() if isinstance(text, str) else text
    whole = outcome(selection(**options), chunks(text, len(text) or 1))
    for size in range(1, len(text)):
        blocks, dropped, names, explosions = outcome(selection(**options), chunks(text, size))
        assert (blocks, dropped, explosions) == (whole[0], whole[1], whole[3]), size
        assert set(names) <= set(whole[2])
    lines = text.split(b'\n')
    for _, _, _, kept in whole[0]:
        assert all(lines[number - 1].strip() == line.strip() for number, line in kept)
    return whole


def _is_none(name):
    return False


def kept(text, **options):
    """By block: its name and the numbers of its lines."""
    return [(name, [number for number, _ in lines]) for name, _, _, lines in select(text, **options)[0]]


# --- lines out of chunks ---


@pytest.mark.parametrize(
    'pieces, texts',
    [
        ([], []),
        ([b'a'], [b'\na\n']),
        ([b'a\n'], [b'\na\n']),
        ([b'\n'], [b'\n\n']),
        ([b'\n\n'], [b'\n\n\n']),
        ([b'a\nb', b'c', b'\n', b'd'], [b'\na\n', b'\nbc\n', b'\nd\n']),
        ([b'a\nb\n', b'\nc\n'], [b'\na\nb\n', b'\n\nc\n']),
        ([b'a\r', b'\nb'], [b'\na\r\n', b'\nb\n']),
    ],
)
def test_whole_lines_come_out_of_chunks_that_are_cut_anywhere(pieces, texts):
    assert list(framed(pieces)) == texts


@given(st.lists(st.binary(min_size=1, max_size=6).map(lambda each: each.replace(b'\0', b'\n')), max_size=6))
def test_no_byte_is_lost_between_chunks(pieces):
    texts = list(framed(pieces))
    assert all(text[:1] == b'\n' and text[-1:] == b'\n' and len(text) > 1 for text in texts)
    whole = b''.join(pieces)
    assert b''.join(text[1:] for text in texts) == (whole if not whole or whole.endswith(b'\n') else whole + b'\n')


@pytest.mark.parametrize(
    'line, name',
    [
        (b'a 1', b'a'),
        (b'a\t1', b'a'),
        (b'a{b="c"} 1', b'a'),
        (b'a {b="c"} 1', b'a'),
        (b'a', b'a'),
        (b'{"a.b",c="d"} 1', b'a.b'),
        (b'{\t"a\\"b\\\\"} 1', b'a"b\\'),
        (b'{a="b"} 1', b''),
        (b'', b''),
    ],
)
def test_the_name_of_a_sample_is_told_as_it_is_spelled(line, name):
    assert sample_name(line) == name


# --- families by their headers ---

EXPOSITION = """\
# HELP other A family.
# TYPE other gauge
other 1
# HELP depth Another.
# TYPE depth gauge
depth{a="1"} 1
depth 2
# HELP more_seconds A third.
# TYPE more_seconds histogram
more_seconds_bucket{le="1"} 1
more_seconds_sum 1
more_seconds_count 1
# TYPE adds_total counter
adds_total 3
# TYPE others_total counter
others_total 3
"""


def test_what_is_wanted_is_kept_with_its_numbers_and_the_rest_is_counted():
    assert select(EXPOSITION) == (
        [
            (
                'depth',
                b'# TYPE depth gauge\n',
                2,
                [(5, b'# TYPE depth gauge'), (6, b'depth{a="1"} 1'), (7, b'depth 2')],
            ),
            (
                'adds_total',
                b'# TYPE adds_total counter\n',
                1,
                [(13, b'# TYPE adds_total counter'), (14, b'adds_total 3')],
            ),
        ],
        5,
        ['other', 'more_seconds', 'others'],
        {},
    )


def test_nothing_comes_of_nothing():
    assert select('') == ([], 0, [], {})
    assert select('\n \n') == ([], 0, [], {})


def test_the_last_line_needs_no_newline():
    assert kept('# TYPE depth gauge\ndepth 1') == [('depth', [1, 2])]
    assert select('# TYPE other gauge\nother 1') == ([], 1, ['other'], {})


@pytest.mark.parametrize(
    'headers, regular, lines',
    [
        (['HELP', 'TYPE'], True, [2, 3]),
        (['TYPE', 'HELP'], True, [1, 3]),
        (['TYPE'], True, [1, 2]),
        # Untyped by the rules: the parser is to see what there is.
        (['HELP'], False, [1, 2]),
        (['HELP', 'HELP', 'TYPE', 'HELP'], True, [3, 5]),
        (['TYPE', 'TYPE'], False, [1, 2, 3]),
        # The last one counts.
        (['TYPE', 'TYPE', 'TYPE'], True, [3, 4]),
    ],
)
def test_headers_in_any_order(headers, regular, lines):
    text = {'HELP': '# HELP depth Text.\n', 'TYPE': '# TYPE depth gauge\n'}
    blocks, *_ = select(''.join(text[header] for header in headers) + 'depth 1\n# TYPE other gauge\nother 1\n')
    ((name, header, samples, kept_lines),) = blocks
    assert (name, samples, [number for number, _ in kept_lines]) == ('depth', 1, lines)
    assert header == (b'# TYPE depth gauge\n' if regular else b'')


@pytest.mark.parametrize('second', ['# TYPE depth counter', '# HELP depth Text.', ' # TYPE depth gauge'])
def test_a_header_between_the_samples_leaves_it_to_the_parser(second):
    blocks, *_ = select(f'# TYPE depth gauge\ndepth 1\n{second}\ndepth{{a="1"}} 2\n')
    ((name, header, _, lines),) = blocks
    assert name == 'depth' and [number for number, _ in lines] == [1, 2, 3, 4]
    assert header == b''


def test_the_same_family_in_two_blocks_is_two_blocks():
    text = '# TYPE depth gauge\ndepth 1\n# TYPE other gauge\nother 1\n# TYPE depth gauge\ndepth{a="1"} 2\n'
    assert kept(text) == [('depth', [1, 2]), ('depth', [5, 6])]


def test_a_family_that_is_passed_over_twice_is_named_once():
    text = '# TYPE other gauge\nother 1\n# TYPE depth gauge\n# TYPE other gauge\nother 1\n'
    assert select(text)[1:] == (2, ['other'], {})


def test_a_header_alone_is_a_block_too():
    assert kept('# TYPE depth gauge\n# TYPE adds_total counter\n') == [('depth', [1]), ('adds_total', [2])]
    assert kept('# HELP depth Text.\n# HELP other Text.\n') == [('depth', [1])]


@pytest.mark.parametrize(
    'line',
    [
        '#  TYPE  depth  gauge',
        '#\tTYPE\tdepth\tgauge',
        '# TYPE depth\t gauge',
        '# TYPE depth gauge \t',
        '# TYPE depth gauge\r',
        ' # TYPE depth gauge',
        '\t# TYPE depth gauge',
        '# TYPE "depth" gauge',
        '# TYPE "depth"gauge',
    ],
)
def test_a_header_in_any_spacing(line):
    text = f'# TYPE other gauge\nother 1\n{line}\ndepth 1\n# HELP other Text.\nother 1\n'
    assert kept(text) == [('depth', [3, 4])]


@pytest.mark.parametrize(
    'line', ['#', '##', '# a comment', '#TYPE depth gauge', '# type depth gauge', '# UNIT depth s', '# EOF']
)
def test_a_comment_is_no_header(line):
    assert select(f'# TYPE other gauge\n{line}\nother 1\n{line}\n') == ([], 1, ['other'], {})
    assert kept(f'# TYPE depth gauge\ndepth 1\n{line}\ndepth 1\n') == [('depth', [1, 2, 4])]


def test_a_header_without_a_name_is_left_to_the_parser():
    assert kept('# TYPE\nother 1\n') == [('', [1, 2])]
    assert kept('# TYPE other gauge\nother 1\n# HELP\nother 1\n') == [('', [3, 4])]


@pytest.mark.parametrize('blank', ['', ' ', '\t', '\r'])
def test_blank_lines_are_counted_as_lines_alone(blank):
    text = f'{blank}\n# TYPE other gauge\n{blank}\nother 1\n{blank}\n# TYPE depth gauge\ndepth 1\n{blank}\ndepth 2\n'
    blocks, dropped, names, _ = select(text)
    assert [(name, [number for number, _ in lines]) for name, _, _, lines in blocks] == [('depth', [6, 7, 8, 9])]
    assert (dropped, names) == (1, ['other'])


def test_a_counter_is_named_as_the_parser_calls_it_however_its_type_is_spelled():
    text = '# TYPE a_total counter\r\n# TYPE b_total counter \n# TYPE c_total gauge\n# TYPE d gauge\n'
    assert select(text)[2] == ['a', 'b', 'c_total', 'd']


def test_crlf_changes_nothing_but_the_lines():
    text = EXPOSITION.replace('\n', '\r\n')
    assert kept(text) == [('depth', [5, 6, 7]), ('adds_total', [13, 14])]
    assert select(text)[1:] == (5, ['other', 'more_seconds', 'others'], {})


@pytest.mark.parametrize('value', ['#', '# TYPE depth gauge', '} # {', ' #', '\\n# TYPE depth gauge\\ndepth 1'])
def test_a_hash_in_a_label_is_no_comment(value):
    text = f'# TYPE other gauge\nother{{a="1"}} 1\nother{{a="{value}"}} 1\n# TYPE depth gauge\ndepth{{a="{value}"}} 1\n'
    assert kept(text) == [('depth', [4, 5])]
    assert select(text)[1:] == (2, ['other'], {})


def test_the_text_of_a_header_may_hold_anything():
    text = (
        '# HELP other # TYPE depth gauge\n# TYPE other gauge\nother 1\n# HELP depth # {\n# TYPE depth gauge\ndepth 1\n'
    )
    assert kept(text) == [('depth', [5, 6])]


def test_a_header_of_help_may_name_another_family_than_the_type_after_it():
    text = '# HELP depth Text.\n# TYPE other gauge\nother 1\n# HELP other Text.\n# TYPE depth gauge\ndepth 1\n'
    assert kept(text) == [('depth', [1]), ('depth', [5, 6])]


@pytest.mark.parametrize('indent', [' ', '\t', ' \t '])
def test_an_indented_header_ends_a_wanted_family_as_any_other_does(indent):
    text = f'# TYPE depth gauge\ndepth 1\n{indent}# TYPE other gauge\nother 1\n{indent}# TYPE adds_total counter\n'
    blocks, dropped, names, _ = select(f'{text}# HELP adds_total Text.\nadds_total 2\n')
    assert [(name, header, [number for number, _ in lines]) for name, header, _, lines in blocks] == [
        ('depth', b'# TYPE depth gauge\n', [1, 2]),
        ('adds_total', b'# TYPE adds_total counter\n', [5, 7]),
    ]
    assert (dropped, names) == (1, ['other'])


def test_indented_comments_are_no_lines_of_a_family():
    blocks, *_ = select('# TYPE depth gauge\n # a\ndepth 1\n\t# b 2\n # c\n depth 2\n #\n')
    assert blocks == [
        ('depth', b'# TYPE depth gauge\n', 2, [(1, b'# TYPE depth gauge'), (3, b'depth 1'), (6, b' depth 2')])
    ]


# --- samples that are not their header's ---


def test_samples_without_a_header_are_kept_one_by_one():
    text = 'depth 1\nother 1\nadds_total{a="1"} 2\n\n{"depth",a="1"} 3\n{"other"} 1\n seconds_bucket{le="1"} 1\n{} 1\n'
    assert select(text) == (
        [
            (
                '',
                b'',
                4,
                [
                    (1, b'depth 1'),
                    (3, b'adds_total{a="1"} 2'),
                    (5, b'{"depth",a="1"} 3'),
                    (7, b' seconds_bucket{le="1"} 1'),
                ],
            )
        ],
        3,
        ['other', ''],
        {},
    )


def test_a_wanted_sample_among_an_unwanted_familys_is_kept_and_ends_it():
    text = '# TYPE depths histogram\ndepths_sum 1\ndepth 1\ndepths_sum 1\ndepths_bucket 2\nadds 3\n'
    assert kept(text) == [('', [3, 6])]
    # What comes after it is called as it is spelled.
    assert select(text)[1:] == (3, ['depths_sum', 'depths_bucket', 'depths'], {})


def test_a_header_of_the_family_that_was_ended_begins_it_again():
    text = '# TYPE depths histogram\ndepth 1\n# TYPE depths histogram\ndepths_sum 1\ndepths_count 1\n'
    assert select(text)[1:] == (2, ['depths'], {})


def test_unwanted_samples_among_a_wanted_familys_are_the_parsers():
    assert kept('# TYPE depth gauge\ndepth 1\nother 1\ndepth 2\n') == [('depth', [1, 2, 3, 4])]


@pytest.mark.parametrize(
    'kind, own, dropped',
    [
        ('gauge', ['depth_'], 1),
        ('counter', ['depth_'], 1),
        ('histogram', ['depth__bucket', 'depth__sum', 'depth__count'], 3),
        ('summary', ['depth_', 'depth__sum', 'depth__count'], 3),
    ],
)
@pytest.mark.parametrize('end', [' ', '{a="1"} ', '\t'])
def test_the_samples_of_an_unwanted_family_are_those_of_its_type(kind, own, dropped, end):
    # Everything is looked at, for `depth` begins as it does and a pattern is asked for.
    text = f'# TYPE depth_ {kind}\n' + ''.join(f'{name}{end}1\n' for name in own) + f'depth{end}1\n'
    assert select(text, wanted=asked_for(search=_is_none))[1:3] == (dropped, ['depth_'])


def test_lines_are_dropped_unseen_where_nothing_wanted_begins_as_they_do():
    # None of them is a sample, and nobody asked.
    assert select('# TYPE other gauge\nother\nother{ 1\nother_more "\n# TYPE depth gauge\ndepth 1\n') == (
        [('depth', b'# TYPE depth gauge\n', 1, [(5, b'# TYPE depth gauge'), (6, b'depth 1')])],
        3,
        ['other'],
        {},
    )


def test_a_family_that_begins_as_a_wanted_one_does_hides_nothing_of_it():
    assert kept('# TYPE dep gauge\ndepth 1\ndep 1\n# TYPE add counter\nadds_total 1\n') == [('', [2, 5])]


# --- many families whose names begin alike ---

RUN = ''.join(
    f'# HELP rt_{number} Text # more.\n# TYPE rt_{number}_total counter\nrt_{number}_total{{a="#"}} 1\n'
    if number % 3
    else f'# TYPE rt_{number} gauge\nrt_{number} 1\nrt_{number} 2\n'
    for number in range(12)
)


@pytest.mark.parametrize(
    'between, more',
    [
        ('', 0),
        ('# a comment\n', 0),
        ('\n', 0),
        ('foreign 1\n', 1),
        ('depth 1\n', 0),
        (' depth 1\n', 0),
        ('# TYPE foreign gauge\nforeign 1\n', 1),
        ('# HELP depth Text.\n', 0),
        ('# TYPE rtx gauge\nrtx 1\n', 1),
        ('# TYPE "rt_1" gauge\nrt_1 1\n', 1),
        ('# HELP rt_x Text.\n', 0),
        ('# EOF\n', 0),
    ],
)
def test_families_that_begin_alike_are_passed_over_together(between, more):
    options = {'wanted': Wanted(load_catalogue(), WANTED)}
    text = (RUN + between + RUN + '# TYPE depth gauge\ndepth 1\n').encode()
    last = text.count(b'\n')
    # By the second time it is known that there are many.
    for _ in range(2):
        blocks, dropped, names, _ = outcome(selection(**options), [text])
        assert blocks[-1][3] == [(last - 1, b'# TYPE depth gauge'), (last, b'depth 1')]
        assert [line for *_, lines in blocks[:-1] for _, line in lines] == [
            line for line in between.encode().split(b'\n') if b'depth' in line
        ]
        assert dropped == 32 + more
        assert (
            {f'rt_{number}' for number in range(12)}
            <= set(names)
            <= {
                *(f'rt_{number}' for number in range(12)),
                *('foreign', 'rtx', 'rt_x'),
            }
        )
    for size in (1, 7, 64, 500):
        assert outcome(selection(**options), chunks(text, size))[:2] == (blocks, dropped)


def test_a_long_family_among_them_is_passed_over_too():
    options = {'wanted': Wanted(load_catalogue(), WANTED)}
    long = '# TYPE rt_long histogram\n' + ''.join(f'rt_long_bucket{{le="{number}"}} 1\n' for number in range(1000))
    text = (RUN + long + RUN + '# TYPE depth gauge\ndepth 1\n').encode()
    last = text.count(b'\n')
    for _ in range(2):
        blocks, dropped, names, _ = outcome(selection(**options), chunks(text, 3000))
        assert ([number for number, _ in blocks[0][3]], dropped) == ([last - 1, last], 1032)
        assert {'rt_long', 'rt_0', 'rt_11'} <= set(names)


def test_samples_under_the_header_of_one_that_begins_alike_are_seen():
    wanted = Wanted(load_catalogue(), WANTED)
    for _ in range(2):
        blocks, dropped, *_ = outcome(selection(wanted), [(RUN + 'rt_x 1\nadds_total 1\nrt_11_total 2\n').encode()])
        assert ([line for *_, lines in blocks for _, line in lines], dropped) == ([b'adds_total 1'], 18)


# --- families of which the name tells enough ---


def test_of_a_component_s_other_families_the_name_is_enough():
    text = '# TYPE katib_x gauge\nkatib_x 1\nkatib_x{a="1"} 2\n'
    assert kept(text) == [('katib_x', [1])]
    assert select(text)[1] == 2


def test_federated_the_samples_tell_whose_it_is():
    text = '# TYPE katib_x untyped\nkatib_x{instance="10.0.0.1:80",job="j"} 1 2\nkatib_x{instance="10.0.0.2:80"} 2 2\n'
    assert kept(text) == [('katib_x', [1, 2, 3])]
    assert select(text)[1:] == (0, [], {})


def test_a_sample_without_a_header_is_a_sign_too():
    assert kept('katib_x 1\nother 1\n') == [('', [1])]


# --- OpenMetrics ---

OPENMETRICS = """\
# TYPE other gauge
# UNIT other ratio
# HELP other Text.
other 1
# TYPE depth gauge
depth 1
# TYPE things counter
things_total 1
things_created 1
# EOF
"""


def test_openmetrics_keeps_its_headers_for_the_parser_to_see():
    assert select(OPENMETRICS, openmetrics=True) == (
        [
            ('other', b'', 0, [(1, b'# TYPE other gauge'), (2, b'# UNIT other ratio'), (3, b'# HELP other Text.')]),
            ('depth', b'', 1, [(5, b'# TYPE depth gauge'), (6, b'depth 1')]),
            ('things', b'', 0, [(7, b'# TYPE things counter'), (10, b'# EOF')]),
        ],
        3,
        ['other', 'things'],
        {},
    )


@pytest.mark.parametrize('line', ['other 1', '# TYPE more gauge', '', '# EOF', 'depth 1'])
def test_what_follows_the_end_is_kept_for_the_parser_to_refuse(line):
    text = f'# TYPE other gauge\nother 1\n# EOF\n{line}\n'
    assert [number for _, lines in kept(text, openmetrics=True) for number in lines] == [1, 3, 4]


@pytest.mark.parametrize('line', ['', '# a comment', '#', ' # TYPE depth gauge', '#  EOF'])
def test_what_openmetrics_does_not_allow_is_kept_for_the_parser_to_refuse(line):
    text = f'# TYPE other gauge\nother 1\n{line}\nother 1\n# EOF\n'
    blocks, dropped, *_ = select(text, openmetrics=True)
    if line.startswith(' '):
        # A name as any other one, of a sample nobody asks for.
        assert ([number for _, _, _, lines in blocks for number, _ in lines], dropped) == ([1, 5], 3)
    else:
        assert ([number for _, _, _, lines in blocks for number, _ in lines], dropped) == ([1, 3, 5], 2)


@pytest.mark.parametrize(
    'kind, own, foreign',
    [
        ('counter', ['_total', '_created'], ['', '_sum']),
        ('summary', ['', '_count', '_sum', '_created'], ['_total']),
        ('histogram', ['_count', '_sum', '_bucket', '_created'], ['', '_total']),
        ('gaugehistogram', ['_gcount', '_gsum', '_bucket'], ['', '_count']),
        ('info', ['_info'], ['', '_total']),
        ('stateset', [''], ['_total']),
        ('gauge', [''], ['_total']),
        ('unknown', [''], ['_total']),
    ],
)
def test_the_samples_of_a_type_of_openmetrics(kind, own, foreign):
    header = f'# TYPE other {kind}\n'
    # A pattern has everything looked at.
    options = {'openmetrics': True, 'wanted': asked_for(search=_is_none)}
    assert select(header + ''.join(f'other{suffix} 1\n' for suffix in own), **options)[1:3] == (len(own), ['other'])
    for suffix in foreign:
        _, dropped, names, _ = select(f'{header}other{suffix} 1\n', **options)
        assert (dropped, set(names)) == (1, {'other', 'other' + suffix})


def test_a_wanted_sample_without_a_header_stays_in_its_place():
    text = 'depth 1\n# TYPE other gauge\nother 1\nadds_total 2\nother 1\n# EOF\n'
    assert kept(text, openmetrics=True) == [('', [1]), ('other', [2, 4, 6])]


# --- too many samples ---


def test_a_family_with_too_many_samples_is_not_given():
    text = '# TYPE depth gauge\n' + 'depth 1\n' * 4 + '# TYPE adds_total counter\nadds_total 1\n'
    blocks, dropped, names, explosions = outcome(selection(max_samples=3), [text.encode()])
    assert [block[0] for block in blocks] == ['adds_total']
    assert (dropped, names, explosions) == (4, [], {'depth': Explosion(4, b'depth 1\n' * 4)})


@pytest.mark.parametrize('max_samples, given', [(0, True), (3, True), (4, True), (2, False)])
def test_as_many_as_allowed_are_not_too_many(max_samples, given):
    text = b'# TYPE depth gauge\n' + b'depth 1\n' * 3
    blocks, dropped, _, explosions = outcome(selection(max_samples=max_samples), [text])
    assert (bool(blocks), dropped, list(explosions)) == ((True, 0, []) if given else (False, 3, ['depth']))


@pytest.mark.parametrize('size', [1, 7, 30, 1000])
def test_it_explodes_at_every_size_of_chunks(size):
    text = b'# TYPE depth gauge\n' + b'depth 1\n' * 9
    blocks, dropped, _, explosions = outcome(selection(max_samples=3), chunks(text, size))
    assert (blocks, dropped, explosions['depth'].samples) == ([], 9, 9)
    # What came before is told by its number alone.
    assert 0 < len(explosions['depth'].lines) <= 9 * 8


def test_samples_in_several_blocks_are_counted_together():
    half = '# TYPE depth gauge\ndepth 1\ndepth 2\n# TYPE other gauge\nother 1\n'
    blocks, dropped, _, explosions = outcome(selection(max_samples=3), [half.encode() * 2])
    # The first half was given before that showed.
    assert [(name, [number for number, _ in lines]) for name, _, _, lines in blocks] == [('depth', [1, 2, 3])]
    assert (dropped, explosions['depth'].samples) == (4, 4)


def test_a_header_after_the_explosion_gives_no_sample():
    text = b'# TYPE depth gauge\n' + b'depth 1\n' * 4 + b'# TYPE depth gauge\n' + b'depth 1\n'
    blocks, dropped, _, explosions = outcome(selection(max_samples=3), [text])
    assert (blocks, dropped, explosions['depth'].samples) == ([], 5, 5)


def test_loose_samples_are_counted_by_their_name():
    text = 'depth 1\nadds_total 1\n' * 3 + 'depth 1\n'
    blocks, dropped, _, explosions = outcome(selection(max_samples=3), [text.encode()])
    assert [[number for number, _ in lines] for _, _, _, lines in blocks] == [[1, 2, 3, 4, 5, 6]]
    assert (dropped, explosions) == (1, {'depth': Explosion(4, b'depth 1\n')})


def test_an_exploded_family_of_openmetrics_takes_its_samples_alone():
    text = '# TYPE depth gauge\n' + 'depth{a="%d"} 1\n' * 4 % (1, 2, 3, 4) + '# TYPE seconds gauge\nseconds 1\n# EOF\n'
    blocks, dropped, _, explosions = outcome(selection(openmetrics=True, max_samples=3), [text.encode()])
    assert [(name, [number for number, _ in lines]) for name, _, _, lines in blocks] == [('seconds', [6, 7, 8])]
    assert (dropped, explosions['depth'].samples) == (4, 4)


def test_what_is_kept_to_explain_is_bounded(monkeypatch):
    monkeypatch.setattr(module, 'KEPT_BYTES', 20)
    text = b'depth 1\n' * 50
    _, _, _, explosions = outcome(selection(max_samples=3), chunks(text, 8))
    assert explosions == {'depth': Explosion(50, b'depth 1\n' * 3)}


def test_the_names_passed_over_are_bounded(monkeypatch):
    monkeypatch.setattr(module, 'KEPT_NAMES', 2)
    assert select(''.join(f'# TYPE o{number} gauge\no{number} 1\n' for number in range(4)))[1:3] == (4, ['o0', 'o1'])
    assert select('o0 1\no1 1\no2 1\n')[1:3] == (3, ['o0', 'o1'])


# --- however odd ---


@pytest.mark.parametrize(
    'line',
    [
        b' # a comment\n',
        b' # TYPE katib_x gauge\n # TYPE other gauge\n',
        b'depth 1\n',
        b' depth 1\n',
        b'\n',
        b'#\n',
        b'a 1\n#\n',
    ],
)
def test_effort_grows_as_the_text_does(line):
    few, many = (_seconds(line * count) for count in (1_000, 20_000))
    assert many < 60 * few + 0.1


def _seconds(text):
    started = time.process_time()
    for _ in selection(max_samples=10).blocks(chunks(text, 65_536)):
        pass
    return time.process_time() - started


SETTINGS = settings(deadline=None, max_examples=50)


def every_one():
    return asked_for(frozenset(expositions.wanted()))


@SETTINGS
@given(expositions.text(), st.integers(1, 300), st.sampled_from([0, 1, 3]))
def test_any_text_is_selected_alike_in_chunks_of_any_size(answers, size, max_samples):
    for text in answers:
        whole = outcome(selection(every_one(), max_samples=max_samples), [text] if text else [])
        cut = outcome(selection(every_one(), max_samples=max_samples), chunks(text, size))
        if not max_samples:
            assert cut[:2] == whole[:2]
        assert {name: each.samples for name, each in cut[3].items()} == {
            name: each.samples for name, each in whole[3].items()
        }


@SETTINGS
@given(expositions.text())
def test_each_sample_of_any_text_is_kept_or_counted(answers):
    for text in answers:
        blocks, dropped, *_ = outcome(selection(every_one()), [text] if text else [])
        samples = [line for line in text.split(b'\n') if line.strip() and not line.strip().startswith(b'#')]
        numbers = [number for *_, lines in blocks for number, _ in lines]
        assert len(numbers) == len(set(numbers))
        given_samples = [
            line for *_, lines in blocks for _, line in lines if line.strip() and not line.strip().startswith(b'#')
        ]
        assert len(given_samples) + dropped == len(samples)


@SETTINGS
@given(expositions.openmetrics(), st.integers(1, 300))
def test_any_openmetrics_is_selected_alike_in_chunks_of_any_size(answers, size):
    for text in answers:
        options = {'wanted': every_one(), 'openmetrics': True}
        assert outcome(selection(**options), chunks(text, size)) == outcome(selection(**options), [text])
