# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Model servers and their sidecars."""

import re
from collections import Counter

import pytest

from ..components import (
    KServe,
    MLServer,
    OpenCensusQpext,
    OpenCensusQueueProxy,
    OpenTelemetryQpext,
    OpenTelemetryQueueProxy,
)
from ..events import Inference
from ..workloads import busy_world
from ..workloads.traffic import AGGREGATED, KSERVE, MLSERVER, OPENCENSUS, OPENTELEMETRY
from ..world import World
from .samples import payload_of, samples, total, types, values


class Requests:
    """The requests to one server, told by the world."""

    def __init__(self, world, server):
        self._server = server.name
        self._all = []
        world.listen(Inference, self._on_request)

    def _on_request(self, request):
        if request.server == self._server:
            self._all.append(request)

    def count(self, **attributes):
        return sum(all(getattr(request, name) == value for name, value in attributes.items()) for request in self._all)

    def sum(self, attribute):
        return sum(getattr(request, attribute) for request in self._all)

    @property
    def statuses(self):
        return Counter(str(request.status) for request in self._all)


def inference(server, **attributes):
    """A request of 21.5 ms to that server, unless the attributes say otherwise."""
    usual = {
        'model': server.name,
        'verb': 'predict',
        'protocol': 'rest',
        'status': 200,
        'preprocess': 0.001,
        'predict': 0.02,
        'postprocess': 0.0005,
        'request_bytes': 300,
        'response_bytes': 70,
    }
    return Inference(server=server.name, **{**usual, **attributes})


def test_times_of_the_model_server():
    world = World()
    server = KServe(world, '0.16')
    world.publish(inference(KSERVE))
    world.publish(inference(KSERVE, verb='explain', predict=0.5))
    world.publish(inference(KSERVE, status=500, model='other'))
    sums = {step: values(server.payload(), f'request_{step}_seconds_sum') for step in KServe.STEPS}
    assert sums == {
        'preprocess': {('sklearn-iris',): 0.002, ('other',): 0.001},
        'predict': {('sklearn-iris',): 0.02, ('other',): 0.02},
        'explain': {('sklearn-iris',): 0.5},
        'postprocess': {('sklearn-iris',): 0.001},
    }


def test_opencensus_adds_a_millisecond_of_its_own():
    world = World()
    proxy = OpenCensusQueueProxy(world, '1.18')
    world.publish(inference(OPENCENSUS))
    world.publish(inference(OPENCENSUS, predict=0.1))
    world.publish(inference(OPENCENSUS, status=500))
    payload = proxy.payload()
    assert total(payload, 'revision_app_request_latencies_sum', response_code='200') == 21 + 101
    assert total(payload, 'revision_app_request_latencies_sum', response_code='500') == 21
    assert total(payload, 'revision_request_latencies_sum', response_code='200') == 22 + 102
    assert total(payload, 'revision_request_latencies_sum', response_code_class='5xx', route_tag='DISABLED') == 22


def test_opentelemetry_tells_times_and_sizes():
    world = World()
    proxy = OpenTelemetryQueueProxy(world, '1.21')
    before = proxy.payload()
    world.publish(inference(OPENTELEMETRY))
    world.publish(inference(OPENTELEMETRY, predict=0.1, request_bytes=1000, response_bytes=5))
    world.publish(inference(OPENTELEMETRY, verb='ready', status=500, request_bytes=0, response_bytes=30))
    payload = proxy.payload()

    def added(name, **labels):
        return round(total(payload, f'{name}_sum', **labels) - total(before, f'{name}_sum', **labels), 9)

    post, get = {'http_request_method': 'POST'}, {'http_request_method': 'GET'}
    assert added('http_server_request_duration_seconds', **post) == 0.0225 + 0.1025
    assert added('http_server_request_duration_seconds', **get, http_response_status_code='500') == 0.0225
    assert added('http_client_request_duration_seconds', **post) == 0.0215 + 0.1015
    assert added('http_server_request_body_size_bytes', **post) == 1300
    assert added('http_client_request_body_size_bytes', **post) == 1300
    assert added('http_server_response_body_size_bytes', **post) == 75
    assert added('http_server_response_body_size_bytes', **get) == 30
    assert added('kn_serving_invocation_duration_seconds', http_response_status_code='200') == 0.0215 + 0.1015
    assert added('kn_serving_invocation_duration_seconds', http_response_status_code='500') == 0.0215


def test_sums_are_those_of_all_requests():
    world = busy_world()
    requests = Requests(world, OPENTELEMETRY)
    proxy = OpenTelemetryQueueProxy(world, '1.21')
    before = total(proxy.payload(), 'http_client_request_duration_seconds_sum')
    world.step(600)
    payload = proxy.payload()
    seconds = requests.sum('seconds')
    assert total(payload, 'kn_serving_invocation_duration_seconds_sum') == pytest.approx(seconds)
    assert total(payload, 'http_client_request_duration_seconds_sum') - before == pytest.approx(seconds)
    served = total(payload, 'http_server_request_duration_seconds_sum')
    assert served == pytest.approx(seconds + 0.001 * requests.count())
    for direction in ('request', 'response'):
        size = total(payload, f'http_server_{direction}_body_size_bytes_sum')
        assert size == requests.sum(f'{direction}_bytes') > 0


def test_steps_of_the_model_server():
    world = busy_world()
    requests = Requests(world, KSERVE)
    server = KServe(world, '0.16')
    for _ in range(20):
        world.step(30)
        payload = server.payload()
        count = {step: total(payload, f'request_{step}_seconds_count') for step in KServe.STEPS}
        seen = {
            verb: sum(requests.count(verb=verb, status=status) for status in (200, 400, 500))
            for verb in ('predict', 'explain')
        }
        succeeded = sum(requests.count(verb=verb, status=200) for verb in ('predict', 'explain'))
        assert count == {**seen, 'preprocess': sum(seen.values()), 'postprocess': succeeded}
    assert requests.count(status=404) > 0
    assert requests.count(status=422) > 0
    assert requests.count(verb='ready') > 0
    assert succeeded < sum(seen.values())


def test_a_model_server_has_its_families_before_the_first_request():
    payload = payload_of(KServe, '0.16', seconds=0)
    assert [name for name in types(payload) if name.startswith('request_')] == [
        'request_preprocess_seconds',
        'request_postprocess_seconds',
        'request_predict_seconds',
        'request_explain_seconds',
    ]
    assert 'model_name' not in payload


def test_the_number_of_models_scales_the_model_servers():
    world = busy_world(models=4)
    kserve, mlserver = KServe(world, '0.16'), MLServer(world, '1.7')
    world.step(600)
    names = {model for (model,) in values(kserve.payload(), 'request_predict_seconds_count')}
    assert names == {'sklearn-iris', 'sklearn-iris-2', 'sklearn-iris-3', 'sklearn-iris-4'}
    models = {model for model, _ in values(mlserver.payload(), 'model_infer_request_success_total')}
    assert models == {'lightgbm-income', 'lightgbm-income-2', 'lightgbm-income-3', 'lightgbm-income-4'}


def test_opencensus_counts_every_request_in_milliseconds():
    world = busy_world()
    requests = Requests(world, OPENCENSUS)
    proxy = OpenCensusQueueProxy(world, '1.18')
    world.step(600)
    payload = proxy.payload()
    for at in ('request', 'app_request'):
        for code, number in requests.statuses.items():
            labels = {'response_code': code, 'response_code_class': f'{code[0]}xx'}
            assert total(payload, f'revision_{at}_count', **labels) == number
            assert total(payload, f'revision_{at}_latencies_count', **labels) == number
    # The mean of a model with a median of 30 ms.
    mean = total(payload, 'revision_app_request_latencies_sum') / total(payload, 'revision_app_request_count')
    assert 20 < mean < 100
    assert total(payload, 'revision_queue_depth') == 1


def test_an_idle_sidecar_has_only_its_queue():
    assert types(payload_of(OpenCensusQueueProxy, '1.18', seconds=0)) == {'revision_queue_depth': 'gauge'}


def test_opentelemetry_histograms_agree():
    world = busy_world()
    requests = Requests(world, OPENTELEMETRY)
    proxy = OpenTelemetryQueueProxy(world, '1.21')
    world.step(600)
    payload = proxy.payload()
    for name in ('request_duration_seconds', 'request_body_size_bytes', 'response_body_size_bytes'):
        for method in ('GET', 'POST'):
            served = total(payload, f'http_server_{name}_count', http_request_method=method, kn_route_tag='kn:disabled')
            assert served == requests.count(method=method) > 0
    assert values(payload, 'kn_serving_invocation_duration_seconds_count') == {
        (code, 'knative.dev/serving/pkg/queue', '', ''): number for code, number in requests.statuses.items()
    }
    # The hop to the container has the sidecar's own probe too.
    sent = total(payload, 'http_client_request_duration_seconds_count')
    assert sent == requests.count() + 1
    assert sent - 1 == total(payload, 'http_client_request_duration_seconds_count', kn_route_tag='kn:disabled')


def test_hosts_of_clients_have_no_port():
    series = [
        dict(labels)
        for name, labels in samples(payload_of(OpenTelemetryQueueProxy, '1.21'))
        if name == 'http_server_request_duration_seconds_count'
    ]
    assert {(each['server_address'], each.get('server_port')) for each in series} == {
        ('bert-reviews.team-nlp.example.com', None),
        ('bert-reviews-predictor.team-nlp.svc.cluster.local', None),
        ('10.244.1.17', '8012'),
    }


def test_series_with_fewer_labels_come_first():
    payload = payload_of(OpenTelemetryQueueProxy, '1.21')
    first = re.search(r'^http_client_request_duration_seconds_bucket.*$', payload, re.MULTILINE)[0]
    assert 'kn_route_tag' not in first
    assert 'http_response_status_code="404"' in first


@pytest.mark.parametrize(
    'component, release, count',
    [
        (OpenCensusQpext, '0.16', 'revision_app_request_count'),
        (OpenTelemetryQpext, '0.20', 'http_server_request_duration_seconds_count'),
    ],
)
def test_the_aggregated_port_has_both_expositions(component, release, count):
    world = busy_world()
    requests = Requests(world, AGGREGATED)
    qpext = component(world, release)
    world.step(600)
    payload = qpext.payload()
    assert total(payload, count) == requests.count()
    names = ('resnet-photos-predictor', 'resnet-photos', 'resnet-photos-predictor-00001', 'resnet-photos-predictor')
    predicted = sum(requests.count(verb='predict', status=status) for status in (200, 400, 500))
    assert values(payload, 'request_predict_seconds_count') == {names: predicted}


def test_lines_of_the_aggregated_port():
    payload = payload_of(OpenTelemetryQpext, '0.20')
    labels = (
        'model_name="resnet-photos",service_name="resnet-photos-predictor",'
        'configuration_name="resnet-photos-predictor",revision_name="resnet-photos-predictor-00001"'
    )
    assert f'\nrequest_predict_seconds_bucket{{{labels},le="1"}} ' in payload
    assert f'\nrequest_predict_seconds_created{{{labels}}} 1.7934912e+09\n' in payload
    assert payload.index('request_predict_seconds_sum{') < payload.index('request_predict_seconds_count{')


def test_families_of_the_model_server_without_samples_are_dropped_and_the_order_varies():
    assert 'request_' not in payload_of(OpenCensusQpext, '0.16', seconds=0).replace('revision_', '')
    orders = {
        tuple(re.findall(r'^# TYPE (request_\S+|python_\S+)', payload_of(OpenCensusQpext, '0.16', seconds=at), re.M))
        for at in (100, 200, 300)
    }
    assert len(orders) == 3


def test_mlserver_counts():
    world = busy_world()
    requests = Requests(world, MLSERVER)
    server = MLServer(world, '1.7')
    for _ in range(10):
        world.step(60)
        payload = server.payload()
        success, failure = (total(payload, f'model_infer_request_{end}_total') for end in ('success', 'failure'))
        assert success + failure == total(payload, 'model_infer_request_duration_count')
        assert success == requests.count(status=200) - requests.count(verb='ready')
        assert failure == sum(requests.count(status=status) for status in (400, 404, 500))
        assert total(payload, 'rest_server_requests_total') == requests.count(protocol='rest')
        assert total(payload, 'grpc_server_started_total') == requests.count(protocol='grpc')
        assert total(payload, 'grpc_server_handling_seconds_count') == requests.count(protocol='grpc')
        assert total(payload, 'grpc_server_handled_total') == requests.count(protocol='grpc', status=200)
    assert total(payload, 'model_infer_request_failure_total', model='income-v0') == requests.count(status=404) > 0
    assert total(payload, 'rest_server_requests_total', status_code='422') == requests.count(status=422) > 0
    assert total(payload, 'rest_server_requests_total', method='GET') == requests.count(verb='ready') > 0


def test_mlserver_knows_a_version_by_the_protocol():
    world = World()
    server = MLServer(world, '1.7')
    for protocol, predict in (('grpc', 0.25), ('rest', 0.5), ('rest', 1)):
        world.publish(inference(MLSERVER, protocol=protocol, predict=predict))
    world.publish(inference(MLSERVER, protocol='grpc', status=404))
    world.publish(inference(MLSERVER, status=500, predict=2))
    payload = server.payload()
    name = 'lightgbm-income'
    assert values(payload, 'model_infer_request_success_total') == {(name, ''): 1, (name, 'None'): 2}
    assert values(payload, 'model_infer_request_failure_total') == {
        (name, ''): 0,
        (name, 'None'): 1,
        ('income-v0', ''): 1,
    }
    assert values(payload, 'model_infer_request_duration_sum') == {
        (name, ''): 0.25,
        (name, 'None'): 3.5,
        ('income-v0', ''): 0.02,
    }
    # The whole requests: 1.5 ms longer each.
    assert total(payload, 'grpc_server_handling_seconds_sum') == pytest.approx(0.25 + 0.02 + 2 * 0.0015)
    path = '/v2/models/{model_name}/infer'
    assert values(payload, 'rest_server_requests_total') == {
        ('mlserver', 'POST', path, '200'): 2,
        ('mlserver', 'POST', path, '500'): 1,
    }
    seconds = total(payload, 'rest_server_request_duration_seconds_sum', status_code='200')
    assert seconds == pytest.approx(1.5 + 2 * 0.0015)


def test_an_unknown_model_has_failures_and_no_successes():
    payload = payload_of(MLServer, '1.7')
    succeeded = {model for model, _ in values(payload, 'model_infer_request_success_total')}
    failed = {model for model, _ in values(payload, 'model_infer_request_failure_total')}
    assert failed - succeeded == {'income-v0'}
