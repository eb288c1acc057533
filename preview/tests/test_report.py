# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from ..dashboard import Place, Widget
from ..monitors import Episode
from ..panels import Panel
from ..report import print_monitors, print_widgets
from ..states import State


def panel(kind, title, **shown):
    return Panel(Widget(kind, title, Place(0, 0, 1, 1), {}), **shown)


def test_widgets_are_listed_by_group_with_what_they_lack(capsys):
    print_widgets(
        [
            panel('group', 'Katib'),
            panel('note', ''),
            panel('toplist', 'Failed trials', without=('a.count', 'b.count')),
            panel('timeseries', 'Trials', empty=True),
        ]
    )

    assert capsys.readouterr().out.splitlines() == [
        '',
        'Katib',
        '  data     Failed trials (toplist); without series: a.count, b.count',
        '  NO DATA  Trials (timeseries)',
    ]


def test_monitors_are_listed_with_their_last_state_and_when_they_fired(capsys):
    print_monitors(
        {
            'errors': [
                Episode(('ns:a',), State.OK, 1, 20),
                Episode(('ns:a',), State.WARN, 21, 22),
                Episode(('ns:a',), State.ALERT, 23, 30),
                Episode(('ns:b',), State.OK, 1, 30),
            ],
            'late': [Episode((), State.ALERT, 5, 9), Episode((), State.OK, 10, 30)],
            'silent': [],
        },
        30,
    )

    assert capsys.readouterr().out.splitlines() == [
        'Monitors',
        '  ALERT    errors',
        '           WARN from minute 21 to 22: ns:a',
        '           ALERT since minute 23: ns:a',
        '  OK       late',
        '           ALERT from minute 5 to 9: all',
        '  NO DATA  silent',
    ]
