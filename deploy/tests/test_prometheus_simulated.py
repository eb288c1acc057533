# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The rules and the Grafana dashboard on what Prometheus stores of the simulated Kubeflow, told by promtool."""

import re
from dataclasses import dataclass

import pytest

from kubeflow.tests.live.availability import available
from simulator.incidents import INCIDENTS
from simulator.releases import deployments
from simulator.server import Simulator

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


SHARES = [target.expression for target in targets() if target.kind == 'stat' and ' / ' in target.expression]
OF_FAILURES = re.compile('fail|error|unavailable', re.IGNORECASE)


def test_a_share_is_zero_where_nothing_failed_and_is_none_where_nothing_happened(promtool, quiet):
    def failed(series):
        labels = dict(series)
        code = labels.get('http_response_status_code') or labels.get('response_code_class', '')
        return code.startswith('5') or OF_FAILURES.search(f'{labels["__name__"]} {labels.get("phase", "")}')

    stored = {series: values for series, values in quiet(NEW).items() if not failed(series)}
    assert promtool.faults(stored, [Question(each, QUIET - 1, {'{}': 0}) for each in SHARES]) == ''
    # NaN would be an answer.
    still = {series: [value for value in values if value is not None][:1] * QUIET for series, values in stored.items()}
    assert promtool.faults(still, [Question(each, QUIET - 1, {}) for each in SHARES]) == ''


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


def test_a_first_event_counts_in_every_recorded_series(promtool):
    born = [
        (rule['record'], name)
        for rule in RULES
        for name in sorted({name for name, _ in selectors(rule['expr'])})
        if f'unless {name} offset' in rule['expr']
    ]
    assert len(born) == 8
    stored = {}
    for _, name in born:
        target = {'job': name, 'instance': '10.0.0.1:8080'}
        # The first six events, or the first of the runs that are a series each.
        labels = {'profile' if name.startswith('resource_manager') else 'namespace': name, 'phase': 'Failed'}
        stored[frozenset({'__name__': 'up', **target}.items())] = [1.0] * 41
        stored[frozenset({'__name__': name, **target, **labels}.items())] = [None] * 40 + [6.0]
    asked = {f'sum({record}{{namespace="{name}"}})': name for record, name in born}
    counted = {each: {'{}': 1 if name.startswith('resource_manager') else 6} for each, name in asked.items()}
    assert promtool.faults(stored, [Question(each, 40, answer) for each, answer in counted.items()]) == ''
    # None of it where the target is new too.
    late = {series: [None] * 40 + values[40:] for series, values in stored.items()}
    assert promtool.faults(late, [Question(each, 40, {}) for each in asked]) == ''


def test_runs_that_all_fail_are_failing(promtool):
    series = {'__name__': 'argo_workflows_total_count', 'namespace': 'team-a', 'phase': 'Error'}
    stored = {frozenset(series.items()): [float(minute) for minute in range(41)]}
    (rule,) = [rule for rule in RULES if rule.get('alert') == 'KubeflowPipelineRunsFailing']
    # 30 of 30, and 5.
    assert promtool.faults(stored, [Question(rule['expr'], 40, {'{namespace="team-a"}': 100 * 30 / 35})]) == ''


OTEL = 'http_server_request_duration_seconds_{}{{kn_route_tag="default",http_request_method="POST",{}}}'

# What has inferences counted, each alone in a namespace: four a minute of half a second each, of which one fails.
SERVED = {
    'kserve-server': {
        'request_predict_seconds_count{model_name="iris"}': 4,
        'request_predict_seconds_sum{model_name="iris"}': 2,
    },
    'mlserver': {
        'model_infer_request_duration_count{model="iris"}': 4,
        'model_infer_request_duration_sum{model="iris"}': 2,
        'model_infer_request_failure_total{model="iris"}': 1,
    },
    'triton': {'nv_inference_request_success{model="iris"}': 3, 'nv_inference_request_failure{model="iris"}': 1},
    'tensorflow-serving': {
        ':tensorflow:serving:request_count{model_name="iris",status="OK"}': 3,
        ':tensorflow:serving:request_count{model_name="iris",status="INTERNAL"}': 1,
        ':tensorflow:serving:request_latency_count{model_name="iris"}': 4,
        ':tensorflow:serving:request_latency_sum{model_name="iris"}': 2e6,
    },
    'torchserve': {'ts_inference_requests_total{model_name="iris"}': 4, 'Requests5XX{Level="Host"}': 1},
    'vllm': {
        'vllm:request_success_total{model_name="iris"}': 4,
        'http_requests_total{job="kubeflow/vllm",handler="/v1/completions",method="POST",status="5xx"}': 1,
    },
    'queue-proxy-opencensus': {
        'revision_app_request_count{response_code_class="2xx"}': 3,
        'revision_app_request_count{response_code_class="5xx"}': 1,
        'revision_app_request_latencies_count{response_code_class="2xx"}': 4,
        'revision_app_request_latencies_sum{response_code_class="2xx"}': 2e3,
    },
    'queue-proxy-otel': {
        OTEL.format('count', 'http_response_status_code="200"'): 3,
        OTEL.format('count', 'http_response_status_code="503"'): 1,
        OTEL.format('sum', 'http_response_status_code="200"'): 2,
    },
    # The sidecar counts, and the model server says how long it takes.
    'both': {
        OTEL.format('count', 'http_response_status_code="200"'): 3,
        OTEL.format('count', 'http_response_status_code="503"'): 1,
        OTEL.format('sum', 'http_response_status_code="200"'): 40,
        'request_predict_seconds_count{model_name="iris"}': 4,
        'request_predict_seconds_sum{model_name="iris"}': 2,
    },
}
WITHOUT_ERRORS = {'kserve-server'}
WITHOUT_SECONDS = {'triton', 'torchserve', 'vllm'}
WITHOUT_MODEL = {'queue-proxy-opencensus', 'queue-proxy-otel'}


def test_an_inference_is_one_whoever_counts_it(promtool):
    def recorded(name, servers, value, **labels):
        models = {server: {} if server in WITHOUT_MODEL or labels else {'model_name': 'iris'} for server in servers}
        return Question(
            name,
            20,
            {text({'__name__': name, 'namespace': each, **models[each], **labels}): value for each in servers},
        )

    stored = {}
    for server, rates in SERVED.items():
        for series, rate in rates.items():
            ((name, labels),) = selectors(series)
            target = {'__name__': name, 'namespace': server, 'pod': 'predictor'}
            stored[frozenset({**target, **labels}.items())] = [float(rate * minute) for minute in range(21)]
    timed = SERVED.keys() - WITHOUT_SECONDS
    questions = [
        recorded('namespace_pod:kserve_inferences:increase15m', SERVED, 60, pod='predictor'),
        recorded(
            'namespace_pod:kserve_inference_errors:increase15m', SERVED.keys() - WITHOUT_ERRORS, 15, pod='predictor'
        ),
        recorded('namespace_model_name:kserve_inference_seconds_count:increase15m', timed, 60),
        recorded('namespace_model_name:kserve_inference_seconds_sum:increase15m', timed, 30),
    ]
    assert promtool.faults(stored, questions) == ''
