# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A generated block in Korean, text by text, with the words of `korean.yaml`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

WORDS = Path(__file__).with_suffix('.yaml')


@cache
def words() -> dict[str, Any]:
    """What `korean.yaml` says, as its comments describe it."""
    return yaml.safe_load(WORDS.read_text(encoding='utf-8'))


def in_korean(block: str) -> str:
    """The block in Korean. What is fenced stays as it is, and so does a text of which there is no Korean."""
    return ''.join(_line(line, lambda text: korean(text) or text) for line in _lines(block))


def korean(text: str) -> str | None:
    """The Korean of a text, None where there is none."""
    if text in words()['texts']:
        return words()['texts'][text]
    for pattern, wording in words()['patterns']:
        if match := re.fullmatch(pattern, text):
            return match.expand(wording)
    return None


def texts(block: str) -> list[str]:
    """What of a block may have another wording in another language: cells, names of facts, facts and lines."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    for line in _lines(block):
        _line(line, note)
    return found


def _lines(block: str) -> list[str]:
    """Each with its end; a fence and what is in it are one."""
    return re.findall(r'```.*?```\n|[^\n]*\n', block, re.DOTALL)


def _line(line: str, worded: Callable[[str], str]) -> str:
    if line.startswith(('```', '| ---')) or not line.strip():
        return line
    if line.startswith('| '):
        return f'| {" | ".join(map(worded, line[2:-3].split(" | ")))} |\n'
    mark, name, fact = re.fullmatch(r'(- |#+ |)(?:([^:`]+): )?(.*)\n', line).groups()
    return f'{mark}{f"{worded(name)}: " if name else ""}{worded(fact)}\n'
