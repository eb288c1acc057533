# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The sheet that widgets are drawn on, measured in inches from its top left."""

from pathlib import Path
from typing import Any

import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

STYLE = yaml.safe_load(Path(__file__).with_name('style.yaml').read_text(encoding='utf-8'))

# In inches, and in points.
COLUMN_WIDTH, ROW_HEIGHT = 1.3, 0.62
GAP, PADDING = 0.05, 0.1
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, GROUP_SIZE = 8.5, 8, 7, 11
LINE_HEIGHT = 1.35
# How wide a character is of the height of its font, about.
CHARACTER, BOLD_CHARACTER = 0.58, 0.68
POINTS = 72


def settings(salt: str) -> dict[str, Any]:
    """Settings of matplotlib: text stays text, and the same picture comes out each time. `salt` goes into ids."""
    return {
        'font.family': 'DejaVu Sans',
        'svg.fonttype': 'none',
        # A template variable begins with a dollar sign.
        'text.parse_math': False,
        'svg.hashsalt': salt,
        'axes.edgecolor': STYLE['rule'],
        'text.color': STYLE['ink'],
        'xtick.color': STYLE['ink'],
        'ytick.color': STYLE['ink'],
    }


class Canvas:
    """A rectangle of a figure, in inches from the figure's top left."""

    def __init__(self, figure: Figure, left: float, top: float, width: float, height: float):
        self.figure = figure
        self.left, self.top, self.width, self.height = left, top, width, height

    def foot(self, height: float) -> 'Canvas':
        """The lowest part of it, so many inches high."""
        return Canvas(self.figure, self.left, self.top + self.height - height, self.width, height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes on a part of it, in inches from its top left."""
        across, down = self.figure.get_size_inches()
        bottom = self.top + top + height
        return self.figure.add_axes(((self.left + left) / across, 1 - bottom / down, width / across, height / down))

    def text(self, left: float, top: float, text: str, size: float, **looks: Any) -> None:
        """Text whose top left is there, in inches from its top left."""
        across, down = self.figure.get_size_inches()
        x, y = (self.left + left) / across, 1 - (self.top + top) / down
        self.figure.text(x, y, text, fontsize=size, **{'va': 'top', 'linespacing': LINE_HEIGHT, **looks})

    def fill(self, colour: str) -> None:
        across, down = self.figure.get_size_inches()
        corner = self.left / across, 1 - (self.top + self.height) / down
        size = self.width / across, self.height / down
        self.figure.add_artist(
            Rectangle(corner, *size, facecolor=colour, edgecolor=STYLE['rule'], linewidth=0.6, zorder=-1)
        )


def fitting(width: float, size: float, bold: bool = False) -> int:
    """How many characters of that size fit into so many inches."""
    return max(4, int(width * POINTS / (size * (BOLD_CHARACTER if bold else CHARACTER))))


def height(lines: int, size: float) -> float:
    return lines * size * LINE_HEIGHT / POINTS


def cut(text: str, width: float, size: float, bold: bool = False) -> str:
    """As much of a line as fits into so many inches, with a mark where it is cut."""
    room = fitting(width, size, bold)
    return text if len(text) <= room else f'{text[: room - 1]}…'
