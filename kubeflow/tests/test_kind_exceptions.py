# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The list of what does not arrive from a cluster, held against the fixtures of the components in it."""

import csv

import pytest

from datadog_checks.kubeflow.catalogue import load_catalogue

from .common import METADATA, exposition, instance_of
from .kind.expected import BadExceptions, differences, exceptions
from .kind.plan import OPTIONS, read_plan, versions

every_version = pytest.mark.parametrize('version', versions())

# For each endpoint the fixture that stands in for it, in the releases that it stands in for: the nearest one there is.
FIXTURES = {
    'katib-controller': {'1.9': 'katib-0.17', '1.10': 'katib-0.18', '1.11': 'katib-0.19', '26.03': 'katib-0.19'},
    'training-operator': {**dict.fromkeys(versions(), 'training-operator-1.9'), '1.9': 'training-operator-1.8'},
    'notebook-controller': dict.fromkeys(versions(), 'notebook-1.10'),
    'kserve-controller': dict.fromkeys(versions(), 'kserve-controller-0.16'),
    'kserve-server': dict.fromkeys(versions(), 'kserve-server-0.16'),
    'kserve-server-knative': dict.fromkeys(versions(), 'kserve-server-0.16'),
    'queue-proxy-opencensus': dict.fromkeys(versions(), 'queue-proxy-1.18'),
    'queue-proxy-otel': dict.fromkeys(versions(), 'queue-proxy-1.21'),
    'pipelines-api-server': {**dict.fromkeys(versions(), 'pipelines-2.5'), '26.03': 'pipelines-2.16'},
    'scheduledworkflow-controller': dict.fromkeys(versions(), 'scheduledworkflow-2.16'),
    'argo-workflow-controller': {**dict.fromkeys(versions(), 'argo-3.7'), '1.9': 'argo-3.5', '1.10': 'argo-3.5'},
}


@pytest.fixture(scope='module')
def metadata():
    with METADATA.open(encoding='utf-8') as file:
        return {row['metric_name'] for row in csv.DictReader(file)}


@every_version
def test_the_exceptions_are_what_the_stand_ins_do_not_submit(version, run, metadata):
    submitted = set()
    for endpoint in read_plan('upstream', version).endpoints:
        fixture = FIXTURES[endpoint.name][version]
        submitted |= run(exposition(fixture), {**instance_of(fixture), **OPTIONS}).names

    assert differences(submitted, metadata, exceptions(metadata, version)) == []


def test_everything_that_is_documented_arrives_where_a_component_here_exposes_it(metadata):
    """Only what no component exposes at all, or none in this release, may be an exception among the 48."""
    catalogue = load_catalogue()
    excepted = {}
    for version in versions():
        components = {endpoint.component for endpoint in read_plan('upstream', version).endpoints}
        known = exceptions(metadata, version)
        for entry in catalogue.metrics:
            exposed = [one for one in entry.component_sources if one.component in components]
            if entry.documented and exposed:
                lacking = set(entry.submitted_names()) & (known.absent.keys() | known.unsure.keys())
                excepted.update(dict.fromkeys(lacking, version))

    assert excepted == {}


@every_version
def test_a_reason_says_something(version, metadata):
    known = exceptions(metadata, version)

    assert known.absent and known.unsure
    assert all(len(reason) > 20 for reason in [*known.absent.values(), *known.unsure.values()])


def test_every_difference_is_told():
    known = exceptions(
        ['a', 'b', 'c', 'd'],
        '1.9',
        [
            {'metrics': ['b'], 'reason': 'nobody exposes it'},
            {'metrics': ['c'], 'reason': 'now and then', 'sometimes': True},
            {'metrics': ['d'], 'reason': 'another release', 'releases': ['26.03']},
        ],
    )

    assert known.expected(['a', 'b', 'c', 'd']) == {'a', 'd'}
    assert differences(['a', 'd'], ['a', 'b', 'c', 'd'], known) == []
    assert differences(['a', 'c', 'd'], ['a', 'b', 'c', 'd'], known) == []
    assert differences(['b', 'd', 'e'], ['a', 'b', 'c', 'd'], known) == [
        'a did not arrive and has no exception',
        'e arrived and has no row in metadata.csv',
        'b arrived although it was not to: nobody exposes it',
    ]


@pytest.mark.parametrize(
    'entries, sentence',
    [
        ([{'metrics': ['z.*'], 'reason': 'r'}], r'z\.\* is the name of no metric'),
        ([{'metrics': ['a'], 'reason': 'r'}, {'metrics': ['*'], 'reason': 's'}], 'a has two reasons in 1.9'),
    ],
)
def test_an_exception_about_nothing_is_refused(entries, sentence):
    with pytest.raises(BadExceptions, match=sentence):
        exceptions(['a'], '1.9', entries)
