# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Incidents as they are begun and ended: in process, and over HTTP."""

import pytest
import requests

from ..clock import Stopped
from ..incidents import INCIDENTS, UnknownIncident
from ..releases import deployments
from ..server import Simulator
from .samples import values
from .serving import control, fetch, stepped

RELEASE = '26.03'
FAILED = 'katib_trial_failed_total'


def katib(**options):
    """A simulator of Katib alone."""
    served = [each for each in deployments(RELEASE) if each.name == 'katib-controller']
    return Simulator(deployments=served, speed=None, warm_up=300, **options)


def failures(simulator, seconds=300):
    """How many trials of each namespace fail while so much time passes."""
    endpoint = simulator['katib-controller']
    before = values(fetch(endpoint).text, FAILED)
    simulator.step(seconds)
    return {key[0]: number - before.get(key, 0) for key, number in values(fetch(endpoint).text, FAILED).items()}


def test_an_incident_begins_and_ends():
    assert Simulator.incidents is INCIDENTS
    with katib() as simulator:
        usual = failures(simulator)
        begun = simulator.incident('katib-trials-failing')
        assert (begun.name, begun.description) == ('katib-trials-failing', INCIDENTS['katib-trials-failing'])
        ((label, namespace),) = begun.culprits[0].items()
        assert label == 'namespace'
        # Once more changes nothing.
        assert simulator.incident('katib-trials-failing') == begun
        worse = failures(simulator)
        assert {each for each in worse if worse[each] > 1.5 * usual[each]} == {namespace}
        simulator.end('katib-trials-failing')
        assert failures(simulator)[namespace] < 1.5 * usual[namespace]
        # Nor does that.
        simulator.end('katib-trials-failing')


def test_incidents_over_http():
    with Simulator(RELEASE, speed=None, warm_up=0) as simulator:
        # To any port, behind a door and an obstacle too.
        for name in ('katib-controller', 'tensorboard-controller', 'login-page'):
            answer = control(simulator[name], 'incident/controller-workqueue-stuck')
            assert (answer.status_code, answer.text) == (
                200,
                'controller-workqueue-stuck: controller trial-controller\n',
            )
            assert simulator.world.suffers('controller-workqueue-stuck')
            answer = control(simulator[name], 'end/controller-workqueue-stuck')
            assert (answer.status_code, answer.text) == (200, 'controller-workqueue-stuck: over\n')
            assert not simulator.world.suffers('controller-workqueue-stuck')
        text = control(simulator['katib-controller'], 'incident/inference-errors').text
        assert text.startswith('inference-errors: namespace team-tabular, service sklearn-iris, model sklearn-iris; ')
        assert text.count(';') == 4


def test_an_endpoint_that_cannot_be_scraped():
    with Simulator(RELEASE, speed=None, warm_up=0) as simulator:
        assert simulator.incident('endpoint-not-scrapable').culprits == ({'endpoint': 'katib-controller'},)
        answer = fetch(simulator['katib-controller'])
        assert (answer.status_code, answer.text) == (503, 'Service Unavailable\n')
        assert fetch(simulator['training-operator']).status_code == 200
        simulator.end('endpoint-not-scrapable')
        assert fetch(simulator['katib-controller']).status_code == 200


def test_other_faults_outlast_the_end_of_an_incident():
    with katib() as simulator:
        simulator.cut('katib-controller', 0)
        simulator.incident('endpoint-not-scrapable')
        simulator.end('endpoint-not-scrapable')
        with pytest.raises(requests.exceptions.RequestException, match='0 bytes read'):
            fetch(simulator['katib-controller'])


def test_an_incident_may_be_there_from_the_start():
    simulator = katib()
    (culprit,) = simulator.incident('katib-trials-failing').culprits
    with simulator:
        counts = values(fetch(simulator['katib-controller']).text, 'katib_trial_succeeded_total')
        assert counts
        assert (culprit['namespace'],) not in counts


def test_time_that_runs_by_itself():
    with Simulator(RELEASE, speed=10_000) as simulator:
        culprit = simulator.incident('katib-trials-failing').culprits[0]
        assert simulator.world.suffers('katib-trials-failing', **culprit)
        simulator.end('katib-trials-failing')
        assert not simulator.world.suffers('katib-trials-failing', **culprit)
        assert fetch(simulator['katib-controller']).status_code == 200


UNKNOWN = f"there is no incident 'no-coffee'; there are {', '.join(INCIDENTS)}"


@pytest.mark.parametrize(
    'request_, method, status, text',
    [
        ('incident/no-coffee', 'POST', 404, UNKNOWN),
        ('end/no-coffee', 'POST', 404, UNKNOWN),
        ('incident', 'POST', 404, UNKNOWN.replace('no-coffee', '')),
        ('incident/inference-errors?model=x', 'POST', 400, '/-/incident/inference-errors has no parameters'),
        ('incident/inference-errors', 'GET', 405, '/-/incident/inference-errors is asked for with POST'),
        (
            'incident/endpoint-not-scrapable',
            'POST',
            404,
            'there is no endpoint katib-controller for the incident endpoint-not-scrapable',
        ),
    ],
)
def test_bad_requests_begin_nothing(request_, method, status, text):
    with stepped() as simulator:
        answer = control(simulator['ticker'], request_, method)
        assert (answer.status_code, answer.text) == (status, f'{text}\n')
        assert not [name for name in INCIDENTS if simulator.world.suffers(name)]


def test_bad_names_in_process():
    simulator = katib()
    for call in (simulator.incident, simulator.end):
        with pytest.raises(
            UnknownIncident, match="^there is no incident 'no-coffee'; there are pipeline-runs-failing, "
        ):
            call('no-coffee')


def test_a_world_that_broke():
    def breaks():
        raise LookupError('no such shard')

    with katib() as simulator:
        simulator.world.schedule(1, breaks)
        with pytest.raises(Stopped):
            simulator.step(2)
        answer = control(simulator['katib-controller'], 'incident/inference-errors')
        sentence = 'the simulated world broke after 301 seconds: LookupError: no such shard'
        assert (answer.status_code, answer.text) == (500, f'{sentence}\n')
        with pytest.raises(Stopped, match=sentence):
            simulator.end('inference-errors')
