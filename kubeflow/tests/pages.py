# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The pages that users read, and what is in them."""

import re
from collections.abc import Iterator
from pathlib import Path

INTEGRATION = Path(__file__).parent.parent
ROOT = INTEGRATION.parent

# A page in Korean is beside the one in English, as README.ko.md.
KOREAN = sorted([*INTEGRATION.glob('*.ko.md'), *ROOT.glob('*.ko.md')])
ENGLISH = sorted(path for path in (*INTEGRATION.glob('*.md'), *ROOT.glob('*.md')) if path not in KOREAN)
PAGES = [*ENGLISH, *KOREAN]

FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.DOTALL | re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path) -> str:
    return path.read_text(encoding='utf-8')


def fenced(text: str, language: str) -> list[str]:
    """What stands in the fences of a language."""
    return [content for tag, content in FENCE.findall(text) if tag == language]


def prose(text: str) -> str:
    """The text without its fences."""
    return FENCE.sub('', text)


def headings(text: str) -> list[tuple[int, str]]:
    """Level and wording of each heading."""
    return [(len(marks), words) for marks, words in re.findall(r'^(#+) (.+)$', prose(text), re.MULTILINE)]


def anchors(text: str) -> list[str]:
    """The anchor of each heading, as GitHub makes it."""
    return [re.sub(r'[^\w\- ]', '', words.lower()).replace(' ', '-') for _, words in headings(text)]


def links(text: str) -> list[str]:
    """The target of each link and picture in their order, those of references too."""
    text = prose(text)
    references = dict(re.findall(r'^\[(\d+)\]: (\S+)$', text, re.MULTILINE))
    # In code there are brackets that are no links.
    text = re.sub(r'`[^`\n]*`', lambda match: match[0] if '](' not in match[0] else '', text)
    found = re.findall(r'\]\(([^)\s]+)\)|\]\[(\d+)\]', text)
    return [target or references[number] for target, number in found]


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table, line by line; the second line, of dashes, is left out."""
    blocks = re.findall(r'(?:^\|.*\|\n)+', prose(text), re.MULTILINE)
    return [
        [line[2:-2].split(' | ') for line in block.splitlines() if not line.startswith('| ---')] for block in blocks
    ]


def marked(text: str, mark: str) -> str:
    """What stands between `<!-- mark -->` and the end of it."""
    return re.search(rf'<!-- {mark} -->\n(.*?)<!-- end -->', text, re.DOTALL)[1]


def rows(text: str, mark: str) -> Iterator[list[str]]:
    """The lines of the table between the marks, without its header."""
    (table,) = tables(marked(text, mark))
    yield from table[1:]
