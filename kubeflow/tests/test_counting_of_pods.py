# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Counts where several programs are one pod or one port, and where a scrape goes half wrong."""

from types import SimpleNamespace

import pytest
from requests.exceptions import ConnectionError

from .counting import FAILED_SCRAPE, TRIALS, katib
from .federation import FEDERATE, TIMESTAMP, Scraped, federate

ERRORS = 'kubeflow.kserve.inference.errors.count'
INFERENCES = 'kubeflow.kserve.inferences.count'
ORDERS = 'kubeflow.shop.orders.count'


def server(start, inferences):
    return Scraped(
        f'request_predict_seconds_count{{model_name="toy"}} {inferences}\n'
        f'request_predict_seconds_sum{{model_name="toy"}} {inferences}\n'
        f'process_start_time_seconds {start}\n',
        {'job': 'server', 'instance': '10.0.0.1:8080'},
    )


def old_sidecar(errors):
    """Knative's queue-proxy up to 1.18, which says not when it started."""
    return Scraped(
        f'revision_app_request_count{{response_code="500",response_code_class="5xx"}} {errors}\n',
        {'job': 'sidecar', 'instance': '10.0.0.1:9090'},
    )


def counted(watched, name, *pages):
    return [watched.scrape(1000 + 15 * number, page)[name] for number, page in enumerate(pages)]


@pytest.mark.parametrize('federated', [True, False])
def test_a_server_that_restarts_does_not_count_again_what_its_sidecar_counted(agent, federated):
    def page(*programs):
        if federated:
            return federate(*programs)
        return (
            '# TYPE request_predict_seconds summary\n'
            '# TYPE revision_app_request_count counter\n'
            '# TYPE process_start_time_seconds gauge\n'
        ) + ''.join(program.exposition for program in programs)

    watched = agent(**({'openmetrics_endpoint': FEDERATE} if federated else {}))
    pages = [
        page(server(900, 5), old_sidecar(7)),
        page(server(900, 6), old_sidecar(8)),
        page(server(1020, 1), old_sidecar(8)),
    ]
    assert counted(watched, ERRORS, *pages) == [0, 1, 0]


def test_a_sidecar_that_was_away_counts_on_from_where_it_is(agent):
    pages = [
        federate(server(900, 5), old_sidecar(7)),
        federate(server(900, 6)),
        federate(server(900, 6), old_sidecar(8)),
    ]
    assert counted(agent(openmetrics_endpoint=FEDERATE), ERRORS, *pages) == [0, 0, 1]


@pytest.mark.parametrize(
    'late',
    [
        old_sidecar(700000),
        Scraped(
            'http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="500",'
            'kn_route_tag="d"} 700000\n',
            {'job': 's', 'instance': '10.0.0.1:9091'},
        ),
    ],
)
def test_what_a_port_counted_before_it_was_found_is_not_reported(agent, late):
    pages = [federate(server(900, 5)), federate(server(900, 6)), federate(server(900, 6), late)]
    assert counted(agent(openmetrics_endpoint=FEDERATE), ERRORS, *pages) == [0, 0, 0]


def test_a_restart_before_the_agent_asked_last_and_after_the_server_scraped_last(agent):
    def at(seconds, page):
        return page.replace(str(TIMESTAMP), str(seconds * 1000))

    old, new = federate(server(900, 5)), federate(server(1010, 5))
    pages = [at(1000, old)] * 4 + [at(1060, new)]
    assert counted(agent(openmetrics_endpoint=FEDERATE), INFERENCES, *pages) == [0, 0, 0, 0, 5]


def test_what_an_extra_metric_of_a_new_target_counted_is_not_reported(agent):
    def shop(number, orders):
        return Scraped(f'shop_orders_total {orders}\n', {'job': 'shop', 'instance': f'10.0.0.{number}:80'})

    extra = [{'shop_orders_total': {'name': 'shop.orders', 'type': 'counter'}}]
    watched = agent(openmetrics_endpoint=FEDERATE, extra_metrics=extra)
    pages = [federate(shop(1, 5)), federate(shop(1, 6), shop(2, 700000)), federate(shop(1, 6), shop(2, 700001))]
    assert counted(watched, ORDERS, *pages) == [0, 1, 1]


def test_what_was_submitted_before_a_run_failed_is_not_submitted_again(agent, monkeypatch):
    watched = agent()
    watched.scrape(1000, katib(900, a=5))
    (scraper,) = watched.check.scrapers.values()
    transformer_of = scraper.metric_transformer.get

    def failing(metric):
        transformer = transformer_of(metric)

        def transform(metric, *others):
            transformer(metric, *others)
            if any(sample.value == 5 for sample in metric.samples):
                raise RuntimeError('half done')

        return transformer and transform

    with monkeypatch.context() as broken:
        broken.setattr(scraper.metric_transformer, 'get', failing)
        for now in (1015, 1030):
            with pytest.raises(Exception, match='half done'):
                watched.scrape(now, katib(1010, a=5))
    assert watched.scrape(1045, katib(1010, a=5))[f'{TRIALS} namespace:a'] == 5


@pytest.fixture
def run_unreachable(monkeypatch, dd_run_check):
    """Run a check where nothing listens. The patch ends with the run, before another one begins."""

    def refuse(*_, **__):
        raise ConnectionError('refused')

    def run(check):
        with monkeypatch.context() as context:
            context.setattr('requests.Session.get', refuse)
            dd_run_check(check)

    return run


def test_a_connection_error_that_is_ignored_is_no_first_scrape(agent, run_unreachable):
    watched = agent(ignore_connection_errors=True)
    run_unreachable(watched.check)
    assert counted(watched, f'{TRIALS} namespace:a', katib(900, a=700000), katib(900, a=700001)) == [0, 1]


def test_a_server_that_does_not_answer_is_no_empty_answer(agent, run_unreachable):
    watched = agent(openmetrics_endpoint=FEDERATE, ignore_connection_errors=True)
    run_unreachable(watched.check)
    assert watched.check.warnings == []


def test_replicas_that_started_within_two_seconds_are_not_one_process(agent):
    one, other = katib(900.13, a=5), katib(901.4, a=5, b=7)
    pages = [one, other, one, FAILED_SCRAPE, other, one, FAILED_SCRAPE, other]
    assert counted(agent(), f'{TRIALS} namespace:b', *pages) == [0, 7, 0, 0, 0, 0, 0, 0]


def test_a_restart_within_two_seconds_of_the_start(agent):
    assert counted(agent(), f'{TRIALS} namespace:a', katib(999.2, a=5), katib(1000.9, a=5)) == [0, 5]


def test_a_restart_while_the_answer_is_read(agent, monkeypatch, dd_run_check, mock_http_response):
    watched = agent()
    clock = SimpleNamespace(now=1000)
    monkeypatch.setattr('datadog_checks.kubeflow.scraper.time', SimpleNamespace(time=lambda: clock.now))
    watched.check.load_configuration_models()
    watched.check.configure_scrapers()
    watched.check.check_initializations.clear()
    (scraper,) = watched.check.scrapers.values()
    parse = scraper.parse_metrics

    def slowly():
        yield from parse()
        clock.now = 1010

    monkeypatch.setattr(scraper, 'parse_metrics', slowly)
    mock_http_response(katib(900, a=5))
    dd_run_check(watched.check)
    assert watched.scrape(1015, katib(1004, a=5))[f'{TRIALS} namespace:a'] == 5


def test_federation_of_a_server_that_federates(dd_run_check, mock_http_response, aggregator, agent):
    labels = (
        'exported_exported_namespace="kubeflow",exported_instance="10.0.0.1:8080",exported_job="katib",'
        'exported_namespace="team-a",instance="prometheus:9090",job="federate",namespace="monitoring",status="Running"'
    )
    watched = agent(openmetrics_endpoint=FEDERATE)
    watched.scrape(1000, f'# TYPE katib_experiments_current untyped\nkatib_experiments_current{{{labels}}} 2 1000\n')
    (running,) = aggregator.metrics('kubeflow.katib.experiment.running.total')
    assert {'namespace:team-a', 'target_namespace:monitoring', 'instance:10.0.0.1:8080', 'job:katib'} <= set(
        running.tags
    )
