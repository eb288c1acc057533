# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard as one picture, and as a page of drawings to open."""

from collections.abc import Sequence
from html import escape
from io import BytesIO, StringIO
from pathlib import Path
from string import Template

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from .canvas import COLUMN_WIDTH, GAP, ROW_HEIGHT, STYLE, Canvas, settings
from .dashboard import COLUMNS, Widget
from .draw import draw
from .panels import Panel

PICTURE, PAGE = 'overview.png', 'overview.html'
DOTS_PER_INCH = 100
# Enough for flat colours and the edges of letters, and a third of the size.
PALETTE = 128

_TEMPLATE = Template(Path(__file__).with_name('page.html').read_text(encoding='utf-8'))


def write_picture(panels: Sequence[Panel], directory: Path) -> Path:
    """Draw all widgets on the dashboard's grid."""
    rows = max(panel.widget.place.y + panel.widget.place.height for panel in panels)
    size = (COLUMNS * COLUMN_WIDTH + GAP, rows * ROW_HEIGHT + GAP)
    with rc_context(settings('')):
        figure = Figure(figsize=size, facecolor=STYLE['page'])
        for panel in panels:
            place = panel.widget.place
            width, height = _size(panel.widget)
            draw(panel, Canvas(figure, place.x * COLUMN_WIDTH + GAP, place.y * ROW_HEIGHT + GAP, width, height))
        image = BytesIO()
        figure.savefig(image, dpi=DOTS_PER_INCH, format='png')
    path = directory / PICTURE
    Image.open(image).convert('RGB').quantize(PALETTE).save(path, optimize=True)
    return path


def write_page(title: str, panels: Sequence[Panel], directory: Path) -> Path:
    """Write a page with a drawing for each widget, on the dashboard's grid."""
    path = directory / PAGE
    content = '\n'.join(_section(number, panel) for number, panel in enumerate(panels))
    page = _TEMPLATE.substitute(title=escape(title), columns=COLUMNS, row=f'{ROW_HEIGHT * 96:.0f}px', content=content)
    path.write_text(page, encoding='utf-8')
    return path


def _section(number: int, panel: Panel) -> str:
    place, title = panel.widget.place, escape(panel.widget.title or panel.widget.kind)
    area = f'{place.y + 1} / {place.x + 1} / span {place.height} / span {place.width}'
    return f'<section title="{title}" style="grid-area: {area}">{_svg(f"panel {number}", panel)}</section>'


def _svg(salt: str, panel: Panel) -> str:
    width, height = _size(panel.widget)
    with rc_context(settings(salt)):
        figure = Figure(figsize=(width, height))
        draw(panel, Canvas(figure, 0, 0, width, height))
        text = StringIO()
        figure.savefig(text, format='svg', metadata={'Creator': None, 'Date': None, 'Format': None, 'Type': None})
    # Without the declarations that only a file of its own has.
    return text.getvalue()[text.getvalue().index('<svg') :]


def _size(widget: Widget) -> tuple[float, float]:
    """Of a widget, in inches."""
    return widget.place.width * COLUMN_WIDTH - GAP, widget.place.height * ROW_HEIGHT - GAP
