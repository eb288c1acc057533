# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Relabelling as a pure function: small catalogues and payloads, and the laws that hold for all of them."""

from decimal import Decimal
from math import fsum, inf, nan

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from datadog_checks.kubeflow.catalogue import read_catalogue
from datadog_checks.kubeflow.payload import Payload, Slots
from datadog_checks.kubeflow.relabel import Relabeller

COMPONENTS = """
first: {title: First, prefixes: [first_], controllers: [a-controller]}
second: {title: Second, prefixes: [second_], controllers: [b-controller]}
library: {title: Library, shared: true}
"""


@pytest.fixture(scope='session')
def make_catalogue(tmp_path_factory):
    def make(*entries):
        directory = tmp_path_factory.mktemp('catalogue')
        (directory / 'metrics').mkdir()
        (directory / 'components.yaml').write_text(COMPONENTS)
        (directory / 'metrics' / 'some.yaml').write_text(
            yaml.safe_dump([{'description': 'd', **yaml.safe_load(entry)} for entry in entries])
        )
        return read_catalogue(directory)

    return make


def relabel_families(catalogue, families, overruled=(), **options):
    slots = Slots(catalogue.metrics)
    payload = Payload(catalogue, slots)
    for family in families:
        payload.add(family)
    return Relabeller(catalogue, catalogue.selected({}), **options)(payload, overruled)


def relabel(catalogue, text, parse=parse_prometheus, **options):
    """Samples after relabelling, as they would stand in an exposition."""
    result = relabel_families(catalogue, parse(text), **options)
    return [
        (sample.name.removeprefix('kubeflow:'), sample.labels, sample.value)
        for family in result.families
        for sample in family.samples
    ]


RUNNING = """
name: running
type: gauge
sources:
  - component: first
    family: first_current
    where: {status: Running}
    drop: [status]
    zero: [first_current, first_parts]
"""


def test_a_condition_selects_and_its_label_is_dropped(make_catalogue):
    text = (
        '# TYPE first_current gauge\n'
        'first_current{ns="a",status="Running"} 3\nfirst_current{ns="a",status="Failed"} 1\n'
    )
    assert relabel(make_catalogue(RUNNING), text) == [('running', {'ns': 'a'}, 3)]


def test_absence_is_zero_where_another_status_says_the_namespace_is_there(make_catalogue):
    text = (
        '# TYPE first_current gauge\n'
        'first_current{ns="a",status="Failed"} 1\nfirst_current{ns="b",status="Running"} 2\n'
        '# TYPE first_parts gauge\nfirst_parts{ns="c",status="Created"} 1\nfirst_parts{ns="b",status="Created"} 1\n'
    )
    assert relabel(make_catalogue(RUNNING), text) == [
        ('running', {'ns': 'b'}, 2),
        ('running', {'ns': 'a'}, 0),
        ('running', {'ns': 'c'}, 0),
    ]


def test_another_family_may_say_that_the_namespace_is_there(make_catalogue):
    text = '# TYPE first_parts gauge\nfirst_parts{ns="c",status="Created"} 1\n'
    result = relabel_families(make_catalogue(RUNNING), parse_prometheus(text))
    assert [sample[:3] for sample in result.families[0].samples] == [('kubeflow:running', {'ns': 'c'}, 0)]
    assert result.sources == {'running': ('first_parts',)}


def test_nothing_is_zero_in_a_payload_without_the_family(make_catalogue):
    assert relabel(make_catalogue(RUNNING), '# TYPE first_other gauge\nfirst_other 1\n') == []


COUNTER = """
name: done
type: counter
sources:
  - component: first
    family: first_done_total
    drop: [worker, scope_*]
    rename: {ns: namespace}
"""


def test_coinciding_samples_are_added(make_catalogue):
    text = (
        '# TYPE first_done_total counter\n'
        'first_done_total{ns="a",worker="1",scope_x="p"} 3\nfirst_done_total{ns="a",worker="2",scope_y="q"} 4\n'
        'first_done_total{ns="b",worker="1"} 5\n'
    )
    assert relabel(make_catalogue(COUNTER), text) == [
        ('done_total', {'namespace': 'a'}, 7),
        ('done_total', {'namespace': 'b'}, 5),
    ]


def test_a_series_that_comes_twice_counts_once_and_the_last_one_wins(make_catalogue):
    block = '# TYPE first_done_total counter\nfirst_done_total{ns="a",worker="1"} %d\n'
    assert relabel(make_catalogue(COUNTER), block % 3 + '# TYPE other gauge\nother 1\n' + block % 4) == [
        ('done_total', {'namespace': 'a'}, 4)
    ]


@pytest.mark.parametrize('labels', ['ns="raw",namespace="own"', 'namespace="own",ns="raw"'])
def test_a_rename_never_overwrites_a_label_that_is_there(make_catalogue, labels):
    text = f'# TYPE first_done_total counter\nfirst_done_total{{{labels}}} 3\n'
    assert relabel(make_catalogue(COUNTER), text) == [('done_total', {'namespace': 'own'}, 3)]


def test_an_empty_label_is_an_absent_one(make_catalogue):
    text = '# TYPE first_done_total counter\nfirst_done_total{ns="a",code=""} 3\n'
    assert relabel(make_catalogue(COUNTER), text) == [('done_total', {'namespace': 'a'}, 3)]


def test_labels_the_user_names_keep_their_raw_name_and_stay(make_catalogue):
    text = '# TYPE first_done_total counter\nfirst_done_total{ns="a",worker="1"} 3\n'
    kept = frozenset({'ns', 'worker'})
    assert relabel(make_catalogue(COUNTER), text, kept_labels=kept) == [('done_total', {'ns': 'a', 'worker': '1'}, 3)]


@pytest.mark.parametrize(
    'text, parse',
    [
        pytest.param('# TYPE first_done_total counter\nfirst_done_total{ns="a"} 3\n', parse_prometheus, id='_total'),
        pytest.param('# TYPE first_done counter\nfirst_done{ns="a"} 3\n', parse_prometheus, id='bare name'),
        pytest.param('first_done_total{ns="a"} 3\n', parse_prometheus, id='no TYPE line'),
        pytest.param('# TYPE first_done_total untyped\nfirst_done_total{ns="a"} 3\n', parse_prometheus, id='untyped'),
        pytest.param('# TYPE first_done_total gauge\nfirst_done_total{ns="a"} 3\n', parse_prometheus, id='as gauge'),
        pytest.param(
            '# TYPE first_done counter\nfirst_done_total{ns="a"} 3\nfirst_done_created{ns="a"} 1700000000\n# EOF\n',
            parse_openmetrics,
            id='OpenMetrics',
        ),
    ],
)
def test_a_counter_is_known_however_it_is_exposed(make_catalogue, text, parse):
    assert relabel(make_catalogue(COUNTER), text, parse) == [('done_total', {'namespace': 'a'}, 3)]


HISTOGRAM = """
name: time.seconds
type: histogram
sources:
  - component: first
    family: first_time_milliseconds
    unit: millisecond
    drop: [worker]
"""


def test_sums_and_bounds_are_converted(make_catalogue):
    text = (
        '# TYPE first_time_milliseconds histogram\n'
        'first_time_milliseconds_bucket{m="x",le="5"} 1\nfirst_time_milliseconds_bucket{m="x",le="700.0"} 2\n'
        'first_time_milliseconds_bucket{m="x",le="+Inf"} 3\n'
        'first_time_milliseconds_sum{m="x"} 1007\nfirst_time_milliseconds_count{m="x"} 3\n'
    )
    assert relabel(make_catalogue(HISTOGRAM), text) == [
        ('time_seconds_bucket', {'m': 'x', 'le': '0.005'}, 1),
        ('time_seconds_bucket', {'m': 'x', 'le': '0.7'}, 2),
        ('time_seconds_bucket', {'m': 'x', 'le': 'inf'}, 3),
        ('time_seconds_sum', {'m': 'x'}, 1.007),
        ('time_seconds_count', {'m': 'x'}, 3),
    ]


def test_an_untyped_histogram_is_put_together_again(make_catalogue):
    text = (
        '# TYPE first_time_milliseconds_bucket untyped\nfirst_time_milliseconds_bucket{le="5"} 1\n'
        '# TYPE first_time_milliseconds_count untyped\nfirst_time_milliseconds_count 3\n'
        '# TYPE first_time_milliseconds_sum untyped\nfirst_time_milliseconds_sum 1500\n'
    )
    assert relabel(make_catalogue(HISTOGRAM), text) == [
        ('time_seconds_bucket', {'le': '0.005'}, 1),
        ('time_seconds_sum', {}, 1.5),
        ('time_seconds_count', {}, 3),
    ]


def test_buckets_of_histograms_with_other_bounds_are_added_where_both_have_them(make_catalogue):
    lines = ['# TYPE first_time_milliseconds histogram']
    for worker, bounds in (('1', ('5', '10')), ('2', ('5.0', '20'))):
        lines += [f'first_time_milliseconds_bucket{{worker="{worker}",le="{bound}"}} 2' for bound in bounds]
        lines += [f'first_time_milliseconds_bucket{{worker="{worker}",le="+Inf"}} 3']
        lines += [f'first_time_milliseconds_count{{worker="{worker}"}} 3']
    assert relabel(make_catalogue(HISTOGRAM), '\n'.join(lines) + '\n') == [
        ('time_seconds_bucket', {'le': '0.005'}, 4),
        ('time_seconds_bucket', {'le': 'inf'}, 6),
        ('time_seconds_count', {}, 6),
    ]


def test_a_summary_gives_a_histogram_its_sum_and_count(make_catalogue):
    text = (
        '# TYPE first_time_milliseconds summary\nfirst_time_milliseconds{quantile="0.5"} 10\n'
        'first_time_milliseconds_sum 1500\nfirst_time_milliseconds_count 3\n'
    )
    assert relabel(make_catalogue(HISTOGRAM), text) == [('time_seconds_sum', {}, 1.5), ('time_seconds_count', {}, 3)]


SUMMARY = 'name: lag\ntype: summary\nsources: [{component: first, family: first_lag, drop: [worker]}]'


def test_quantiles_stay_with_one_series_and_go_where_several_are_added(make_catalogue):
    series = (
        'first_lag{worker="%(w)s",quantile="0.5"} 10\n'
        'first_lag_sum{worker="%(w)s"} 7\nfirst_lag_count{worker="%(w)s"} 2\n'
    )
    catalogue = make_catalogue(SUMMARY)
    assert relabel(catalogue, '# TYPE first_lag summary\n' + series % {'w': 1}) == [
        ('lag', {'quantile': '0.5'}, 10),
        ('lag_sum', {}, 7),
        ('lag_count', {}, 2),
    ]
    assert relabel(catalogue, '# TYPE first_lag summary\n' + series % {'w': 1} + series % {'w': 2}) == [
        ('lag_sum', {}, 14),
        ('lag_count', {}, 4),
    ]


PRECEDENCE = """
name: inferences
type: counter
documented: documented_inferences_total
sources:
  - {component: first, family: first_predict_seconds, part: count}
  - {component: second, family: [second_good_total, second_bad_total]}
"""
FIRST = (
    '# TYPE first_predict_seconds histogram\n'
    'first_predict_seconds_count{model="x"} 6\nfirst_predict_seconds_sum{model="x"} 1\n'
)
SECOND = '# TYPE second_good_total counter\nsecond_good_total 5\n# TYPE second_bad_total counter\nsecond_bad_total 2\n'


def test_the_first_source_present_feeds_alone(make_catalogue):
    catalogue = make_catalogue(PRECEDENCE)
    documented = '# TYPE documented_inferences_total counter\ndocumented_inferences_total 9\n'
    assert relabel(catalogue, SECOND) == [('inferences_total', {}, 7)]
    assert relabel(catalogue, SECOND + FIRST) == [('inferences_total', {'model': 'x'}, 6)]
    assert relabel(catalogue, SECOND + FIRST + documented) == [('inferences_total', {}, 9)]


def test_a_source_that_stood_back_stays_back_for_counts(make_catalogue):
    catalogue = make_catalogue(PRECEDENCE)
    overruled = relabel_families(catalogue, parse_prometheus(SECOND + FIRST)).overruled
    assert overruled == {('inferences', 2)}
    assert relabel_families(catalogue, parse_prometheus(SECOND), overruled).families == []
    assert len(relabel_families(catalogue, parse_prometheus(SECOND)).families) == 1


def test_a_source_that_stood_back_may_feed_a_gauge(make_catalogue):
    entry = """
    name: depth
    type: gauge
    sources: [{component: first, family: first_depth}, {component: second, family: second_depth}]
    """
    catalogue = make_catalogue(entry)
    first, second = '# TYPE first_depth gauge\nfirst_depth 1\n', '# TYPE second_depth gauge\nsecond_depth 2\n'
    overruled = relabel_families(catalogue, parse_prometheus(first + second)).overruled
    (family,) = relabel_families(catalogue, parse_prometheus(second), overruled).families
    assert [sample.value for sample in family.samples] == [2]


def test_a_family_of_another_type_is_not_the_source(make_catalogue):
    gauge = '# TYPE first_time_milliseconds gauge\nfirst_time_milliseconds 5\n'
    histogram = '# TYPE first_done_total histogram\nfirst_done_total_count 5\nfirst_done_total_bucket{le="1"} 5\n'
    assert relabel(make_catalogue(HISTOGRAM), gauge) == []
    assert relabel(make_catalogue(COUNTER), histogram) == []


def test_a_bucket_without_a_bound_is_no_bucket(make_catalogue):
    text = (
        '# TYPE first_time_milliseconds histogram\nfirst_time_milliseconds_bucket{m="x"} 1\n'
        'first_time_milliseconds_count{m="x"} 1\n'
    )
    assert relabel(make_catalogue(HISTOGRAM), text) == [('time_seconds_count', {'m': 'x'}, 1)]


def test_a_queue_of_old_controllers_is_attributed_by_its_name(make_catalogue):
    entry = 'name: any.depth\ntype: gauge\nsources: [{component: library, family: depth}]'
    text = (
        '# TYPE first_x gauge\nfirst_x 1\n# TYPE second_x gauge\nsecond_x 1\n'
        '# TYPE depth gauge\ndepth{name="b-controller"} 3\n'
    )
    assert relabel(make_catalogue(entry), text) == [
        ('any_depth', {'name': 'b-controller', 'kubeflow_component': 'second'}, 3)
    ]


@pytest.mark.parametrize('kind, sample', [('gauge', 'first_x 1'), ('counter', 'first_x_total 1')])
def test_no_two_samples_own_the_same_labels(make_catalogue, kind, sample):
    entry = f'name: x\ntype: {kind}\nalias: y\nsources: [{{component: first, family: first_x}}]'
    families = relabel_families(
        make_catalogue(entry), parse_prometheus(f'# TYPE first_x {kind}\n{sample}\n'), aliases=True
    )
    one, other = (family.samples[0].labels for family in families.families)
    assert one is not other


def test_a_source_of_the_same_program_may_follow(make_catalogue):
    entry = """
    name: requests
    type: counter
    sources: [{component: first, family: first_new_total}, {component: first, family: first_old_total}]
    """
    text = '# TYPE first_new_total counter\nfirst_new_total 5\n# TYPE first_old_total counter\nfirst_old_total 5\n'
    result = relabel_families(make_catalogue(entry), parse_prometheus(text))
    assert result.sources == {'requests': ('first_new_total',)}
    assert result.overruled == set()


def test_a_source_is_present_before_its_conditions_leave_anything_of_it(make_catalogue):
    entry = """
    name: errors
    type: counter
    sources:
      - {component: first, family: first_done_total, where: {code: {matches: 5..}}}
      - {component: second, family: second_bad_total}
    """
    catalogue = make_catalogue(entry)
    assert relabel(catalogue, SECOND) == [('errors_total', {}, 2)]
    text = SECOND + '# TYPE first_done_total counter\nfirst_done_total{code="200"} 9\n'
    assert relabel(catalogue, text) == []
    assert relabel(catalogue, text + 'first_done_total{code="503"} 1\n') == [('errors_total', {'code': '503'}, 1)]


def test_a_source_that_never_met_another_may_take_over(make_catalogue):
    assert relabel_families(make_catalogue(PRECEDENCE), parse_prometheus(FIRST)).overruled == set()


def test_a_family_without_samples_is_not_present(make_catalogue):
    text = '# TYPE first_predict_seconds histogram\n' + SECOND
    assert relabel(make_catalogue(PRECEDENCE), text) == [('inferences_total', {}, 7)]


def test_the_report_names_the_raw_families_that_fed(make_catalogue):
    catalogue = make_catalogue(PRECEDENCE)
    assert relabel_families(catalogue, parse_prometheus(SECOND)).sources == {
        'inferences': ('second_good_total', 'second_bad_total')
    }
    assert relabel_families(
        catalogue, parse_prometheus('# TYPE second_good_total counter\nsecond_good_total 5\n')
    ).sources == {'inferences': ('second_good_total',)}


def test_families_added_into_one_may_bring_labels(make_catalogue):
    entry = """
    name: requests
    type: counter
    sources: [{component: first, family: {first_get: {op: get}, first_put: {op: put}}}]
    """
    text = '# TYPE first_get counter\nfirst_get 1\n# TYPE first_put counter\nfirst_put 2\n'
    assert relabel(make_catalogue(entry), text) == [
        ('requests_total', {'op': 'get'}, 1),
        ('requests_total', {'op': 'put'}, 2),
    ]


def test_a_source_that_needs_company_does_not_count_alone(make_catalogue):
    entry = 'name: errors\ntype: counter\nsources: [{component: first, family: http_total, beside: first_done_total}]'
    text = '# TYPE http_total counter\nhttp_total 3\n'
    catalogue = make_catalogue(entry)
    assert relabel(catalogue, text) == []
    assert relabel(catalogue, text + '# TYPE first_done_total counter\nfirst_done_total 0\n') == [
        ('errors_total', {}, 3)
    ]


DOCUMENTED = """
name: katib.reconcile
type: counter
documented: documented_reconcile_total
alias: katib.reconcide
sources: [{component: first, family: reconcile_total, where: {controller: a-controller}}]
"""
GENERAL = 'name: any.reconcile\ntype: counter\nsources: [{component: library, family: reconcile_total}]'
RECONCILES = (
    '# TYPE reconcile_total counter\nreconcile_total{controller="a-controller"} 1\n'
    'reconcile_total{controller="b-controller"} 2\nreconcile_total{controller="c-controller"} 3\n'
)


def test_what_a_documented_name_carries_is_not_repeated_under_a_general_one(make_catalogue):
    text = '# TYPE first_x gauge\nfirst_x 1\n' + RECONCILES
    # The order of the entries in the files does not matter.
    assert relabel(make_catalogue(GENERAL, DOCUMENTED), text) == [
        ('katib_reconcile_total', {'controller': 'a-controller'}, 1),
        ('any_reconcile_total', {'controller': 'b-controller', 'kubeflow_component': 'second'}, 2),
        ('any_reconcile_total', {'controller': 'c-controller', 'kubeflow_component': 'first'}, 3),
    ]


def test_a_library_counts_only_beside_a_component_that_is_known(make_catalogue):
    assert relabel(make_catalogue(GENERAL), RECONCILES) == []


def test_a_library_in_a_payload_of_two_components_is_attributed_by_controller_alone(make_catalogue):
    text = '# TYPE first_x gauge\nfirst_x 1\n# TYPE second_x gauge\nsecond_x 1\n' + RECONCILES
    assert relabel(make_catalogue(GENERAL), text) == [
        ('any_reconcile_total', {'controller': 'a-controller', 'kubeflow_component': 'first'}, 1),
        ('any_reconcile_total', {'controller': 'b-controller', 'kubeflow_component': 'second'}, 2),
        ('any_reconcile_total', {'controller': 'c-controller'}, 3),
    ]


def test_an_alias_repeats_the_samples_with_labels_of_their_own(make_catalogue):
    families = relabel_families(make_catalogue(DOCUMENTED), parse_prometheus(RECONCILES), aliases=True).families
    (one,), (other,) = (family.samples for family in families)
    assert [family.name for family in families] == ['kubeflow:katib_reconcile', 'kubeflow:katib_reconcide']
    assert one.labels == other.labels and one.labels is not other.labels
    assert one.value == other.value == 1


def test_not_a_number_spoils_no_sum_of_gauges_and_is_no_zero(make_catalogue):
    depth = 'name: depth\ntype: gauge\nsources: [{component: first, family: first_depth, drop: [worker]}]'
    text = '# TYPE first_depth gauge\nfirst_depth{worker="1"} NaN\nfirst_depth{worker="2"} 4\n'
    assert relabel(make_catalogue(depth), text) == [('depth', {}, 4)]
    text = '# TYPE first_current gauge\nfirst_current{status="Running"} NaN\nfirst_current{status="Failed"} 4\n'
    ((_, _, value),) = relabel(make_catalogue(RUNNING), text)
    assert value != value


def test_the_payload_keeps_its_samples_as_they_came(make_catalogue):
    families = list(parse_prometheus(RECONCILES))
    before = [(sample.name, dict(sample.labels), sample.value) for family in families for sample in family.samples]
    relabel_families(make_catalogue(GENERAL, DOCUMENTED), families)
    after = [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]
    assert after == before


# --- laws ---

label_values = st.sampled_from('abc')
values = st.floats(min_value=0, max_value=1e12, allow_nan=False)
series = st.dictionaries(st.tuples(label_values, label_values, label_values), values, min_size=1, max_size=12)


def exposition(samples):
    lines = [
        f'first_done_total{{ns="{ns}",worker="{worker}",code="{code}"}} {value!r}'
        for (ns, worker, code), value in samples
    ]
    return '\n'.join(['# TYPE first_done_total counter', *lines]) + '\n'


@settings(deadline=None)
@given(data=st.data(), samples=series)
def test_addition_is_free_of_order(make_catalogue, data, samples):
    catalogue = make_catalogue(COUNTER)
    shuffled = data.draw(st.permutations(list(samples.items())))

    def as_set(result):
        return {(name, frozenset(labels.items()), value) for name, labels, value in result}

    assert as_set(relabel(catalogue, exposition(samples.items()))) == as_set(relabel(catalogue, exposition(shuffled)))


@settings(deadline=None)
@given(samples=series)
def test_no_sample_is_counted_twice_and_none_is_lost(make_catalogue, samples):
    result = relabel(make_catalogue(COUNTER), exposition(samples.items()))
    keys = [frozenset(labels.items()) for _, labels, _ in result]
    assert len(keys) == len(set(keys))
    expected = {}
    for (ns, _, code), value in samples.items():
        expected.setdefault(frozenset({('namespace', ns), ('code', code)}), []).append(value)
    assert {frozenset(labels.items()): value for _, labels, value in result} == {
        key: fsum(group) for key, group in expected.items()
    }


@settings(deadline=None)
@given(
    bounds=st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=20, unique=True).map(sorted),
    workers=st.integers(min_value=1, max_value=4),
    data=st.data(),
)
def test_conversion_and_addition_keep_the_order_of_buckets(make_catalogue, bounds, workers, data):
    increments = st.lists(st.integers(0, 1000), min_size=len(bounds) + 1, max_size=len(bounds) + 1)
    lines = ['# TYPE first_time_milliseconds histogram']
    total = 0
    for worker in range(workers):
        cumulative = 0
        for bound, increment in zip([*bounds, inf], data.draw(increments), strict=True):
            cumulative += increment
            le = '+Inf' if bound == inf else repr(bound)
            lines.append(f'first_time_milliseconds_bucket{{worker="{worker}",le="{le}"}} {cumulative}')
        lines.append(f'first_time_milliseconds_count{{worker="{worker}"}} {cumulative}')
        total += cumulative
    result = relabel(make_catalogue(HISTOGRAM), '\n'.join(lines) + '\n')
    buckets = [(float(labels['le']), value) for name, labels, value in result if name.endswith('_bucket')]
    assert [bound for bound, _ in buckets] == [float(Decimal(repr(bound)) / 1000) for bound in [*bounds, inf]]
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert buckets[-1] == (inf, total)
    assert result[-1] == ('time_seconds_count', {}, total)


@settings(deadline=None)
@given(samples=st.dictionaries(label_values, st.sampled_from([nan, inf, -inf, -1.0, 0.0, 1.5]), min_size=1))
def test_a_sum_of_counts_lacks_none_of_them(make_catalogue, samples):
    text = exposition([(('a', worker, 'a'), value) for worker, value in samples.items()])
    ((_, _, value),) = relabel(make_catalogue(COUNTER), text.replace('inf', 'Inf').replace('nan', 'NaN'))
    if set(samples.values()) <= {0.0, 1.5}:
        assert value == fsum(samples.values())
    else:
        assert value != value
