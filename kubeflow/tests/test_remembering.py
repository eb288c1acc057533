# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is remembered between scrapes changes nothing of what they give, and does not grow."""

import gc
import sys
import time
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_fd_to_metric_families as parse_text

from datadog_checks.base.checks.base import aggregator
from datadog_checks.kubeflow import KubeflowCheck, wanted
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.children import Child
from datadog_checks.kubeflow.parsing import Parser
from datadog_checks.kubeflow.payload import SIGNS
from datadog_checks.kubeflow.reading import Reader
from datadog_checks.kubeflow.relabel import Remembered
from datadog_checks.kubeflow.scraper import KubeflowScraper, relabelling
from datadog_checks.kubeflow.targets import Scrape
from datadog_checks.kubeflow.wanted import Wanted

from .common import ENDPOINT, FIXTURES, TEXT, exposition
from .counting import TRIALS, histogram, katib
from .fixtures import NOW
from .submissions import answer, recorded

CATALOGUE = load_catalogue()
SLOTS, RELABEL = relabelling(True, True, frozenset())
WANTED = Wanted(CATALOGUE, SLOTS.names | SIGNS | CATALOGUE.shared_families.keys())

TEXTS = [name for name in FIXTURES if not exposition(name).endswith('# EOF\n')]
# Small ones, so that random changes meet each other; of several components, some of which stand back.
SMALL = (
    'katib-0.19',
    'kserve-server-0.16',
    'notebook-1.10',
    'queue-proxy-1.21',
    'training-operator-1.9',
    'vllm-0.9',
    'epp-0.20',
)


class Endpoint:
    """Reads and relabels one exposition after the other."""

    def __init__(self):
        self.reader = Reader(ENDPOINT, WANTED, Parser(SLOTS))
        self.remembered = Remembered()
        self.overruled = set()

    def scrape(self, text):
        payload = self.read(text)
        relabelled = RELABEL(payload, self.overruled, self.remembered)
        self.overruled |= relabelled.overruled
        return relabelled

    def read(self, text):
        scrape = Scrape(CATALOGUE, SLOTS)
        blocks = self.reader.blocks([text.encode()] if text else [], parse_text)
        for family in self.reader.families(blocks, parse_text):
            scrape.add(family)
        scrape.leave_out(self.reader.conclude().left_out)
        return scrape.own.payload


def comparable(relabelled):
    """All of it, NaN being equal to itself."""
    return (
        [
            (family.name, family.type, [(each.name, each.labels, repr(float(each.value))) for each in family.samples])
            for family in relabelled.families
        ],
        [[repr(float(value)) for value in family.values] for family in relabelled.families],
        {
            name: zeros and [(each.name, each.labels, each.value) for each in zeros.samples]
            for name, counts in relabelled.counts.items()
            for zeros in (counts.zeros(name),)
        },
        relabelled.sources,
        relabelled.ranks,
        relabelled.overruled,
        relabelled.left_out,
    )


def assert_nothing_is_remembered_wrong(texts):
    """Every scrape gives what a relabeller without memory makes of the same exposition; gives the last."""
    endpoint = Endpoint()
    for number, text in enumerate(texts):
        overruled = set(endpoint.overruled)
        fresh = RELABEL(Endpoint().read(text), overruled)
        relabelled = endpoint.scrape(text)
        assert comparable(relabelled) == comparable(fresh), number
        assert [[repr(float(sample.value)) for sample in family.samples] for family in relabelled.families] == [
            [repr(float(value)) for value in family.values] for family in relabelled.families
        ]
    return relabelled


# --- the same as without memory ---


@pytest.mark.parametrize('fixture', TEXTS)
def test_a_fixture_that_comes_again_gives_what_it_gave(fixture):
    text = exposition(fixture)
    half = '\n'.join(line for number, line in enumerate(text.split('\n')) if line.startswith('#') or number % 2) + '\n'
    assert_nothing_is_remembered_wrong([text, text, half, half, text])


VALUES = st.sampled_from(['0', '1', '2.5', '7', '1e9', 'NaN', '+Inf', '-1'])


@st.composite
def changes(draw, text):
    """An exposition some time later: other values, series that have gone, come or moved, families that have."""
    families = [f'# TYPE {each}' for each in text.split('# TYPE ')[1:]]
    kept = draw(st.lists(st.sampled_from(range(len(families))), unique=True, max_size=3))
    lines = ''.join(each for number, each in enumerate(families) if number not in kept).splitlines()
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        if lines[at].startswith('#'):
            continue
        what = draw(st.sampled_from(['value', 'value', 'value', 'gone', 'twice', 'label', 'malformed']))
        head = lines[at].rpartition(' ')[0]
        if what == 'value':
            lines[at] = f'{head} {draw(VALUES)}'
        elif what == 'gone':
            del lines[at]
        elif what == 'twice':
            lines.insert(at, f'{head} {draw(VALUES)}')
        elif what == 'label' and '{' in head:
            lines.insert(
                at, f'{head.replace("{", chr(123) + "more=" + chr(34) + "1" + chr(34) + ",", 1)} {draw(VALUES)}'
            )
        elif what == 'malformed':
            lines[at] = f'{head} oops'
    return '\n'.join(lines) + '\n'


@st.composite
def histories(draw):
    """What an endpoint answers scrape after scrape; now and then with the families of another component."""
    texts = [trimmed(name) for name in draw(st.lists(st.sampled_from(SMALL), min_size=1, max_size=2, unique=True))]
    history = []
    for _ in range(draw(st.integers(2, 4))):
        present = texts if draw(st.booleans()) else texts[:1]
        text = draw(changes(''.join(present)))
        history += [text] * draw(st.integers(1, 2))
    return history


def trimmed(name):
    """A fixture without most series of each family, and without texts."""
    lines, of_family = [], 0
    for line in exposition(name).splitlines():
        if line.startswith('# TYPE'):
            of_family = 0
        elif line.startswith('#'):
            continue
        of_family += 1
        if of_family < 15 or 'Inf' in line:
            lines.append(line)
    return '\n'.join(lines) + '\n'


SETTINGS = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SETTINGS
@given(histories())
def test_any_history_gives_what_is_given_without_memory(history):
    assert_nothing_is_remembered_wrong(history)


def model_server(sidecar=None, **counts):
    """Predictions of a model server by model, and those that a queue-proxy before it counts."""
    text = '# TYPE request_predict_seconds histogram\n'
    for model, count in counts.items():
        text += ''.join(
            f'request_predict_seconds_{part}{{model_name="{model}"{le}}} {count}\n'
            for part, le in (('bucket', ',le="1"'), ('bucket', ',le="+Inf"'), ('sum', ''), ('count', ''))
        )
    if sidecar is not None:
        text += '# TYPE revision_app_request_count counter\n'
        text += f'revision_app_request_count{{response_code_class="2xx",configuration_name="c"}} {sidecar}\n'
    return text


def test_a_source_that_stood_back_is_not_remembered_as_one_that_feeds():
    assert_nothing_is_remembered_wrong(
        [
            model_server(5),
            model_server(6),
            model_server(7, m=1),
            model_server(8, m=2),
            '# TYPE a gauge\na 1\n' + model_server(9),
            model_server(9),
            model_server(9),
        ]
    )


def katib_trials(failed, succeeded='1', more=''):
    return (
        f'# TYPE katib_trial_failed_total counter\nkatib_trial_failed_total{{namespace="a"}} {failed}\n'
        f'# TYPE katib_trial_succeeded_total counter\nkatib_trial_succeeded_total{{namespace="a"}} {succeeded}\n{more}'
    )


def test_some_families_have_other_values_while_others_have_other_series():
    more = 'katib_trial_succeeded_total{namespace="b"} 1\n'
    assert_nothing_is_remembered_wrong(
        [katib_trials(1), katib_trials(2, 3), katib_trials(4, 5, more), katib_trials(6, 7, more), katib_trials(8, 9)]
    )


def test_a_family_under_two_headers_is_not_taken_for_one_of_them():
    text = '# TYPE katib_trial_failed_total counter\nkatib_trial_failed_total{namespace="a"} %d\n'
    text += '# TYPE katib_trial_failed counter\nkatib_trial_failed{namespace="b"} %d\n'
    assert_nothing_is_remembered_wrong([text % (1, 2), text % (3, 4), text % (5, 6)])


def test_a_component_that_appears_changes_what_is_made_of_a_library():
    queue = '# TYPE workqueue_depth gauge\nworkqueue_depth{name="x"} 3\n'
    sign = '# TYPE katib_x gauge\n'
    last = assert_nothing_is_remembered_wrong([queue, queue, queue + sign, queue, queue + sign])
    assert 'kubeflow:controller_workqueue_depth' in {family.name for family in last.families}


def test_a_family_that_is_malformed_is_left_out_and_the_others_are_not():
    endpoint = Endpoint()
    names = []
    for text in (katib_trials(1), katib_trials('x'), katib_trials('x', 2), katib_trials(3, 3)):
        relabelled = endpoint.scrape(text)
        names.append(({family.name for family in relabelled.families}, relabelled.left_out))
    both = {'kubeflow:katib_trial_failed', 'kubeflow:katib_trial_succeeded'}
    failed = {'kubeflow:katib_trial_failed'}
    assert names == [(both, set()), (both - failed, failed), (both - failed, failed), (both, set())]


def test_a_source_that_comes_malformed_is_not_replaced_by_the_one_that_was_there():
    alone = model_server(5).partition('\n')[2]
    # The server's own count goes first, if it can be read.
    malformed = '# TYPE request_predict_seconds histogram\nrequest_predict_seconds_count{model_name="m"} oops\n'
    fed = assert_nothing_is_remembered_wrong([alone, alone])
    assert 'kubeflow:kserve_inferences' in {family.name for family in fed.families}
    left_out = assert_nothing_is_remembered_wrong([alone, alone, alone + malformed])
    assert 'kubeflow:kserve_inferences' in left_out.left_out
    assert 'kubeflow:kserve_inferences' not in {family.name for family in left_out.families}


BUCKETS = """\
# TYPE request_predict_seconds histogram
request_predict_seconds_bucket{model_name="m",le="+Inf"} %s
request_predict_seconds_bucket{model_name="m",le="1"} %s
request_predict_seconds_count{model_name="m"} 9
request_predict_seconds_bucket{model_name="n",le="+Inf"} %s
request_predict_seconds_bucket{model_name="n",le="1"} %s
request_predict_seconds_count{model_name="n"} 9
"""


def submitted(check, text):
    """What a run submits, its own endpoint's tag aside."""
    with (
        recorded() as run,
        patch('requests.Session.get', lambda *args, **kwargs: answer(text.encode(), TEXT)),
        patch.object(time, 'time', lambda: NOW),
    ):
        assert check.run() == ''
    return sorted(
        (sample.name, sample.value, tuple(sorted(tag for tag in sample.tags if 'endpoint:' not in tag)))
        for sample in run.samples
    )


def new_check(**options):
    return KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': ENDPOINT, **options}])


@pytest.mark.parametrize(
    'counts',
    [
        # In the order of the bounds their order differs from that of the lines.
        pytest.param([(0, 0, 0, 0), (0, 0, 0, 0), (9, 7, 9, 8), (9, 9, 9, 8)], id='in another order'),
        pytest.param([(9, 7, 9, 8), (9, 7, 9, 8), ('NaN', 7, 9, 8), (9, 7, 'NaN', 8), (9, 7, 9, -1)], id='no counts'),
    ],
)
def test_no_bucket_is_submitted_with_the_tags_of_another(counts):
    check = new_check()
    for each in counts:
        text = BUCKETS % each
        assert submitted(check, text) == submitted(new_check(), text), each


@settings(SETTINGS, max_examples=20)
@given(histories())
@example([katib_trials('NaN'), katib_trials(1), katib_trials('+Inf', 'NaN'), katib_trials(2, 3)])
def test_any_history_is_submitted_as_without_memory(history):
    check, forgetful = new_check(), new_check()
    for text in history:
        # Where no family is known relabelling and tagging begin anew too.
        with patch.object(Parser, '_recall', lambda *_: None):
            expected = submitted(forgetful, text)
        assert submitted(check, text) == expected


# --- counts ---


@pytest.mark.parametrize('replayed', [1, 2, 5])
def test_a_restart_after_scrapes_in_which_but_values_changed(agent, replayed):
    watched = agent()
    pages = [katib(900, a=5 + number, b=1) for number in range(replayed + 1)]
    counted = [watched.scrape(1000 + 15 * number, page)[f'{TRIALS} namespace:a'] for number, page in enumerate(pages)]
    assert counted == [0] + [1] * replayed
    started = 1000 + 15 * replayed + 10
    again = watched.scrape(started + 5, katib(started, a=5 + replayed, b=1))
    # As many as before, and all of them new.
    assert (again[f'{TRIALS} namespace:a'], again[f'{TRIALS} namespace:b']) == (5 + replayed, 1)
    after = watched.scrape(started + 20, katib(started, a=6 + replayed, b=1))
    assert (after[f'{TRIALS} namespace:a'], after[f'{TRIALS} namespace:b']) == (1, 0)


def test_a_histogram_that_restarts_while_a_bucket_is_no_number(agent):
    watched = agent()
    bucket = 'kubeflow.kserve.inference.duration.bucket upper_bound:0.01'
    spoiled = histogram(1025, 3).replace('le="0.01",model_name="m"} 3', 'le="0.01",model_name="m"} NaN')
    pages = [histogram(900, 5), histogram(900, 6), spoiled, histogram(1025, 6)]
    counted = [watched.scrape(1000 + 15 * number, page) for number, page in enumerate(pages)]
    names = {name for each in counted for name in each if name.endswith('upper_bound:0.01')}
    assert names, counted
    (bucket,) = names
    assert [each[bucket] for each in counted] == [0, 1, 0, 6]


def test_counts_of_a_scrape_are_those_of_the_next_one_whose_series_are_the_same():
    endpoint = Endpoint()
    first = endpoint.scrape(katib_trials(1))
    zeros = comparable(first)[2]
    second = endpoint.scrape(katib_trials(8, 9))
    assert first.counts.keys() == second.counts.keys() and comparable(second)[2] == zeros
    third = endpoint.scrape(katib_trials(8, 9, 'katib_trial_failed_total{namespace="b"} 1\n'))
    # A family in two blocks is another one, and what was counted before stays what it was.
    assert comparable(first)[2] == zeros != comparable(third)[2]


# --- nothing grows ---


def allocated():
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.parametrize('fixture', ['katib-0.19', 'kserve-server-0.16'])
def test_an_exposition_that_does_not_change_leaves_nothing_behind(fixture):
    content = exposition(fixture).encode()
    check = new_check()

    def runs(count):
        for _ in range(count):
            assert check.run() == ''
            check.get_warnings()

    with (
        patch('requests.Session.get', lambda *args, **kwargs: answer(content, TEXT)),
        patch.object(aggregator, 'submit_metric', lambda *_: None),
        patch.object(aggregator, 'submit_service_check', lambda *_: None),
    ):
        runs(50)
        sizes = [allocated()]
        for _ in range(3):
            runs(100)
            sizes.append(allocated())
    # The interpreter itself keeps a block now and then; a run that kept one would add a hundred.
    assert min(after - before for before, after in pairwise(sizes)) < 80


def test_what_vanishes_is_forgotten():
    endpoint = Endpoint()
    text, other = exposition('katib-0.19'), exposition('notebook-1.10')
    for _ in range(2):
        endpoint.scrape(text)
    katib_clusters = set(endpoint.remembered.clusters)
    for _ in range(3):
        endpoint.scrape(other)
    small = Endpoint()
    for _ in range(3):
        small.scrape(other)
    assert endpoint.remembered.clusters.keys() == small.remembered.clusters.keys() != katib_clusters
    parser, expected = endpoint.reader._parser, small.reader._parser
    assert parser._layouts.keys() == expected._layouts.keys()
    assert parser._remembered == expected._remembered > 0
    endpoint.scrape('')
    endpoint.scrape('')
    assert (endpoint.remembered.clusters, endpoint.remembered.fed, parser._layouts, parser._remembered) == (
        {},
        [],
        {},
        0,
    )


def test_an_endpoint_that_renames_everything_does_not_grow(monkeypatch):
    monkeypatch.setattr(wanted, 'REMEMBERED_NAMES', 50)
    judge = Wanted(CATALOGUE, SLOTS.names)
    monkeypatch.setattr(KubeflowScraper, '_wanted', lambda _: judge)
    check = new_check()

    def run(number):
        series = ''.join(f'katib_trial_failed_total{{namespace="{number}.{each}"}} 1\n' for each in range(20))
        foreign = ''.join(
            f'# TYPE f{number}_{each} gauge\nf{number}_{each} 1\nl{number}_{each} 1\n' for each in range(20)
        )
        content = f'# TYPE katib_trial_failed_total counter\n{series}{foreign}'.encode()
        with patch('requests.Session.get', lambda *args, **kwargs: answer(content, TEXT)):
            assert check.run() == ''
        check.get_warnings()

    with patch.object(aggregator, 'submit_metric', lambda *_: None):
        for number in range(40):
            run(number)
        before = allocated()
        for number in range(40, 80):
            run(number)
        grown = allocated() - before
    (scraper,) = check.scrapers.values()
    parser = scraper._reader._parser
    (layout,) = parser._layouts.values()
    assert len(layout.places) == parser._remembered <= 60
    assert len(judge._verdicts) <= 50 and len(judge._families) <= 50 and len(judge._group_sizes) <= 50
    assert len(scraper._memory.of(None).relabelled.clusters) == 1
    assert grown < 1000


def test_children_that_stay_keep_nothing_of_the_scrape_before():
    child = Child({'a': '1'}, value=1.0, sum=2.0, count=3.0, buckets={'1': 1.0}, quantiles={'1': 1.0})
    child.clear()
    assert (child.value, child.sum, child.count, dict(child.buckets), dict(child.quantiles)) == (
        None,
        None,
        None,
        {},
        {},
    )
