# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A page in Korean says what the one in English says, as far as that can be compared."""

import re
import runpy
from collections import Counter
from types import SimpleNamespace

import pytest

from datadog_checks.kubeflow.catalogue import load_catalogue

from . import pages
from .pages import INTEGRATION, KOREAN, ROOT

GENERATOR = SimpleNamespace(**runpy.run_path(str(INTEGRATION / 'scripts' / 'generate.py')))
SCRIPT = SimpleNamespace(**runpy.run_path(str(INTEGRATION / 'scripts' / 'korean.py')))
HANGUL = re.compile('[\uac00-\ud7a3]')

PAIRS = [
    pytest.param(pages.read(path.with_name(path.name.replace('.ko.md', '.md'))), pages.read(path), id=pages.name(path))
    for path in KOREAN
]
every_pair = pytest.mark.parametrize('english, korean', PAIRS)


def code(text):
    """Each piece of code in a line, without names of pages, of which each language has its own."""
    found = re.findall(r'`([^`\n]+)`', re.sub(r'\]\([^)]*\)', ']', pages.prose(text)))
    return Counter(found)


def figures(text):
    """The numbers in what is neither code nor a link."""
    words = re.sub(r'`[^`\n]+`|\]\([^)]*\)|\]\[\d+\]|^\[\d+\]: .*$', '', pages.prose(text), flags=re.MULTILINE)
    return Counter(re.findall(r'\d+(?:\.\d+)*', words))


def without_blocks(text):
    return re.sub(r'<!-- generated: .*?<!-- end -->', '', text, flags=re.DOTALL)


def test_the_readme_and_what_it_leads_to_are_there_in_korean():
    assert {pages.name(path) for path in KOREAN} >= {'kubeflow/README.ko.md'}
    for path in KOREAN:
        for target in pages.links(pages.read(path)):
            if re.search(r'(?<!\.ko)\.md(#|$)', target):
                sibling = (path.parent / target.partition('#')[0]).resolve()
                own = path.with_name(path.name.replace('.ko.md', '.md'))
                assert sibling == own or not sibling.with_name(f'{sibling.stem}.ko.md').exists(), target


@every_pair
def test_headings_have_the_same_levels(english, korean):
    assert [level for level, _ in pages.headings(korean)] == [level for level, _ in pages.headings(english)]


@every_pair
def test_fences_are_the_same(english, korean):
    assert pages.FENCE.findall(korean) == pages.FENCE.findall(english)


@every_pair
def test_blocks_are_the_same(english, korean):
    marks = r'<!-- (?!end)(.*?) -->'
    assert re.findall(marks, korean) == re.findall(marks, english)


@pytest.mark.parametrize('path', KOREAN, ids=pages.name)
def test_links_are_the_same(path):
    """But for the page in the other language, and for anchors, which follow the headings."""

    def target(link, of):
        file, _, anchor = link.partition('#')
        if '://' in link:
            return link
        at = (of.parent / file).resolve() if file else of
        plain = at.with_name(at.name.replace('.ko.md', '.md'))
        position = pages.anchors(pages.read(at)).index(anchor) if anchor else None
        return plain.relative_to(ROOT), position

    english = path.with_name(path.name.replace('.ko.md', '.md'))
    found = [Counter(target(link, of) for link in pages.links(pages.read(of))) for of in (path, english)]
    assert found[0] == found[1]


@every_pair
def test_code_in_lines_is_the_same(english, korean):
    assert code(without_blocks(korean)) == code(without_blocks(english))


@every_pair
def test_no_figure_is_missing(english, korean):
    """Some that English has in words are figures in Korean."""
    assert figures(without_blocks(english)) - figures(without_blocks(korean)) == Counter()


@every_pair
def test_tables_have_the_same_rows_and_code(english, korean):
    shapes = [[[len(table), *map(len, table)] for table in pages.tables(text)] for text in (korean, english)]
    assert shapes[0] == shapes[1]
    for ours, theirs in zip(pages.tables(korean), pages.tables(english), strict=True):
        for row, other in zip(ours, theirs, strict=True):
            assert [code(cell) for cell in row] == [code(cell) for cell in other]


@every_pair
def test_lists_have_the_same_length(english, korean):
    items = r'^ *(?:-|\d+\.) '
    found = [re.findall(items, pages.prose(text), re.MULTILINE) for text in (korean, english)]
    assert found[0] == found[1]


@every_pair
def test_every_paragraph_is_korean(english, korean):
    for paragraph in re.split(r'\n\s*\n', pages.prose(without_blocks(korean))):
        # Headings may be names, and neither the list of references nor comments and tags are prose.
        lines = [line for line in paragraph.splitlines() if not re.match(r'#|\[\d+\]:|<|!\[|\| ---', line)]
        text = re.sub(r'`[^`]*`|\*[^*]+\*', '', ' '.join(lines))
        if re.search('[A-Za-z]{2}', text):
            assert HANGUL.search(text), paragraph


# --- what is generated ------------------------------------------------------------------------------------------------


def generated():
    """The texts of the blocks on the English pages that a Korean page repeats."""
    found = {}
    for pair in PAIRS:
        for name, block in re.findall(r'<!-- generated: (.*?) -->\n(.*?)<!-- end -->', pair.values[0], re.DOTALL):
            for text in SCRIPT.texts(block):
                found.setdefault(text, name)
    return found


def is_a_name(text):
    """Code, figures, links and what korean.yaml calls the same."""
    bare = re.sub(r'`[^`]*`|\[[^]]*\]\([^)]*\)|\*[^*]+\*', '', text)
    return not re.search('[A-Za-z]{2}', bare) or any(re.fullmatch(pattern, text) for pattern in SCRIPT.words()['same'])


def test_every_generated_text_has_a_korean():
    assert [text for text in generated() if not SCRIPT.korean(text) and not is_a_name(text)] == []


def test_no_korean_is_of_a_text_that_nothing_generates():
    """Of the whole generator, as pages choose what they show."""
    texts = set(generated())
    blocks = [GENERATOR.coverage_table(load_catalogue())]
    blocks += GENERATOR.component_blocks(GENERATOR.read()).values()
    texts |= {text for block in blocks for text in SCRIPT.texts(block)}
    assert [text for text in SCRIPT.words()['texts'] if text not in texts] == []
    for key in ('patterns', 'same'):
        for entry in SCRIPT.words()[key]:
            pattern = entry[0] if key == 'patterns' else entry
            assert any(re.fullmatch(pattern, text) for text in texts), pattern


def test_korean_texts_keep_code_and_figures():
    for text in generated():
        korean = SCRIPT.korean(text)
        if korean:
            assert code(korean) == code(text)


def test_a_block_is_put_into_korean_line_by_line():
    block = (
        '| Component | What it takes |\n| --- | --- |\n| Katib controller | a token |\n'
        '\n- Releases: from 0.12\n\nBefore Agent 7.36:\n\n```yaml\n# Component\n```\n'
    )
    assert SCRIPT.in_korean(block) == (
        '| 컴포넌트 | 필요한 것 |\n| --- | --- |\n| Katib controller | 토큰 |\n'
        '\n- 릴리스: 0.12부터\n\nAgent 7.36 이전:\n\n```yaml\n# Component\n```\n'
    )
