# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules and the Grafana dashboard on what Prometheus stores of the simulated Kubeflow, told by promtool."""

from dataclasses import dataclass

import pytest

from simulator.incidents import INCIDENTS
from simulator.releases import deployments
from simulator.server import Simulator

from .availability import available
from .dashboard import targets
from .monitored import documents
from .promql import selectors
from .promtool import Alarms, Promtool, Question, find_promtool, text
from .simulated import Recorder

pytestmark = pytest.mark.slow

(RULE,) = documents('rules.yaml')
RULES = [rule for group in RULE['spec']['groups'] for rule in group['rules']]
SEVERITY = {rule['alert']: rule['labels']['severity'] for rule in RULES if 'alert' in rule}
OF_RULES = {name for rule in RULES for name, _ in selectors(rule['expr'])}
OF_PANELS = {name for target in targets() for name, _ in selectors(target.expression)}

FIRING = 'ALERTS{alertstate="firing"}'

# In minutes: the length of a quiet recording; when an incident begins and when all of its alerts fire.
QUIET = 61
BEGIN = 16
END = 50


@pytest.fixture(scope='module')
def promtool(tmp_path_factory):
    return Promtool(available(find_promtool), tmp_path_factory.mktemp('promtool'), RULE)


@dataclass(frozen=True)
class Cluster:
    """Endpoints of the simulator: of a release or of none (`variants`), in the pods of the release `kubeflow`."""

    kubeflow: str
    endpoints: tuple[str, ...] = ()
    variants: bool = False

    def simulator(self):
        every = deployments(None if self.variants else self.kubeflow)
        chosen = [each for each in every if not self.endpoints or each.name in self.endpoints]
        assert len(chosen) == len(self.endpoints or chosen)
        return Simulator(self.kubeflow, speed=None, deployments=chosen)


# Argo 3.7 and Knative 1.21; 3.5 and 1.16; 4.0.
NEW = Cluster('26.03')
OLD = Cluster(
    '1.10', ('argo', 'pipelines-api-server', 'queue-proxy-opencensus', 'kserve-server', 'notebook-controller')
)
ARGO_4 = Cluster('26.03', ('argo-4.0',), variants=True)


@pytest.fixture(scope='module')
def quiet():
    """What is stored of a cluster within an hour in which nothing goes wrong."""
    recorded = {}

    def stored(cluster):
        if cluster not in recorded:
            with cluster.simulator() as simulator:
                recorder = Recorder(simulator, cluster.kubeflow, OF_RULES | OF_PANELS)
                recorder.record(QUIET)
            recorded[cluster] = recorder.stored
        return recorded[cluster]

    return stored


@pytest.mark.parametrize('cluster', [NEW, OLD, ARGO_4], ids=['26.03', '1.10', 'argo-4.0'])
def test_no_alert_fires_where_nothing_is_wrong(promtool, quiet, cluster):
    never = Question(f'count_over_time({FIRING}[{QUIET}m])', QUIET - 1, {})
    assert promtool.faults(quiet(cluster), [never]) == ''


# What programs expose that are not simulated.
NOT_SIMULATED = {
    'nv_inference_request_success',
    'vllm:e2e_request_latency_seconds_bucket',
    'vllm:request_success_total',
}


def test_every_query_of_the_dashboard_has_an_answer(promtool, quiet):
    expressions = {target.expression for target in targets()}
    new, *others = (promtool.answered(quiet(each), expressions, QUIET - 1) for each in (NEW, OLD, ARGO_4))
    unanswered = expressions.difference(new, *others)
    assert {name for each in unanswered for name, _ in selectors(each)} == NOT_SIMULATED
    # In the newest release no panel is empty.
    titles = {(target.row, target.panel) for target in targets()}
    assert {(target.row, target.panel) for target in targets() if target.expression in new} == titles


@dataclass(frozen=True)
class Case:
    """An incident, what to record of it, and the labels of each alert of that name that fires at its end."""

    incident: str
    cluster: Cluster
    alert: str
    firing: tuple[dict[str, str], ...]


def case(incident, release, *endpoints, firing, **options):
    alert = f'Kubeflow{"".join(part.capitalize() for part in incident.split("-"))}'
    return Case(incident, Cluster(release, endpoints, **options), alert, tuple(firing))


def of_namespaces(*namespaces):
    return [{'namespace': namespace} for namespace in namespaces]


KATIB = 'katib-controller'
SERVERS = ('queue-proxy-otel', 'qpext', 'mlserver', 'kserve-server')
OLD_SERVERS = ('queue-proxy-opencensus', 'qpext', 'mlserver', 'kserve-server')
ARGO = {'job': 'kubeflow/argo-workflow-controller'}
TRIAL_CONTROLLER = {'job': f'kubeflow/{KATIB}', 'controller': 'trial-controller'}
KATIB_POD = {
    'job': f'kubeflow/{KATIB}',
    'instance': '10.244.1.122:8080',
    'namespace': 'kubeflow',
    'pod': 'katib-controller-5d8f6c7b9-dm5nq',
    'container': KATIB,
}
SLOW = [
    {'namespace': 'team-tabular', 'model_name': 'sklearn-iris'},
    {'namespace': 'team-tabular', 'model_name': 'lightgbm-income'},
    {'namespace': 'team-vision', 'model_name': 'resnet-photos'},
]

CASES = [
    case('endpoint-not-scrapable', '26.03', KATIB, firing=[KATIB_POD]),
    case('pipeline-runs-failing', '26.03', 'argo', firing=of_namespaces('team-nlp')),
    case('pipeline-runs-failing', '26.03', 'argo-4.0', variants=True, firing=of_namespaces('team-nlp')),
    # Argo 3.5 counts no runs.
    case('pipeline-runs-failing', '1.10', 'argo', 'pipelines-api-server', firing=of_namespaces('team-nlp')),
    case('pipeline-runs-pending', '26.03', 'argo', firing=[ARGO]),
    case('pipeline-runs-pending', '26.03', 'argo-4.0', variants=True, firing=[ARGO]),
    case('pipeline-runs-pending', '1.10', 'argo', firing=[ARGO]),
    case('katib-trials-failing', '26.03', KATIB, firing=of_namespaces('team-vision')),
    case('katib-trials-without-metrics', '26.03', KATIB, firing=of_namespaces('team-tabular')),
    case('inference-errors', '26.03', *SERVERS, firing=of_namespaces('team-nlp', 'team-tabular', 'team-vision')),
    case('inference-errors', '1.10', *OLD_SERVERS, firing=of_namespaces('team-tabular', 'team-vision')),
    # A sidecar does not know the model.
    case('inference-latency', '26.03', *SERVERS, firing=[*SLOW, *of_namespaces('team-nlp')]),
    case('inference-latency', '1.10', *OLD_SERVERS, firing=[*SLOW, *of_namespaces('team-tabular')]),
    case('notebook-creation-failing', '26.03', 'notebook-controller', firing=of_namespaces('team-nlp')),
    case('controller-reconcile-errors', '26.03', KATIB, firing=[TRIAL_CONTROLLER]),
    case('controller-workqueue-stuck', '26.03', KATIB, firing=[TRIAL_CONTROLLER]),
    case(
        'recurring-runs-late',
        '26.03',
        'pipelines-api-server',
        firing=[{'job': 'kubeflow/pipelines-api-server'}],
    ),
]


def test_there_is_a_case_for_each_incident_and_each_alert():
    assert {each.incident for each in CASES} == set(INCIDENTS)
    assert {each.alert for each in CASES} == set(SEVERITY)


@pytest.mark.parametrize('case', CASES, ids=lambda case: f'{case.incident}-{case.cluster.kubeflow}')
def test_an_alert_fires_in_the_incident_it_is_for(promtool, case):
    with case.cluster.simulator() as simulator:
        recorder = Recorder(simulator, case.cluster.kubeflow, OF_RULES)
        recorder.record(BEGIN)
        simulator.incident(case.incident)
        recorder.record(END + 1 - BEGIN)
    common = {'alertname': case.alert, 'severity': SEVERITY[case.alert]}
    firing = {text({'__name__': 'ALERTS', 'alertstate': 'firing', **common, **labels}): 1 for labels in case.firing}
    questions = [
        Question(f'count_over_time({FIRING}[{BEGIN}m])', BEGIN, {}),
        Question(f'ALERTS{{alertstate="firing",alertname="{case.alert}"}}', END, firing),
    ]
    assert promtool.faults(recorder.stored, questions) == ''


def test_the_first_event_of_a_namespace_counts(promtool):
    target = {'job': 'kubeflow/notebook-controller', 'instance': '10.0.0.1:8080'}

    def series(name, values, **labels):
        return {frozenset({'__name__': name, **target, **labels}.items()): [*map(float, values)]}

    # A notebook is refused for the first time in minute 20, with five more attempts right after it.
    refused = {
        frozenset({'__name__': name, **target, 'namespace': 'team-a'}.items()): [None] * 20 + [6.0] * 21
        for name in ('notebook_create_total', 'notebook_create_failed_total')
    }
    stored = {**series('up', [1] * 41), **refused}
    expected = {
        'summary': 'Notebooks cannot be created in team-a',
        'description': (
            '67 % of the attempts of the last 15 minutes to create a notebook in team-a were refused. It is the share '
            'of those and 3 more, so that a few alone raise no alarm.'
        ),
        'runbook': (
            '`kubectl --namespace kubeflow logs deployment/notebook-controller-deployment` has the error of the '
            'Kubernetes API: a quota or an admission webhook. Pods that do not start are no failure here.'
        ),
    }
    alert = 'KubeflowNotebookCreationFailing'
    fires = ({'severity': 'warning', 'namespace': 'team-a'}, expected)
    count = 'namespace:notebook_create_failed_total:increase15m'
    questions = [
        Question(count, 20, {text({'__name__': count, 'namespace': 'team-a'}): 6}),
        Alarms(alert, 24, ()),
        Alarms(alert, 25, (fires,)),
        Alarms(alert, 40, ()),
    ]
    assert promtool.faults(stored, questions) == ''
    # What a target had counted before Prometheus first saw it is old.
    late = {series: [None] * 20 + [value for value in values if value][:21] for series, values in stored.items()}
    assert promtool.faults(late, [Alarms(alert, 25, ()), Question(count, 20, {})]) == ''
