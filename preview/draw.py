# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""One widget as a drawing."""

from __future__ import annotations

import re
from itertools import cycle
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from .canvas import GROUP_SIZE, PADDING, SMALL_SIZE, STYLE, TEXT_SIZE, TITLE_SIZE, Canvas, cut, fitting, height
from .dashboard import CHECK_STATUS, GROUP, NOTE
from .panels import Line, Panel
from .recording import MINUTE
from .states import COMPARISONS

# As many names as a legend has room for, and marks as an axis has.
NAMED = 6
TICKS = 6
# Of the title of a group, in inches.
HEADING = 0.32
# Of a single number, in points.
NUMBER_SIZE = 26


def draw(panel: Panel, canvas: Canvas) -> None:
    """Draw the widget on all of the canvas."""
    definition = panel.widget.definition
    if panel.widget.kind == GROUP:
        _heading(panel, canvas)
    elif panel.widget.kind == NOTE:
        canvas.fill(STYLE['notes'].get(definition.get('background_color'), STYLE['card']))
        _note(definition.get('content', ''), canvas)
    else:
        canvas.fill(STYLE['card'])
        top = _title(panel.widget.title, canvas)
        if panel.empty:
            canvas.text(canvas.width / 2, canvas.height / 2, 'no data', TEXT_SIZE, color=STYLE['missing'], ha='center')
        else:
            _CONTENTS[panel.widget.kind](panel, canvas, top)


def number(value: float, precision: int | None = None) -> str:
    """A number in few characters: 1.2k, 350, 0.0123."""
    for size, name in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if abs(value) >= size:
            return f'{value / size:.3g}{name}'
    if precision is not None:
        return f'{value:.{precision}f}'
    return f'{value:.3g}' if abs(value) >= 0.001 or not value else f'{value:.1e}'


def _heading(panel: Panel, canvas: Canvas) -> None:
    # At the foot, next to what it is the title of.
    strip = canvas.foot(HEADING)
    strip.fill(STYLE['groups'].get(panel.widget.definition.get('background_color'), STYLE['faint']))
    strip.text(PADDING, HEADING / 2, panel.widget.title, GROUP_SIZE, color='white', weight='bold', va='center')


def _title(title: str, canvas: Canvas) -> float:
    """Write the title in two lines at most; gives where it ends, in inches from the top."""
    lines = wrap(title, fitting(canvas.width - 2 * PADDING, TITLE_SIZE, bold=True))
    if len(lines) > 2:
        lines = [lines[0], cut(' '.join(lines[1:]), canvas.width - 2 * PADDING, TITLE_SIZE, bold=True)]
    canvas.text(PADDING, PADDING, '\n'.join(lines), TITLE_SIZE, weight='bold')
    return PADDING + height(len(lines), TITLE_SIZE)


def _note(markdown: str, canvas: Canvas) -> None:
    top = PADDING
    room = fitting(canvas.width - 2 * PADDING, TEXT_SIZE)
    for paragraph in markdown.splitlines():
        heading = paragraph.startswith('#')
        size = GROUP_SIZE if heading else TEXT_SIZE
        plain = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', re.sub(r'[*`]', '', paragraph.lstrip('# ')))
        lines = wrap(plain, room) or ['']
        canvas.text(PADDING, top, '\n'.join(lines), size, weight='bold' if heading else 'normal')
        top += height(len(lines), size) if plain else height(1, size) / 2


def _timeseries(panel: Panel, canvas: Canvas, top: float) -> None:
    order = _by_height(panel.lines)
    colours = dict(zip(order, cycle(STYLE['lines'])))
    legend = _legend(panel.lines, order, colours, canvas)
    left, bottom = 0.5, legend + 0.35
    axes = canvas.axes(left, top + 0.08, canvas.width - left - PADDING, canvas.height - top - bottom)
    _plot(axes, panel, colours)


def _by_height(lines: tuple[Line, ...]) -> list[int]:
    """The places of the lines; where they are too many to name, those that are highest at some time come first."""
    places = range(len(lines))
    return sorted(places, key=lambda place: -max(lines[place].points.values()) if len(lines) > NAMED else 0)


def _legend(lines: tuple[Line, ...], order: list[int], colours: dict[int, str], canvas: Canvas) -> float:
    """Name lines at the foot, in two columns, and tell how many more there are; gives how high that is, in inches."""
    if len(lines) == 1 and not lines[0].label:
        return 0
    named = order if len(lines) <= NAMED else order[: NAMED - 1]
    entries = [(lines[place].label or 'value', colours[place]) for place in named]
    if len(lines) > len(named):
        entries.append((f'and {len(lines) - len(named)} more', STYLE['faint']))
    tall = height(-(-len(entries) // 2), SMALL_SIZE)
    column = (canvas.width - 2 * PADDING) / 2
    for index, (label, colour) in enumerate(entries):
        x = PADDING + index % 2 * column
        y = canvas.height - PADDING / 2 - tall + height(index // 2, SMALL_SIZE)
        canvas.text(x, y, '■', SMALL_SIZE, color=colour)
        canvas.text(x + 0.13, y, cut(label, column - 0.13, SMALL_SIZE), SMALL_SIZE)
    return tall


def _plot(axes: Axes, panel: Panel, colours: dict[int, str]) -> None:
    below: dict[str, dict[int, float]] = {'bars': {}, 'area': {}}
    for place, line in enumerate(panel.lines):
        colour = colours[place]
        instants = [*line.points]
        minutes = [instant / MINUTE for instant in instants]
        values = [*line.points.values()]
        if line.display == 'line':
            axes.plot(minutes, values, color=colour, linewidth=1)
            continue
        # Bars and areas stand on those before them.
        ground = below[line.display]
        bases = [ground.get(instant, 0.0) for instant in instants]
        if line.display == 'bars':
            axes.bar(minutes, values, line.interval / MINUTE * 0.8, bases, align='edge', color=colour, linewidth=0)
        else:
            tops = [base + value for base, value in zip(bases, values, strict=True)]
            axes.fill_between(minutes, bases, tops, color=colour, alpha=0.8, linewidth=0)
        ground.update({instant: base + value for instant, base, value in zip(instants, bases, values, strict=True)})
    end = panel.end / MINUTE
    axes.set_xlim(0, end)
    values = [value for line in panel.lines for value in line.points.values()]
    if min(values) >= 0:
        # matplotlib leaves room above what varies, and hardly any above what does not.
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.05 * max(values)) if max(values) else 1)
    axes.xaxis.set_major_locator(MultipleLocator(max(1, round(end / TICKS))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda minute, _: f'{minute:.0f}m'))
    # The first one has no room beside the zero of the other axis.
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 < tick <= end])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.tick_params(labelsize=SMALL_SIZE, length=0, pad=2)
    axes.grid(axis='y', color=STYLE['rule'], linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ('top', 'right', 'left'):
        axes.spines[side].set_visible(False)


def _toplist(panel: Panel, canvas: Canvas, top: float) -> None:
    room = canvas.height - top - PADDING
    step = min(room / len(panel.rows), 0.3)
    highest = max(abs(row.values[0]) for row in panel.rows) or 1
    axes = canvas.axes(PADDING, top + 0.05, canvas.width - 2 * PADDING, room)
    axes.set(xlim=(0, 1), ylim=(room, 0))
    axes.axis('off')
    for index, row in enumerate(panel.rows):
        axes.barh((index + 0.5) * step, abs(row.values[0]) / highest, step * 0.8, color=STYLE['bar'])
        x, y = PADDING + 0.06, top + 0.05 + (index + 0.5) * step
        text = f'{_with_unit(row.values[0], panel)}  {row.label}'
        canvas.text(x, y, cut(text, canvas.width - 2 * x, SMALL_SIZE), SMALL_SIZE, va='center')


def _table(panel: Panel, canvas: Canvas, top: float) -> None:
    rows = [('', *panel.columns), *((row.label, *map(_cell, row.values)) for row in panel.rows)]
    step = min((canvas.height - top - PADDING) / len(rows), 0.3)
    column = (canvas.width - 2 * PADDING) / (len(panel.columns) + 1)
    for line, cells in enumerate(rows):
        y = top + 0.05 + (line + 0.5) * step
        for index, cell in enumerate(cells):
            side, x = ('left', PADDING) if not index else ('right', PADDING + (index + 1) * column)
            text = cut(cell, column - 0.05, SMALL_SIZE, bold=not line)
            canvas.text(x, y, text, SMALL_SIZE, ha=side, va='center', weight='normal' if line else 'bold')


def _statuses(panel: Panel, canvas: Canvas, top: float) -> None:
    width = (canvas.width - 2 * PADDING) / len(panel.rows)
    middle = (top + canvas.height) / 2
    for index, row in enumerate(panel.rows):
        x, value = PADDING + (index + 0.5) * width, row.values[0]
        colour = STYLE['states'][row.label] if value else STYLE['faint']
        canvas.text(x, middle - 0.08, number(value), NUMBER_SIZE, color=colour, weight='bold', ha='center', va='center')
        canvas.text(x, middle + 0.22, row.label, SMALL_SIZE, color=colour, ha='center')


def _value(panel: Panel, canvas: Canvas, top: float) -> None:
    value = panel.rows[0].values[0]
    looks = {'color': _palette(value, panel), 'weight': 'bold', 'ha': 'center', 'va': 'center'}
    canvas.text(canvas.width / 2, (top + canvas.height) / 2, _with_unit(value, panel), NUMBER_SIZE, **looks)


def _palette(value: float, panel: Panel) -> str:
    """The colour of a value by the first of its widget's conditions that it meets."""
    for each in panel.widget.definition['requests'][0].get('conditional_formats', ()):
        if COMPARISONS[each['comparator']](value, each['value']):
            return STYLE['palettes'][each['palette']]
    return STYLE['ink']


def _with_unit(value: float, panel: Panel) -> str:
    definition = panel.widget.definition
    formula = (definition['requests'][0].get('formulas') or [{}])[0]
    unit = formula.get('number_format', {}).get('unit', {}).get('unit_name', '')
    name = definition.get('custom_unit') or STYLE['units'].get(unit, unit)
    return f'{number(value, definition.get("precision"))} {name}'.rstrip()


def _cell(value: float | None) -> str:
    return '-' if value is None else number(value)


_CONTENTS = {
    CHECK_STATUS: _statuses,
    'query_table': _table,
    'query_value': _value,
    'timeseries': _timeseries,
    'toplist': _toplist,
}
