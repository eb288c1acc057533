# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Expositions that hypothesis makes up: what an endpoint answers in several scrapes, one after the other.

They are correct by the rules of their format, and as odd as these allow: families that the catalogue wants between
others with names almost theirs, in every order and spacing, with and without headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from datadog_checks.kubeflow.catalogue import load_catalogue

# How often an endpoint is scraped.
SCRAPES = 3
# What `raw_metric_prefix` takes off.
PREFIX = 'pre_'

FOREIGN = (
    'up',
    'go_goroutines',
    'go_info',
    'process_open_fds',
    'apiserver_request_total',
    'a',
    'a:b',
    '_',
    'target_info',
)
SUFFIXES = ('_total', '_bucket', '_count', '_sum', '_created', '_info', '_gcount', '_gsum')
TEXT_TYPES = ('counter', 'gauge', 'histogram', 'summary', 'untyped')
OPENMETRICS_TYPES = ('counter', 'gauge', 'histogram', 'summary', 'unknown', 'info', 'stateset', 'gaugehistogram')

# Names that stand in quotes, as the text format has them since Prometheus 3; the last one need not.
QUOTED = (
    'a.b',
    'katib trials',
    'na\u00efve',
    'say "so"',
    'a\\b',
    '{',
    '#',
    'katib_trials_current.x',
    'katib_trials_current',
)
PLAIN_NAME = re.compile('[a-zA-Z_:][a-zA-Z0-9_:]*')

LABELS = (
    'namespace',
    'status',
    'controller',
    'name',
    'model_name',
    'kn_route_tag',
    'version',
    'host',
    'x',
    '_',
    'U__a_2e_b',
)
LABEL_VALUES = (
    *('', 'team-a', 'Running', 'Failed', 'trial-controller', 'katib_trials_current', 'kn:disabled', 'true', '200'),
    *(
        '#',
        '# TYPE a gauge',
        '{',
        '}',
        '} 1',
        ',',
        '=',
        'a="b"',
        ' ',
        'a b',
        '\\',
        '\\\\',
        '\\n',
        '"',
        '\n',
        'a\nb 1\n',
        '\t',
    ),
    *('na\u00efve', '\U0001f600', '\u7d50', '# EOF', 'instance='),
)
BOUNDS = ('0.005', '1', '2.5', '1e3', '+Inf')
QUANTILES = ('0', '0.5', '0.99', '1')
VALUES = ('0', '1', '2', '3', '4.5', '1e3', '17', '1795265988', 'NaN', '+Inf')
COUNTS = ('0', '1', '2', '7', '1000')
COMMENTS = (
    '#',
    '##',
    '# a comment',
    '# EOF',
    '#TYPE a counter',
    '# type a counter',
    '# UNIT a seconds',
    '#a 1',
    '# HELP',
    '# a{',
)
BLANKS = ('', ' ', '\t', ' \t ')


@dataclass(frozen=True)
class Line:
    """What a line is in each scrape; None where it is not there."""

    scrapes: tuple[str | None, ...]

    @classmethod
    def always(cls, text: str) -> Line:
        return cls((text,) * SCRAPES)


@cache
def wanted() -> dict[str, str]:
    """The raw families of the catalogue with the type they are exposed with."""
    families: dict[str, str] = {}
    for entry in load_catalogue().metrics:
        for source in entry.sources:
            families |= dict.fromkeys(source.families, source.exposed_type(entry.type))
            families |= dict.fromkeys(source.zero, 'gauge')
    return families


def near(name: str) -> Iterator[str]:
    """Names that are almost this one."""
    yield from (f'{name}{suffix}' for suffix in (*SUFFIXES, 'x', '_', ':'))
    yield from (name[:-1], f'x{name}', name.upper(), PREFIX + name, name.rpartition('_')[0] or 'x')
    yield from (name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix))


def names(quoted: bool = False) -> st.SearchStrategy[str]:
    """Names of families: wanted, almost so, and foreign; `quoted` adds some that stand in quotes."""
    known = st.sampled_from(sorted(wanted()))
    foreign = st.sampled_from(QUOTED if quoted else FOREIGN)
    return st.one_of(known, known, known.flatmap(lambda name: st.sampled_from(tuple(near(name)))), foreign)


def token(name: str) -> str:
    """A name as a header has it."""
    return name if PLAIN_NAME.fullmatch(name) else f'"{escaped(name)}"'


def escaped(value: str) -> str:
    return value.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


@st.composite
def labels(draw: st.DrawFn, more: tuple[tuple[str, str], ...] = (), openmetrics: bool = False) -> str:
    """Labels in braces, `more` among them; nothing where there are none."""
    chosen = draw(st.dictionaries(st.sampled_from(LABELS), st.sampled_from(LABEL_VALUES), max_size=3))
    pairs = [f'{name}="{escaped(value)}"' for name, value in (*chosen.items(), *more)]
    if not pairs:
        return draw(st.sampled_from(('', '', '{}')))
    if openmetrics:
        return f'{{{",".join(pairs)}}}'
    comma = draw(st.sampled_from((',', ',', ', ', ' ,\t')))
    end = draw(st.sampled_from(('', '', ',', ' ')))
    return f'{{{comma.join(pairs)}{end}}}'


@st.composite
def series(draw: st.DrawFn, name: str, values: tuple[str, ...], more: tuple[tuple[str, str], ...] = ()) -> Line:
    """A sample of the text format, whose value changes or does not and that may be away for a scrape."""
    start = draw(st.sampled_from(('', '', '', '', ' ', '\t')))
    gap = draw(st.sampled_from((' ', ' ', ' ', '  ', '\t')))
    # The base check's parser takes the first space of a line without labels for the end of its name.
    times = ('\t-1',) if gap == '\t' else (' 1795265988000', '\t-1')
    end = draw(st.sampled_from(('', '', '', '', ' ', '\t', *times)))
    own = draw(labels(more))
    if PLAIN_NAME.fullmatch(name):
        head = f'{start}{name}{own}'
    else:
        head = start + '{' + ','.join(filter(None, (token(name), own[1:-1]))) + '}'
    return Line(tuple(draw(moments(values).map(lambda each: [each and f'{head}{gap}{each}{end}' for each in each]))))


def moments(values: tuple[str, ...]) -> st.SearchStrategy[list[str | None]]:
    """The value at each scrape: mostly there, and often the same."""
    one = st.sampled_from(values)
    return st.one_of(
        one.map(lambda value: [value] * SCRAPES),
        st.lists(one, min_size=SCRAPES, max_size=SCRAPES),
        st.lists(st.one_of(one, st.none()), min_size=SCRAPES, max_size=SCRAPES),
    )


@st.composite
def samples(draw: st.DrawFn, name: str, kind: str) -> list[Line]:
    """Samples as a family of this name and type has them."""
    lines: list[Line] = []
    for _ in range(draw(st.integers(0, 3))):
        if kind == 'histogram':
            bounds = sorted(draw(st.sets(st.sampled_from(BOUNDS), max_size=3)), key=float)
            lines += [draw(series(f'{name}_bucket', COUNTS, (('le', bound),))) for bound in bounds]
        elif kind == 'summary':
            quantiles = draw(st.sets(st.sampled_from(QUANTILES), max_size=2))
            lines += [draw(series(name, VALUES, (('quantile', quantile),))) for quantile in sorted(quantiles)]
        else:
            lines.append(draw(series(name, VALUES)))
            continue
        lines += [draw(series(f'{name}_{part}', COUNTS)) for part in draw(st.permutations(('sum', 'count')))]
    return lines


@st.composite
def header(draw: st.DrawFn, *words: str) -> Line:
    """A line of metadata in one of its spacings."""
    start, hash_, gap, end = draw(
        st.sampled_from(
            (
                *[('', '# ', ' ', '')] * 4,
                *(('', '#  ', ' ', ''), (' ', '# ', ' ', ' '), ('\t', '#\t', '\t', ''), ('', '# ', '  ', '\t')),
            )
        )
    )
    return Line.always(start + hash_ + gap.join(words) + end)


@st.composite
def block(draw: st.DrawFn, quoted: bool) -> list[Line]:
    """A family of the text format, or a part of one, or lines that are of none."""
    name = draw(names(quoted))
    kind = draw(st.one_of(st.just(wanted().get(name, 'gauge')), st.sampled_from(TEXT_TYPES)))
    if name.endswith('_bucket') and kind == 'histogram':
        # What such a family has is a bucket without a bound.
        kind = 'gauge'
    text = draw(st.sampled_from(('Text.', '', 'a{x="1"} 2', 'Say "so" \\\\ and\\nso # {', '# TYPE a gauge')))
    metadata = {'HELP': draw(header('HELP', token(name), text)), 'TYPE': draw(header('TYPE', token(name), kind))}
    kept = draw(st.sampled_from((('HELP', 'TYPE'), ('HELP', 'TYPE'), ('TYPE',), ('TYPE', 'HELP'), ('HELP',), ())))
    head = [metadata[each] for each in kept]
    body = draw(samples(name, kind))
    if head and draw(st.integers(0, 9)) == 0:
        head, body = body[:1], [*head, *body[1:]]
    lines = [*head, *body]
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        at = draw(st.integers(0, len(lines)))
        lines.insert(
            at,
            draw(st.one_of(names().flatmap(lambda each: series(each, VALUES)), noise(), header('HELP', token(name)))),
        )
    return lines


def noise() -> st.SearchStrategy[Line]:
    return st.one_of(st.sampled_from(COMMENTS), st.sampled_from(BLANKS)).map(Line.always)


@st.composite
def text(draw: st.DrawFn, quoted: bool = False) -> tuple[bytes, ...]:
    """Expositions of the text format, one for each scrape."""
    blocks = draw(st.lists(block(quoted), max_size=6))
    if blocks and draw(st.booleans()):
        blocks.insert(draw(st.integers(0, len(blocks))), draw(st.sampled_from(blocks)))
    newline = draw(st.sampled_from(('\n', '\n', '\n', '\r\n')))
    ending = draw(st.sampled_from((newline, newline, '')))
    return tuple(_joined(blocks, scrape, newline, ending) for scrape in range(SCRAPES))


def _joined(blocks: list[list[Line]], scrape: int, newline: str, ending: str) -> bytes:
    lines = [line.scrapes[scrape] for lines in blocks for line in lines]
    whole = newline.join(line for line in lines if line is not None)
    return (whole + ending if whole else whole).encode()


@st.composite
def openmetrics(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Expositions of OpenMetrics, one for each scrape."""
    taken: set[str] = set()
    blocks = []
    for _ in range(draw(st.integers(0, 6))):
        name = draw(names())
        for suffix in SUFFIXES:
            name = name.removesuffix(suffix)
        # None may be named as a sample of another one.
        if name and not {name, *(name + suffix for suffix in SUFFIXES)} & taken:
            taken |= {name, *(name + suffix for suffix in SUFFIXES)}
            blocks.append(draw(_family(name)))
    ending = draw(st.sampled_from(('\n', '')))
    return tuple(_joined([*blocks, [Line.always('# EOF')]], scrape, '\n', ending) for scrape in range(SCRAPES))


@st.composite
def _family(draw: st.DrawFn, name: str) -> list[Line]:
    # The label of a state set has the name of its family, and no label has a colon.
    kind = draw(st.sampled_from([each for each in OPENMETRICS_TYPES if each != 'stateset' or ':' not in name]))
    head = [f'# HELP {name} {draw(st.sampled_from(("Text.", "", "Say # {so}")))}', f'# TYPE {name} {kind}']
    unit = name.rpartition('_')[2]
    if '_' in name and unit and kind not in ('info', 'stateset'):
        head.append(f'# UNIT {name} {unit}')
    if kind == 'unknown' and draw(st.booleans()):
        head = []
    kept = draw(st.permutations(head))
    if kind == 'unknown':
        kept = kept[: draw(st.integers(0, len(kept)))]
    lines = [Line.always(line) for line in kept]
    seen = set()
    for number in range(draw(st.integers(0, 3))):
        own = draw(labels((('number', str(number)),), openmetrics=True))
        if own not in seen:
            seen.add(own)
            lines += draw(_metric(name, kind, own[1:-1]))
    return lines


@st.composite
def _metric(draw: st.DrawFn, name: str, kind: str, own: str) -> list[Line]:
    """The samples of one metric; there or not as a whole."""
    time = draw(st.sampled_from(('', '', ' 1795265988', ' 1795265988.25')))
    exemplar = draw(st.sampled_from(('', '', ' # {trace_id="a # {b}"} 0.5', ' # {} 1 1795265988.1')))
    texts: list[list[str]] = []
    for value in draw(moments(COUNTS)):
        if value is None:
            texts.append([])
        elif kind == 'counter':
            texts.append([f'{name}_total{{{own}}} {value}{time}{exemplar}'])
        elif kind in ('histogram', 'gaugehistogram'):
            part = 'g' if kind == 'gaugehistogram' else ''
            texts.append(
                [
                    f'{name}_bucket{{{own},le="0.5"}} 0{time}',
                    f'{name}_bucket{{{own},le="+Inf"}} {value}{time}{exemplar}',
                    f'{name}_{part}count{{{own}}} {value}{time}',
                    f'{name}_{part}sum{{{own}}} {value}.5{time}',
                ]
            )
        elif kind == 'summary':
            texts.append(
                [
                    f'{name}{{{own},quantile="0.5"}} {value}{time}',
                    f'{name}_count{{{own}}} {value}{time}',
                    f'{name}_sum{{{own}}} {value}{time}',
                ]
            )
        elif kind == 'info':
            texts.append([f'{name}_info{{{own}}} 1'])
        elif kind == 'stateset':
            texts.append([f'{name}{{{own},{name}="on"}} {min(int(value), 1)}{time}'])
        else:
            texts.append([f'{name}{{{own}}} {value}{time}'])
    if kind in ('counter', 'histogram', 'summary') and draw(st.booleans()):
        for lines in texts:
            if lines:
                lines.append(f'{name}_created{{{own}}} 1795265988.5{time}')
    count = max(map(len, texts))
    return [Line(tuple(lines[at] if at < len(lines) else None for lines in texts)) for at in range(count)]
