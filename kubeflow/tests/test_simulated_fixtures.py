# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The fixtures that the simulator gives: all forms it has are there, and what is submitted for them has happened."""

import re
from collections import Counter

import pytest

from simulator.events import Inference, NotebookAttempt
from simulator.releases import RELEASES, deployments
from simulator.workloads import busy_world
from simulator.world import PhaseChange

from .common import Run, exposition, instance_of
from .fixtures import simulated


def test_every_form_of_exposition_that_the_simulator_has_is_in_a_fixture():
    """Releases whose expositions have the same families, labels and bounds need one fixture together."""
    deployed = {(each.component, each.release) for kubeflow in (None, *RELEASES) for each in deployments(kubeflow)}
    shown = {(kind, release) for cluster in simulated.CLUSTERS for _, kind, release, _ in simulated.processes(cluster)}
    world = busy_world(namespaces=2)
    made = {(kind, release): kind(world, release) for kind, release in deployed | shown}
    world.step(600)

    forms = {key: form(component.payload()) for key, component in made.items()}
    assert all(forms.values())
    lacking = [made[key].title for key in deployed if forms[key] not in [forms[one] for one in shown]]
    assert not lacking, f'no fixture of fixtures/simulated.yaml is like {sorted(lacking)}'


def form(text: str) -> set[tuple]:
    """The types of an exposition, and the names of its samples with their labels' names and the bounds of buckets."""
    samples = {
        (name, tuple(re.findall(r'(\w+)="', labels)), *re.findall(r'\ble="(.*?)"', labels))
        for name, labels in re.findall(r'^(\w+)(?:\{(.*)\})? \S+$', text, re.MULTILINE)
    }
    return samples | set(re.findall(r'^# TYPE (\S+) (\S+)$', text, re.MULTILINE))


class Truth:
    """What happened in a simulated cluster, told by its world and by no component, until it was scraped."""

    def __init__(self, fixture: str):
        (cluster,) = (each for each in simulated.CLUSTERS if fixture in each['fixtures'])
        self.world = simulated.world_of(cluster)
        self.entered: Counter = Counter()
        self.attempts: Counter = Counter()
        self.predictions: Counter = Counter()
        for event, handler in (
            (PhaseChange, self._on_change),
            (NotebookAttempt, self._on_attempt),
            (Inference, self._on_request),
        ):
            self.world.listen(event, handler)
        simulated.scraped(cluster, self.world)

    def _on_change(self, change: PhaseChange) -> None:
        self.entered[change.object.kind, change.phase, change.object.namespace, change.object.flavour] += 1

    def _on_attempt(self, attempt: NotebookAttempt) -> None:
        self.attempts[attempt.namespace, attempt.failed] += 1

    def _on_request(self, request: Inference) -> None:
        # KServe's model server counts what came as far as the model.
        if request.verb == 'predict' and request.status not in (404, 422):
            self.predictions[request.model] += 1

    def phases(self, kind: str, phase: str) -> Counter:
        """How often objects of a kind entered that phase, by namespace."""
        counts: Counter = Counter()
        for (entered, into, namespace, _), count in self.entered.items():
            if (entered, into) == (kind, phase):
                counts[namespace] += count
        return counts


def by_tag(run: Run, metric: str, tag: str) -> Counter:
    """The values of a metric added up by the value of one of its tags."""
    values: Counter = Counter()
    for sample in run.samples:
        if sample.name == metric:
            (value,) = (each.partition(':')[2] for each in sample.tags if each.startswith(f'{tag}:'))
            values[value] += sample.value
    return values


def submitted(run, fixture: str) -> Run:
    return run(exposition(fixture), instance_of(fixture))


@pytest.mark.parametrize('fixture', ['katib-0.17', 'katib-0.18', 'katib-0.19'])
def test_what_is_submitted_for_katib_is_what_happened(fixture, run):
    truth, one = Truth(fixture), submitted(run, fixture)

    for kind in ('experiment', 'trial'):
        for phase in ('Created', 'Failed', 'Succeeded'):
            metric = f'kubeflow.katib.{kind}.{phase.lower()}.count'
            assert by_tag(one, metric, 'namespace') == truth.phases(kind, phase) != Counter(), metric
        existing = [each for each in truth.world.objects(kind) if each.phase == 'Running']
        running = by_tag(one, f'kubeflow.katib.{kind}.running.total', 'namespace')
        assert running == Counter(each.namespace for each in existing) != Counter()


def test_a_restarted_katib_has_no_count_and_all_objects(run):
    truth, one = Truth('katib-fresh'), submitted(run, 'katib-fresh')

    for kind in ('experiment', 'trial'):
        assert not {f'kubeflow.katib.{kind}.{phase}.count' for phase in ('created', 'failed', 'succeeded')} & one.names
        running = [each for each in truth.world.objects(kind) if each.phase == 'Running']
        assert sum(by_tag(one, f'kubeflow.katib.{kind}.running.total', 'namespace').values()) == len(running) > 0


@pytest.mark.parametrize('fixture, foreign', [('training-operator-1.8', 'jax'), ('training-operator-1.9', 'mxnet')])
def test_what_is_submitted_for_the_training_operator_is_what_happened(fixture, foreign, run):
    truth, one = Truth(fixture), submitted(run, fixture)

    for phase, word in (
        ('Created', 'created'),
        ('Deleted', 'deleted'),
        ('Failed', 'failed'),
        ('Restarting', 'restarted'),
        ('Succeeded', 'succeeded'),
    ):
        expected: Counter = Counter()
        for (kind, into, _, framework), count in truth.entered.items():
            if (kind, into) == ('job', phase) and framework != foreign:
                expected[framework] += count
        assert by_tag(one, f'kubeflow.training.job.{word}.count', 'framework') == expected != Counter(), word


def test_what_is_submitted_for_notebooks_and_models_is_what_happened(run):
    truth, one = Truth('notebook-1.10'), submitted(run, 'notebook-1.10')
    attempts = Counter()
    for (namespace, _), count in truth.attempts.items():
        attempts[namespace] += count
    failures = Counter({namespace: count for (namespace, failed), count in truth.attempts.items() if failed})
    assert by_tag(one, 'kubeflow.notebook.server.created.count', 'namespace') == attempts
    assert by_tag(one, 'kubeflow.notebook.server.failed.count', 'namespace') == failures != Counter()

    truth, one = Truth('kserve-server-0.16'), submitted(run, 'kserve-server-0.16')
    inferences = by_tag(one, 'kubeflow.kserve.inferences.count', 'model_name')
    assert inferences == {model: truth.predictions[model] for model in ('sklearn-iris', 'sklearn-iris-2')}
