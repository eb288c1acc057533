# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import gzip
import urllib.request

import pytest

from ..payloads import read
from ..server import EMPTY, STILL, Stage

KATIB = read()[0]['katib']


@pytest.fixture(scope='module')
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def figures(stage):
    return stage.show(KATIB)


def answer(stage, form):
    with urllib.request.urlopen(stage.url(form), timeout=30) as answer:
        return answer.read(), answer.headers


def test_the_figures_are_those_of_the_exposition(stage, figures):
    body, headers = answer(stage, STILL)

    assert (figures.lines, figures.size) == (body.count(b'\n'), len(body))
    assert headers['Content-Length'] == str(len(body))
    assert 0.5 < figures.changed < 0.8


def test_a_scrape_finds_other_values_unless_it_asks_for_those_of_before(stage, figures):
    assert answer(stage, 'plain')[0] != answer(stage, 'plain')[0]
    assert answer(stage, STILL)[0] == answer(stage, STILL)[0]
    assert answer(stage, EMPTY)[0] == b''
    assert [stage.scrapes(form) for form in ('plain', STILL, EMPTY, 'gzip')] == [2, 2, 1, 0]


@pytest.mark.parametrize('form, encoding', [('chunked', None), ('gzip', 'gzip')])
def test_an_answer_of_unknown_length_is_chunked(stage, figures, form, encoding):
    body, headers = answer(stage, form)

    assert headers['Transfer-Encoding'] == 'chunked'
    assert headers['Content-Length'] is None
    assert headers['Content-Encoding'] == encoding
    text = gzip.decompress(body) if encoding else body
    assert text.startswith(b'# HELP ')
    assert text.count(b'\n') == pytest.approx(figures.lines, abs=20)


def test_what_cannot_be_shown_is_told_and_the_next_can_be(stage):
    with pytest.raises(RuntimeError, match=r"the endpoint: 'NoneType' object has no attribute 'seed'"):
        stage.show(None)

    assert stage.show(KATIB).lines == 877


def test_an_endpoint_that_has_ended_is_told():
    with Stage() as stage:
        pass

    with pytest.raises(OSError, match='closed'):
        stage.show(KATIB)
