# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is no exposition is refused with a sentence, what is one is not."""

import base64
import json
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from requests import Response

from datadog_checks.base.constants import ServiceCheck
from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.fetch.body import CHUNK, Body
from datadog_checks.kubeflow.fetch.failures import Refused
from datadog_checks.kubeflow.fetch.limits import Limits
from datadog_checks.kubeflow.fetch.watch import Watch

from .common import ENDPOINT, TEXT

ANSWERS = yaml.safe_load((Path(__file__).parent / 'answers.yaml').read_text(encoding='utf-8'))
HEALTH = 'kubeflow.openmetrics.health'


def response(body, content_type=TEXT, status=200):
    answer = Response()
    answer.status_code, answer.reason = status, HTTPStatus(status).phrase
    answer.raw, answer.url = BytesIO(body), ENDPOINT
    answer.headers['Content-Type'] = content_type
    return answer


@pytest.mark.parametrize('answer', [pytest.param(answer, id=answer['name']) for answer in ANSWERS])
def test_what_is_no_exposition_is_refused_with_a_sentence(answer, mocker, aggregator):
    body = base64.b64decode(answer['base64']) if 'base64' in answer else answer['body'].encode()
    answered = response(body, answer.get('type', TEXT), answer.get('status', 200))
    mocker.patch('requests.Session.get', return_value=answered)
    error = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT}]).run()

    (health,) = aggregator.service_checks(HEALTH)
    sentence = answer['says'].replace('$url', ENDPOINT)
    assert (health.status, health.message) == (ServiceCheck.CRITICAL, sentence)
    assert (
        json.loads(error)[0]['message'].removeprefix(f'There was an error scraping endpoint {ENDPOINT}: ') == sentence
    )
    assert aggregator.metric_names == []


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('# a remark\n# another one\na 1\n', id='remarks first'),
        pytest.param('# nothing but a remark\n', id='nothing but a remark'),
        pytest.param('# EOF\n', id='the end alone'),
        pytest.param('\n\n \na 1\n', id='blank lines first'),
        pytest.param('  a 1\n', id='blanks before a name'),
        pytest.param('# TYPE a gauge\n', id='a header alone'),
        pytest.param(':rule:sum 1\n', id='name with a colon'),
        pytest.param('_a 1\n', id='name with an underscore'),
        pytest.param('a{b="c"} 1\n', id='labels'),
        pytest.param('a{b="c"}1\n', id='no blank behind labels'),
        pytest.param('a { b = "}" , } 1\n', id='blanks in labels'),
        pytest.param('{"my.metric"} 1\n', id='name in quotes'),
        pytest.param('{"my.metric","b.c"="d"} 1\n', id='name and label in quotes'),
        pytest.param('{"my \\"metric\\"", b="c"} 1\n', id='quotes in quotes'),
        pytest.param('a NaN\n', id='no number'),
        pytest.param('a +Inf\n', id='infinity'),
        pytest.param('a -1.5e-7 1700000000000\n', id='timestamp'),
        pytest.param('a .5\n', id='no digit before the point'),
        pytest.param('a_bucket{le="1"} 1 # {trace_id="x"} 0.5\n', id='exemplar'),
        pytest.param('a 1\r\nb 2\r\n', id='line ends of Windows'),
        pytest.param('a 1', id='no line end'),
        pytest.param('this is no sample\na 1\n', id='a wrong line first'),
        pytest.param('a{b="\u540d\u524d"} 1\n', id='letters beyond ASCII'),
        pytest.param('a{b="<html>"} 1\n', id='a page in a label'),
        pytest.param('\ufeffa 1\n', id='mark of UTF-8'),
    ],
)
@pytest.mark.parametrize('content_type', ['text/plain', 'text/html', 'application/vnd.google.protobuf'])
def test_what_may_be_an_exposition_is_not_refused(text, content_type):
    limits = Limits.of({})
    body = Body(response(text.encode(), content_type), limits, ENDPOINT, Watch(limits))
    assert b''.join(body.chunks()).decode() == text.removeprefix('\ufeff')


@pytest.mark.parametrize('content_type', [TEXT, 'Text/Plain;Version=1.0.0'])
def test_nothing_is_an_exposition_where_it_is_declared_as_one(content_type):
    limits = Limits.of({})
    assert list(Body(response(b'', content_type), limits, ENDPOINT, Watch(limits)).chunks()) == []


def test_chunks_are_worth_their_handling():
    limits = Limits.of({})
    exposition = b'# TYPE a gauge\n' + b'a 1\n' * 300_000
    body = Body(response(exposition), limits, ENDPOINT, Watch(limits))
    chunks = list(body.chunks())
    assert b''.join(chunks) == exposition
    whole, rest = divmod(len(exposition), CHUNK)
    assert [len(chunk) for chunk in chunks] == [CHUNK] * whole + [rest]
    assert body.size == len(exposition)


@pytest.mark.parametrize('place', [0, 1, 1023, 1024, 1025, 5000])
def test_a_line_may_be_as_long_as_the_limit_and_no_longer(place):
    limits = Limits.of({'max_line_size': 1})
    before = b'\n' * place + b'a 1\n'
    line = b'a{b="%s"} 1' % (b'x' * 1015)
    assert len(line) == 1024
    body = Body(response(before + line + b'\n'), limits, ENDPOINT, Watch(limits))
    assert b''.join(body.chunks()) == before + line + b'\n'

    body = Body(response(before + b'x' + line + b'\n'), limits, ENDPOINT, Watch(limits))
    with pytest.raises(Refused, match='a line that is longer than the 1 KiB that `max_line_size` allows'):
        list(body.chunks())


def test_what_an_endpoint_says_is_shown_printable_and_in_part():
    answer = response(b'<html>', 'text/\x1b[31m' + 'x' * 5000)
    limits = Limits.of({})
    with pytest.raises(Refused) as error:
        list(Body(answer, limits, ENDPOINT, Watch(limits)).chunks())
    assert str(error.value).startswith(
        f'What {ENDPOINT} answered (Content-Type: text/\\x1b[31m{"x" * 87}...) is no Prometheus exposition: '
    )
