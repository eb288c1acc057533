# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The dashboard and the monitors of the check, on what it submits from the simulator."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from ..dashboard import read_dashboard
from ..monitors import MONITORS, fired, read_monitors
from ..panels import panels
from ..recording import Incident, Plan
from ..states import State

KUBEFLOW = '26.03'
QUIET = 20


@dataclass(frozen=True)
class Trial:
    """An entry of `incidents.yaml`, whose head explains the fields."""

    incident: str
    groups: list[str]
    endpoints: list[str]
    minutes: int
    afterwards: int
    kubeflow: str = KUBEFLOW
    interval: int = 60
    also: dict[str, str] = field(default_factory=dict)


TRIALS = {
    name: Trial(**entry)
    for name, entry in yaml.safe_load(Path(__file__).with_name('incidents.yaml').read_text(encoding='utf-8')).items()
}


@pytest.fixture(scope='module')
def quiet_hour(record_apart):
    return record_apart(Plan(KUBEFLOW, 60, 60))


def test_no_widget_is_empty_in_a_quiet_hour(quiet_hour):
    assert [panel.widget.title for panel in panels(read_dashboard(), quiet_hour) if panel.empty] == []


def test_no_monitor_fires_in_a_quiet_hour(quiet_hour):
    assert {monitor.name: fired(monitor.episodes(quiet_hour)) for monitor in read_monitors()} == {
        path.stem: [] for path in MONITORS.glob('*.json')
    }


def test_every_monitor_has_an_incident():
    assert sorted(TRIALS) == sorted(path.stem for path in MONITORS.glob('*.json'))


@pytest.mark.parametrize('name', TRIALS)
def test_a_monitor_fires_in_its_incident_and_recovers(record_apart, name):
    trial = TRIALS[name]
    end = QUIET + trial.minutes
    incident = Incident(trial.incident, QUIET, end)
    plan = Plan(
        trial.kubeflow, end + trial.afterwards, trial.interval, endpoints=tuple(trial.endpoints), incident=incident
    )
    recording = record_apart(plan)
    episodes = {monitor.name: monitor.episodes(recording) for monitor in read_monitors()}

    assert [each for every in episodes.values() for each in fired(every) if each.begin <= QUIET] == []
    alerts = [each for each in episodes[name] if each.state == State.ALERT]
    assert all(each.begin <= end for each in alerts)
    assert sorted(_named(each.group) for each in alerts) == sorted(trial.groups)
    assert [each for each in fired(episodes[name]) if each.end == plan.minutes] == []
    others = {other for other, every in episodes.items() if fired(every)}
    assert others - {name} == set(trial.also)


def _named(group):
    """The tags of a group without those that all have."""
    return ' '.join(tag for tag in group if not tag.startswith('kube_cluster_name:'))
