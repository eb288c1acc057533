# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A Prometheus server's `/federate`: many programs in one answer, without types, with labels of their targets."""

from collections import Counter
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from datadog_checks.kubeflow import KubeflowCheck
from datadog_checks.kubeflow.catalogue import load_catalogue
from datadog_checks.kubeflow.memory import FORGOTTEN_AFTER_SECONDS, Memory
from datadog_checks.kubeflow.payload import Slots
from datadog_checks.kubeflow.restarts import Counted
from datadog_checks.kubeflow.targets import Scrape, Target, is_federated, pod_of

from .common import FIXTURES, exposition, instance_of
from .federation import FEDERATE, Scraped, federate

PUBLIC = 'http://prometheus:9090/federate'
ENDPOINT_TAG = f'endpoint:{PUBLIC}'
TEXT = {'Content-Type': 'text/plain; version=0.0.4; charset=utf-8'}

# What static configuration attaches, and what kube-prometheus does.
PLAIN = {'job': 't-job', 'instance': '10.9.8.7:8080'}
KUBE = PLAIN | {
    'namespace': 't-namespace',
    'pod': 't-pod',
    'container': 't-container',
    'service': 't-service',
    'endpoint': 't-endpoint',
}

# Fixtures that are not the same through Prometheus, with the reason.
UNLIKE = {
    'kserve-server-idle': 'families without samples are the only sign of the model server and are not stored',
    'prometheus-own': 'the warning is about the selectors',
}
# The aggregated exposition has the process families of both programs; Prometheus keeps the first, the check the last.
TWICE = {'qpext-0.20': 'kubeflow.process.'}


@pytest.fixture
def scrape(dd_run_check, mock_http_response, aggregator):
    """Run one check over several pages, from an empty aggregator each time but the first; returns the check."""

    def run(*pages, url=FEDERATE, **options):
        check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': url, **options}])
        for page in pages:
            aggregator.reset()
            check.warnings.clear()
            mock_http_response(page, headers=TEXT)
            dd_run_check(check)
        return check

    return run


def submitted(aggregator, name):
    """The values of one metric by their tags, without that of the endpoint, which is checked to be there once."""
    result = {}
    for metric in aggregator.metrics(f'kubeflow.{name}'):
        tags = sorted(metric.tags)
        assert [tag for tag in tags if tag.startswith('endpoint:')] == [ENDPOINT_TAG]
        tags.remove(ENDPOINT_TAG)
        assert result.setdefault(tuple(tags), metric.value) is metric.value, f'{name} {tags} comes twice'
    return result


def flushes(aggregator, name):
    return {tuple(tags): metric.flush_first_value for tags, metric in _by_instance(aggregator, name)}


def _by_instance(aggregator, name):
    for metric in aggregator.metrics(f'kubeflow.{name}'):
        yield [tag.partition(':')[2] for tag in sorted(metric.tags) if tag.startswith('instance:')], metric


# --- every fixture ---


def without_target(samples):
    """Samples without the tags of the target, whose values are like no component's."""
    return Counter(
        (one.name, one.type, one.value, tuple(sorted(tag for tag in one.tags if not is_of_target(tag))))
        for one in samples
    )


def is_of_target(tag):
    return tag.partition(':')[2] in KUBE.values()


@pytest.mark.parametrize(
    'labels, honor_labels',
    [
        pytest.param(PLAIN, False, id='job and instance'),
        pytest.param(KUBE, False, id='kube-prometheus'),
        pytest.param(KUBE, True, id='kube-prometheus with honor_labels'),
    ],
)
@pytest.mark.parametrize('fixture', [name for name in FIXTURES if name not in UNLIKE])
def test_the_same_is_submitted_through_prometheus(fixture, labels, honor_labels, run):
    options = {**instance_of(fixture), 'collect_runtime_metrics': True, 'submit_reconcide_alias': True}
    direct = run(exposition(fixture), options)
    options.pop('use_latest_spec', None)
    page = federate(Scraped(exposition(fixture), labels, honor_labels), external_labels={'prometheus': 't-job'})
    federated = run(page, options)

    if prefix := TWICE.get(fixture):
        for one in (direct, federated):
            one.samples = [sample for sample in one.samples if not sample.name.startswith(prefix)]
    assert without_target(federated.samples) == without_target(direct.samples)
    assert federated.components == direct.components
    assert federated.sources == direct.sources
    assert bool(federated.warnings) == bool(direct.warnings)
    for sample in federated.samples:
        assert {f'{label}:{labels[label]}' for label in ('job', 'instance')} <= set(sample.tags)


def test_exceptions_are_about_fixtures_that_are_there():
    assert UNLIKE.keys() | TWICE.keys() <= set(FIXTURES)


@pytest.mark.parametrize('fixture', FIXTURES)
def test_no_series_is_submitted_twice_and_no_tag_has_two_values(fixture, run):
    page = federate(Scraped(exposition(fixture), KUBE))
    samples = run(page, {'openmetrics_endpoint': 'http://component:8080/metrics'}).samples
    assert not [one for one, times in Counter((one.name, frozenset(one.tags)) for one in samples).items() if times > 1]
    for sample in samples:
        keys = Counter(tag.partition(':')[0] for tag in sample.tags)
        assert set(keys.values()) <= {1}, sample
        assert 'endpoint' not in keys


@pytest.mark.parametrize('fixture', FIXTURES)
def test_no_component_is_taken_for_a_prometheus_server(fixture):
    text = ''.join(f'{line}\n' for line in exposition(fixture).splitlines() if not line.startswith('#'))
    assert not [family.name for family in text_string_to_metric_families(text) if is_federated(family)]


# --- targets ---


def katib(instance, experiments, running=None, **labels):
    lines = [f'katib_experiment_created_total{{namespace="team-a"}} {experiments}']
    if running is not None:
        lines.append(f'katib_experiments_current{{namespace="team-a",status="Running"}} {running}')
    else:
        lines.append('katib_experiments_current{namespace="team-a",status="Succeeded"} 1')
    return Scraped(_lines(lines), {'job': 'katib', 'instance': instance, **labels})


def server(instance, inferences, job='predictor', **labels):
    lines = [f'request_predict_seconds_{part}{{model_name="toy"}} {inferences}' for part in ('count', 'sum')]
    return Scraped(_lines(lines), {'job': job, 'instance': instance, **labels})


def sidecar(instance, inferences, job='sidecar', **labels):
    own = 'http_request_method="POST",http_response_status_code="200",kn_route_tag="kn:disabled"'
    lines = [f'http_server_request_duration_seconds_{part}{{{own}}} {inferences}' for part in ('count', 'sum')]
    return Scraped(_lines(lines), {'job': job, 'instance': instance, **labels})


def up(instance, value, job='sidecar', **labels):
    return Scraped(f'up {value}\nscrape_duration_seconds 0.01\n', {'job': job, 'instance': instance, **labels})


def _lines(lines):
    return ''.join(f'{line}\n' for line in lines)


def test_replicas_stay_apart_and_each_has_its_zeros(scrape, aggregator):
    check = scrape(federate(katib('10.0.0.1:8080', 4, running=2), katib('10.0.0.2:8080', 5)))
    one, other = ('instance:10.0.0.1:8080', 'job:katib'), ('instance:10.0.0.2:8080', 'job:katib')
    assert submitted(aggregator, 'katib.experiment.created.count') == {
        (*one, 'namespace:team-a'): 4,
        (*other, 'namespace:team-a'): 5,
    }
    assert submitted(aggregator, 'katib.experiment.running.total') == {
        (*one, 'namespace:team-a'): 2,
        (*other, 'namespace:team-a'): 0,
    }
    (scraper,) = check.scrapers.values()
    assert scraper.report.components == ('katib-controller',)
    assert scraper.report.sources['katib.experiment.created'] == ('katib_experiment_created_total',)
    assert check.warnings == []


@pytest.mark.parametrize(
    'ports, labels',
    [
        pytest.param(('10.0.0.1:8080', '10.0.0.1:9091'), {}, id='the address of the pod'),
        pytest.param(('[fd00::1]:8080', '[fd00::1]:9091'), {}, id='an address of IPv6'),
        pytest.param(('10.0.0.1:8080', '10.0.0.1:9091'), {'pod': 'p', 'namespace': 'n'}, id='kube-prometheus'),
        pytest.param(('n/p/server', 'n/p/sidecar'), {'pod': 'p', 'namespace': 'n'}, id='instance relabelled'),
    ],
)
def test_the_ports_of_a_pod_count_an_inference_once(scrape, aggregator, ports, labels):
    scrape(federate(server(ports[0], 4, **labels), sidecar(ports[1], 4, **labels)))
    assert list(submitted(aggregator, 'kserve.inferences.count').values()) == [4]
    (tags,) = submitted(aggregator, 'kserve.inferences.count')
    assert f'instance:{ports[0]}' in tags and 'model_name:toy' in tags


@pytest.mark.parametrize(
    'one, other',
    [
        pytest.param({'instance': '10.0.0.1:8080'}, {'instance': '10.0.0.2:9091'}, id='addresses'),
        pytest.param({'instance': 'a:8080', 'pod': 'a-0'}, {'instance': 'a:9091', 'pod': 'a-1'}, id='pods'),
        pytest.param({'instance': '127.0.0.1:8080'}, {'instance': '127.0.0.1:9091'}, id='programs on loopback'),
        pytest.param({'instance': 'node:30080'}, {'instance': 'node:30091'}, id='programs on a machine'),
        pytest.param({'instance': 'proxy:80', 'job': 'a'}, {'instance': 'proxy:80', 'job': 'b'}, id='behind a proxy'),
    ],
)
def test_different_pods_do_not_overrule_each_other(scrape, aggregator, one, other):
    check = scrape(federate(server(inferences=4, **one), sidecar(inferences=7, **other)))
    assert sorted(submitted(aggregator, 'kserve.inferences.count').values()) == [4, 7]
    (scraper,) = check.scrapers.values()
    assert set(scraper.report.sources['kserve.inferences']) == {
        'request_predict_seconds',
        'http_server_request_duration_seconds',
    }


@pytest.mark.parametrize(
    'target, namespace, expected',
    [
        (Target('j', '10.0.0.1:8080', ''), 'a', ('10.0.0.1',)),
        (Target('j', '10.0.0.1', ''), 'a', ('10.0.0.1',)),
        (Target('j', '[fd00::1]:8080', ''), 'a', ('fd00::1',)),
        (Target('j', 'fd00::1', ''), 'a', ('fd00::1',)),
        (Target('j', '127.0.0.1:8080', ''), 'a', ('j', '127.0.0.1:8080')),
        (Target('j', '[::1]:8080', ''), 'a', ('j', '[::1]:8080')),
        (Target('j', 'localhost:8080', ''), 'a', ('j', 'localhost:8080')),
        (Target('j', '', ''), 'a', ('j', '')),
        # A pod of the host's network has its node's address.
        (Target('j', '10.0.0.1:8080', 'p'), 'a', ('p', '10.0.0.1')),
        (Target('j', 'p:metrics', 'p'), 'a', ('p', 'a')),
    ],
)
def test_the_pod_of_a_target(target, namespace, expected):
    assert pod_of(target, namespace) == expected


def test_a_namespace_of_the_sample_does_not_split_a_pod(scrape, aggregator):
    # Triton says `namespace` for a model repository, and honor_labels lets it stand in the place of the target's.
    triton = Scraped(
        'nv_inference_request_success{model="m",version="1",namespace="/models"} 5\n'
        'nv_inference_request_failure{model="m",version="1",namespace="/models"} 0\n',
        {'job': 'j', 'instance': '10.0.0.1:8002', 'pod': 'p', 'namespace': 'team-a'},
        honor_labels=True,
    )
    proxy = sidecar('10.0.0.1:9091', 5, pod='p', namespace='team-a')
    scrape(federate(triton, proxy))
    assert list(submitted(aggregator, 'kserve.inferences.count').values()) == [5]


def test_a_library_is_attributed_to_the_component_of_its_own_pod(scrape, aggregator):
    lines = 'workqueue_depth{name="%s"} 1\ngo_goroutines 9\n'
    page = federate(
        Scraped(lines % 'trial-controller', {'job': 'j', 'instance': '10.0.0.1:8080'}),
        Scraped(lines % 'inferenceservice', {'job': 'j', 'instance': '10.0.0.2:8080'}),
        Scraped(lines % 'clusterqueue', {'job': 'j', 'instance': '10.0.0.3:8080'}),
    )
    scrape(page, collect_runtime_metrics=True)
    assert submitted(aggregator, 'go.goroutines') == {
        ('instance:10.0.0.1:8080', 'job:j', 'kubeflow_component:katib-controller'): 9,
        ('instance:10.0.0.2:8080', 'job:j', 'kubeflow_component:kserve-controller'): 9,
    }
    assert len(submitted(aggregator, 'controller.workqueue.depth')) == 2


def test_what_a_recording_rule_made_has_no_target(scrape, aggregator):
    page = federate(Scraped('katib_experiment_running_total{namespace="team-a"} 3\n', {}), katib('10.0.0.1:8080', 4))
    scrape(page)
    assert submitted(aggregator, 'katib.experiment.running.total') == {
        ('namespace:team-a',): 3,
        ('instance:10.0.0.1:8080', 'job:katib', 'namespace:team-a'): 0,
    }


def test_labels_of_the_server_are_tags(scrape, aggregator):
    page = federate(katib('10.0.0.1:8080', 4), external_labels={'cluster': 'c', 'prometheus': 'monitoring/k8s'})
    scrape(page)
    assert submitted(aggregator, 'katib.experiment.created.count') == {
        (
            'exported_cluster:c',
            'instance:10.0.0.1:8080',
            'job:katib',
            'namespace:team-a',
            'prometheus:monitoring/k8s',
        ): 4
    }


# --- labels ---

TARGET = {'job': 'j', 'instance': '10.0.0.1:8080', 'namespace': 'kubeflow', 'endpoint': 'http'}
KATIB = 'katib_experiments_current{namespace="team-a",status="Running"} 2\n'
OWN = ('exported_endpoint:http', 'instance:10.0.0.1:8080', 'job:j')


@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param({}, ['namespace:team-a', 'target_namespace:kubeflow'], id='the component speaks first'),
        pytest.param({'exclude_labels': ['target_namespace']}, ['namespace:team-a'], id='the target is not wanted'),
        pytest.param(
            {'exclude_labels': ['namespace']}, ['exported_namespace:team-a'], id="the target's by its raw name"
        ),
        pytest.param(
            {'exclude_labels': ['exported_namespace']}, ['namespace:kubeflow'], id="the sample's by its raw name"
        ),
        pytest.param(
            {'rename_labels': {'exported_namespace': 'team', 'namespace': 'kube_namespace'}},
            ['kube_namespace:kubeflow', 'team:team-a'],
            id='both renamed',
        ),
    ],
)
def test_a_label_that_the_target_has_too(scrape, aggregator, options, expected):
    scrape(federate(Scraped(KATIB, TARGET)), **options)
    assert submitted(aggregator, 'katib.experiment.running.total') == {tuple(sorted([*OWN, *expected])): 2}


def test_with_honor_labels_there_is_the_label_of_the_sample_alone(scrape, aggregator):
    scrape(federate(Scraped(KATIB, TARGET, honor_labels=True)))
    assert submitted(aggregator, 'katib.experiment.running.total') == {(*OWN, 'namespace:team-a'): 2}


@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param({}, ['namespace:team-a', 'target_namespace:kubeflow'], id='renamed'),
        pytest.param({'include_labels': ['profile']}, ['profile:team-a'], id='kept'),
        pytest.param({'exclude_labels': ['namespace']}, ['profile:team-a'], id="the target's by its raw name"),
    ],
)
def test_a_rename_does_not_lose_the_sample_s_label_to_the_target_s(scrape, aggregator, options, expected):
    page = federate(Scraped('resource_manager_workflow_runs_success{profile="team-a",workflow="w"} 2\n', TARGET))
    scrape(page, **options)
    ((tags, value),) = submitted(aggregator, 'pipeline.run.succeeded').items()
    assert value == 2 and [tag for tag in tags if tag not in OWN] == expected


def test_a_label_under_its_old_and_new_name_is_no_conflict(scrape, aggregator):
    line = 'workqueue_depth{controller="trial-controller",name="trial-controller"} 2\n'
    scrape(federate(Scraped(line, PLAIN)))
    (tags,) = submitted(aggregator, 'controller.workqueue.depth')
    assert [tag for tag in tags if tag.endswith('trial-controller')] == ['controller:trial-controller']


def test_conditions_look_at_the_labels_of_the_component(scrape, aggregator):
    # A target may be labelled `status` or `controller` by whoever relabels.
    scrape(federate(Scraped(KATIB, {**PLAIN, 'status': 'production'})))
    ((tags, value),) = submitted(aggregator, 'katib.experiment.running.total').items()
    assert value == 2 and 'target_status:production' in tags


# --- counts ---


def test_a_target_counts_from_the_scrape_after_the_first(scrape, aggregator):
    one, both = [katib('10.0.0.1:8080', 4)], [katib('10.0.0.1:8080', 5), katib('10.0.0.2:8080', 3)]
    name = 'katib.experiment.created.count'
    scrape(federate(*one))
    assert flushes(aggregator, name) == {('10.0.0.1:8080',): False}
    scrape(federate(*one), federate(*both))
    # The second pod may have counted for days before Prometheus found it.
    assert flushes(aggregator, name) == {('10.0.0.1:8080',): True, ('10.0.0.2:8080',): False}
    scrape(federate(*one), federate(*both), federate(*both))
    assert flushes(aggregator, name) == {('10.0.0.1:8080',): True, ('10.0.0.2:8080',): True}


def test_a_target_that_was_away_counts_on_from_where_it_is(scrape, aggregator):
    one, both = [katib('10.0.0.1:8080', 4)], [katib('10.0.0.1:8080', 5), katib('10.0.0.2:8080', 3)]
    scrape(federate(*both), federate(*both), federate(*one), federate(*both))
    assert flushes(aggregator, 'katib.experiment.created.count') == {
        ('10.0.0.1:8080',): True,
        ('10.0.0.2:8080',): False,
    }


@pytest.mark.parametrize(
    'before, counts',
    [
        pytest.param([up('10.0.0.1:9091', 1)], True, id='idle: an empty exposition'),
        pytest.param([up('10.0.0.1:9091', 0)], False, id='did not answer'),
        pytest.param([], False, id='not selected'),
        pytest.param([up('10.0.0.9:9091', 1)], False, id='another one was up'),
    ],
)
def test_up_tells_a_target_that_has_counted_nothing_from_one_that_is_new(scrape, aggregator, before, counts):
    other = katib('10.0.0.2:8080', 1)
    check = scrape(federate(other, *before), federate(other, up('10.0.0.1:9091', 1), sidecar('10.0.0.1:9091', 1)))
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:9091',): counts}
    assert check.warnings == []


def started(instance, at, inferences):
    text = server(instance, inferences).exposition + f'process_start_time_seconds {at}\n'
    return Scraped(text, {'job': 'predictor', 'instance': instance})


@pytest.mark.parametrize('option, counts', [(True, True), (False, False)])
def test_a_program_that_started_after_the_agent_counts_from_zero_if_asked_to(
    scrape, aggregator, datadog_agent, option, counts
):
    datadog_agent.set_process_start_time(1000)
    old, new = started('10.0.0.1:8080', 900, 4), started('10.0.0.2:8080', 2000, 4)
    name = 'kserve.inferences.count'
    scrape(federate(old, new), use_process_start_time=option)
    assert flushes(aggregator, name) == {('10.0.0.1:8080',): False, ('10.0.0.2:8080',): counts}
    scrape(federate(old), federate(old, new), use_process_start_time=option)
    assert flushes(aggregator, name) == {('10.0.0.1:8080',): True, ('10.0.0.2:8080',): counts}


def test_a_pod_is_as_old_as_its_oldest_program(scrape, aggregator, datadog_agent):
    # Its sidecar has counted what the model server counted before it was restarted.
    datadog_agent.set_process_start_time(1000)
    proxy = Scraped(sidecar('', 4).exposition + 'process_start_time_seconds 900\n', sidecar('10.0.0.1:9091', 4).labels)
    scrape(federate(started('10.0.0.1:8080', 2000, 4), proxy), use_process_start_time=True)
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:8080',): False}


@pytest.mark.parametrize(
    'away, at, counts',
    [
        pytest.param(10, 2000, False, id='the same process'),
        pytest.param(10, 3005, True, id='another process'),
        pytest.param(4000, 2000, False, id='the same process after so long that the pod was forgotten'),
        pytest.param(4000, 3005, True, id='another process after so long'),
    ],
)
def test_what_a_program_reported_before_it_was_away_is_not_reported_again(
    dd_run_check, mock_http_response, aggregator, datadog_agent, monkeypatch, away, at, counts
):
    datadog_agent.set_process_start_time(1000)
    options = {'openmetrics_endpoint': FEDERATE, 'use_process_start_time': True}
    check = KubeflowCheck('kubeflow', {}, [options])
    other = katib('10.0.0.9:8080', 1)
    for now, page in (
        (3000, federate(other, started('10.0.0.1:8080', 2000, 4))),
        (3000 + away, federate(other)),
        (3010 + away, federate(other, started('10.0.0.1:8080', at, 5))),
    ):
        aggregator.reset()
        monkeypatch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda now=now: now))
        mock_http_response(page, headers=TEXT)
        dd_run_check(check)
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:8080',): counts}


def test_a_failed_scrape_makes_no_target_new_by_itself(dd_run_check, mock_http_response, aggregator):
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': FEDERATE}])
    page = federate(katib('10.0.0.1:8080', 4))
    seen = []
    for status in (200, 200, 503, 200, 200):
        aggregator.reset()
        mock_http_response(page, headers=TEXT, status_code=status)
        if status == 503:
            with pytest.raises(Exception, match='503'):
                dd_run_check(check)
            continue
        dd_run_check(check)
        seen += flushes(aggregator, 'katib.experiment.created.count').values()
    # As the base check does for an endpoint: not at first, and not after a failure.
    assert seen == [False, True, False, True]


def test_a_sidecar_stays_back_for_the_pod_whose_server_was_seen_and_for_no_other(scrape, aggregator):
    pages = [
        [server('10.0.0.1:8080', 4), sidecar('10.0.0.1:9091', 4), sidecar('10.0.0.2:9091', 7)],
        [sidecar('10.0.0.1:9091', 5), sidecar('10.0.0.2:9091', 8)],
    ]
    scrape(*(federate(*each) for each in pages))
    assert list(submitted(aggregator, 'kserve.inferences.count').values()) == [8]


def test_a_server_that_is_seen_late_does_not_count_again_what_its_sidecar_counted(scrape, aggregator):
    proxy, late = sidecar('10.0.0.1:9091', 4), server('10.0.0.1:8080', 4)
    other = sidecar('10.0.0.2:9091', 7)
    scrape(federate(proxy, other), federate(proxy, other, up('10.0.0.1:8080', 1, job='predictor')))
    scrape(
        federate(proxy, other, up('10.0.0.1:8080', 1, job='predictor')),
        federate(proxy, other, late),
    )
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:8080',): False, ('10.0.0.2:9091',): True}


def test_pods_that_have_gone_are_forgotten(dd_run_check, mock_http_response, monkeypatch):
    now = 1000.0
    monkeypatch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda: now))
    check = KubeflowCheck('kubeflow', {}, [{'openmetrics_endpoint': FEDERATE}])
    remembered = []
    for number in range(50):
        now += 600
        page = federate(server('10.0.0.200:8080', 1), sidecar(f'10.0.0.{number}:9091', 1))
        mock_http_response(page, headers=TEXT)
        dd_run_check(check)
        (scraper,) = check.scrapers.values()
        remembered.append(len(scraper._memory._settled))
    # The endpoint's own, the pod that stays, and those of the last hour.
    assert max(remembered) == remembered[-1] == 1 + 1 + 7


# --- options ---

UNTYPED = 'shop_orders_total 5\nshop_open 3\nshop_time_sum 4\nshop_time_count 2\n'


def test_raw_families_arrive_with_the_type_the_user_gives_them(scrape, aggregator):
    check = scrape(
        federate(Scraped(UNTYPED, TARGET)),
        extra_metrics=[
            {'shop_orders_total': {'name': 'shop.orders', 'type': 'counter'}},
            {'shop_open': {'name': 'shop.open', 'type': 'gauge'}},
            {'shop_time_count': {'name': 'shop.time', 'type': 'counter'}},
        ],
    )
    own = (*OWN, 'namespace:kubeflow')
    assert submitted(aggregator, 'shop.orders.count') == {own: 5}
    assert submitted(aggregator, 'shop.open') == {own: 3}
    assert submitted(aggregator, 'shop.time.count') == {own: 2}
    types = {metric.name: metric.type for name in aggregator.metric_names for metric in aggregator.metrics(name)}
    assert types['kubeflow.shop.orders.count'] == aggregator.MONOTONIC_COUNT
    assert check.warnings == []


@pytest.mark.parametrize('extra', [['shop_open', {'shop_orders_total': 'orders'}], ['^shop_o']])
def test_raw_families_without_a_type_are_named_in_a_warning(scrape, aggregator, extra):
    check = scrape(federate(Scraped(UNTYPED, PLAIN), katib('10.0.0.1:8080', 4)), extra_metrics=extra)
    (warning,) = check.warnings
    assert warning == (
        f'What {PUBLIC} federates has no types, so these families of `extra_metrics` are left out: '
        'shop_open, shop_orders_total. Give each its type: `shop_open: {name: shop_open, type: gauge}`, or counter.'
    )
    aggregator.assert_metric('kubeflow.shop_open', count=0)


def test_an_untyped_family_of_a_component_is_no_warning(dd_run_check, mock_http_response):
    # There the user sees that the family has no type, and the Agent's log says so.
    mock_http_response('shop_open 3\n' + KATIB, headers=TEXT)
    check = KubeflowCheck(
        'kubeflow', {}, [{'openmetrics_endpoint': 'http://c/metrics', 'extra_metrics': ['shop_open']}]
    )
    dd_run_check(check)
    assert check.warnings == []


def test_options_of_histograms_hold_though_buckets_come_in_the_order_of_their_text(scrape, aggregator):
    bounds = {'0.5': 1, '5': 2, '10': 4, '+Inf': 5}
    lines = [f'request_predict_seconds_bucket{{model_name="toy",le="{le}"}} {value}' for le, value in bounds.items()]
    page = federate(Scraped(_lines([*lines, 'request_predict_seconds_count{model_name="toy"} 5']), PLAIN))
    assert page.index('le="10"') < page.index('le="5"')
    name = 'kserve.inference.duration.seconds'
    scrape(page, histogram_buckets_as_distributions=True)
    buckets = aggregator.histogram_bucket(f'kubeflow.{name}')
    assert sorted((bucket.lower_bound, bucket.upper_bound, bucket.value) for bucket in buckets) == [
        (0, 0.5, 1),
        (0.5, 5, 1),
        (5, 10, 2),
        (10, float('inf'), 1),
    ]


@pytest.mark.parametrize(
    'target_info',
    [
        True,
        pytest.param(
            False,
            marks=pytest.mark.skipif(
                version('datadog-checks-base') < '38', reason='before, what is shared by one target is shared by all'
            ),
        ),
    ],
)
def test_what_one_target_says_of_itself_is_no_tag_of_another(scrape, aggregator, target_info):
    def pod(number):
        text = sidecar('', number).exposition + f'target_info{{kn_revision_name="toy-{number}"}} 1\n'
        return Scraped(text, {'job': 'sidecar', 'instance': f'10.0.0.{number}:9091'})

    join = {'target_info': {'match': ['job', 'instance'], 'labels': ['kn_revision_name']}}
    options = {'share_labels': join, 'cache_shared_labels': False}
    if target_info:
        options = {'target_info': True}
    check = scrape(federate(pod(1)), federate(pod(1), pod(2)), **options)
    revisions = {
        tuple(tag for tag in tags if tag.startswith(('instance', 'kn_revision')))
        for tags in submitted(aggregator, 'kserve.inferences.count')
    }
    if target_info:
        assert revisions == {('instance:10.0.0.1:9091',), ('instance:10.0.0.2:9091',)}
        (warning,) = check.warnings
        assert warning.startswith(f'`target_info: true` has no effect, for {PUBLIC} federates many targets: ')
    else:
        assert revisions == {
            ('instance:10.0.0.1:9091', 'kn_revision_name:toy-1'),
            ('instance:10.0.0.2:9091', 'kn_revision_name:toy-2'),
        }
        assert check.warnings == []


def test_a_pod_one_of_whose_ports_is_new_counts_from_the_scrape_after(scrape, aggregator):
    pages = [server('10.0.0.1:8080', 4)], [server('10.0.0.1:8080', 5), sidecar('10.0.0.1:9091', 5)]
    scrape(*(federate(*each) for each in pages))
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:8080',): False}


def test_only_up_tells_that_a_target_answered(scrape, aggregator):
    other = katib('10.0.0.2:8080', 1)
    away = Scraped('up 0\nscrape_series_added 1\n', {'job': 'sidecar', 'instance': '10.0.0.1:9091'})
    scrape(federate(other, away), federate(other, sidecar('10.0.0.1:9091', 1)))
    assert flushes(aggregator, 'kserve.inferences.count') == {('10.0.0.1:9091',): False}


def test_pods_of_one_name_in_two_namespaces_are_two(scrape, aggregator):
    one = server('a/p/http', 4, pod='p', namespace='a')
    other = sidecar('b/p/http', 7, pod='p', namespace='b')
    scrape(federate(one, other))
    assert sorted(submitted(aggregator, 'kserve.inferences.count').values()) == [4, 7]


def test_the_last_of_the_pods_that_were_forgotten_counts():
    memory, catalogue = Memory(), load_catalogue()
    nothing = Scrape(catalogue, Slots(()))
    for pod, seen in ((('a',), 200.0), (('b',), 100.0)):
        memory.of(pod).counted = Counted(seen=seen, sampled=seen)
    memory.keep(nothing, 201.0 + FORGOTTEN_AFTER_SECONDS)
    assert memory.reported_until(('c',)) == 200
