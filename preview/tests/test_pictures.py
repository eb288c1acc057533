# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import re

from PIL import Image

from ..canvas import COLUMN_WIDTH, GAP, ROW_HEIGHT
from ..draw import number
from ..panels import panels
from ..pictures import DOTS_PER_INCH, write_page, write_picture
from .samples import CHECK, recording, scalar, series, statuses, timeseries, widget

RED = '#c2292e'


def shown(dashboard):
    """A widget of each kind, with a group and an empty one."""
    queues = [series('gauge', f'queue:q{index}', index, 2 * index, 0) for index in range(9)]
    recorded = recording({'depth': queues}, statuses=statuses('endpoint:x', 0, 0, 2))
    by_queue = 'sum:depth{*} by {queue}'
    red = [{'comparator': '>', 'value': 3, 'palette': 'white_on_red'}]
    children = [
        widget(
            'timeseries', 'Lines & bars', requests=[timeseries(by_queue), timeseries(by_queue, display_type='bars')]
        ),
        widget('timeseries', 'Areas', x=4, requests=[timeseries(by_queue, display_type='area')]),
        widget(
            'query_value',
            'Deepest',
            x=8,
            precision=1,
            custom_unit='items',
            requests=[{**scalar('max:depth{*}', 'max'), 'conditional_formats': red}],
        ),
        widget('toplist', 'Deep queues', y=3, requests=[scalar(by_queue, 'max')]),
        widget('query_table', 'Table of queues', x=4, y=3, requests=[scalar(by_queue, 'avg', alias='average')]),
        widget('check_status', 'Endpoints', x=8, y=3, check=CHECK, grouping='cluster', group_by=['endpoint']),
        widget('timeseries', 'Nothing', y=6, requests=[timeseries('sum:absent{*}')]),
    ]
    note = widget('note', content='# Title\nSee [the page](x), **bold**, $cluster', width=12, height=2)
    group = widget('group', 'Queues', y=2, width=12, height=10, widgets=children)
    return panels(dashboard(note, group), recorded)


def test_the_picture_has_the_size_of_the_grid(dashboard, tmp_path):
    with Image.open(write_picture(shown(dashboard), tmp_path)) as image:
        assert image.format == 'PNG'
        size = 12 * COLUMN_WIDTH + GAP, 12 * ROW_HEIGHT + GAP
        assert image.size == tuple(round(inches * DOTS_PER_INCH) for inches in size)


def test_the_page_has_the_titles_and_what_the_widgets_show(dashboard, tmp_path):
    page = write_page('Kubeflow', shown(dashboard), tmp_path).read_text(encoding='utf-8')
    sections = dict(re.findall(r'<section title="([^"]*)"[^>]*>(.*?)</section>', page, re.DOTALL))
    texts = {title: re.findall(r'<text[^>]*>([^<]*)</text>', svg) for title, svg in sections.items()}

    for title in ('Lines &amp; bars', 'Areas', 'Deepest', 'Deep queues', 'Table of queues', 'Endpoints', 'Nothing'):
        assert title in texts[title]
    assert texts['Queues'] == ['Queues']
    assert texts['note'] == ['Title', 'See the page, bold, $cluster']
    assert texts['Nothing'][1:] == ['no data']
    assert '16.0 items' in texts['Deepest']
    assert RED in sections['Deepest']
    assert texts['Deep queues'][1:3] == ['16  q8', '14  q7']
    assert texts['Table of queues'][1:4] == ['average', 'q8', '8']
    assert texts['Endpoints'][1:] == ['0', 'OK', '0', 'WARN', '1', 'ALERT']
    assert {'q8', 'q7', 'q6', 'q5', 'and 4 more'} <= set(texts['Areas'])


def test_the_same_values_make_the_same_page(dashboard, tmp_path):
    first = write_page('Kubeflow', shown(dashboard), tmp_path).read_bytes()

    assert write_page('Kubeflow', shown(dashboard), tmp_path).read_bytes() == first


def test_numbers_take_few_characters():
    assert [number(each) for each in (0, 0.0001234, 0.0123, 1.5, 350, 12345, 2.5e6, -3e9)] == [
        '0', '1.2e-04', '0.0123', '1.5', '350', '12.3k', '2.5M', '-3G',
    ]  # fmt: skip
    assert [number(each, 1) for each in (0, 4.96, 1234)] == ['0.0', '5.0', '1.23k']
