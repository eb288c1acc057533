# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..faults import BadFault, Fault, Faults, UnknownFault, from_query, from_text


@pytest.mark.parametrize(
    'kind, query, fault',
    [
        ('restart', '', Fault('restart')),
        ('slow', 'seconds=2.5', Fault('slow', 2.5)),
        ('slow', 'seconds=0', Fault('slow', 0)),
        ('cut', 'bytes=2000', Fault('cut', 2000)),
        ('cut', 'bytes=0', Fault('cut', 0)),
        ('unavailable', '', Fault('unavailable')),
        ('recover', '', Fault('recover')),
    ],
)
def test_faults_of_a_query(kind, query, fault):
    assert from_query(kind, query) == fault


@pytest.mark.parametrize(
    'kind, query, message',
    [
        ('slow', '', '/-/slow needs seconds once, as in /-/slow?seconds=3'),
        ('slow', 'seconds=1&seconds=2', '/-/slow needs seconds once, as in /-/slow?seconds=3'),
        ('slow', 'seconds=', "'' is no number of seconds"),
        ('slow', 'seconds=soon', "'soon' is no number of seconds"),
        ('slow', 'seconds=-1', "'-1' is no number of seconds"),
        ('slow', 'seconds=nan', "'nan' is no number of seconds"),
        ('slow', 'seconds=inf', "'inf' is no number of seconds"),
        ('slow', 'bytes=1', "/-/slow has no parameter 'bytes'"),
        ('cut', 'bytes=-1', "'-1' is no number of bytes"),
        ('cut', f'bytes={"9" * 5000}', "'999999999999...9999999999999' is no number of bytes"),
        ('cut', 'bytes=1.5', "'1.5' is no number of bytes"),
        ('cut', 'seconds=1', "/-/cut has no parameter 'seconds'"),
        ('restart', 'now', "/-/restart has no parameter 'now'"),
    ],
)
def test_bad_parameters(kind, query, message):
    with pytest.raises(BadFault) as caught:
        from_query(kind, query)
    assert str(caught.value) == message


@pytest.mark.parametrize('kind', ['', 'explode', 'slow/', 'Slow'])
def test_unknown_kinds(kind):
    with pytest.raises(UnknownFault) as caught:
        from_query(kind, '')
    known = '/-/restart, /-/slow, /-/cut, /-/unavailable and /-/recover'
    assert str(caught.value) == f'there is no /-/{kind}; there are {known}'


@pytest.mark.parametrize(
    'text, fault',
    [('slow:3', Fault('slow', 3)), ('cut:2000', Fault('cut', 2000)), ('unavailable', Fault('unavailable'))],
)
def test_faults_of_the_command_line(text, fault):
    assert from_text(text) == fault


@pytest.mark.parametrize(
    'text, message',
    [
        ('', "'' is no fault to start with; these are slow, cut and unavailable"),
        ('restart', "'restart' is no fault to start with; these are slow, cut and unavailable"),
        ('slow', 'slow needs seconds, as in slow:3'),
        ('slow:', 'slow needs seconds, as in slow:3'),
        ('slow:x', "'x' is no number of seconds"),
        (f'cut:{"9" * 5000}', "'999999999999...9999999999999' is no number of bytes"),
        ('cut:x', "'x' is no number of bytes"),
        ('unavailable:5', "unavailable has no value, but '5' is given"),
    ],
)
def test_bad_faults_of_the_command_line(text, message):
    with pytest.raises(BadFault) as caught:
        from_text(text)
    assert str(caught.value) == message


def test_faults_add_up_until_recovery():
    faults = Faults()
    for fault in (Fault('slow', 3), Fault('cut', 10), Fault('unavailable'), Fault('restart')):
        faults.apply(fault)
    assert faults == Faults(3, 10, True)
    faults.apply(Fault('recover'))
    assert faults == Faults()
