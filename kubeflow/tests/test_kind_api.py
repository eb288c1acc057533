# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The workloads for the clusters against the API models that Katib, the training operator, KServe and Pipelines release
as Python packages, in the very releases that are pinned."""

import json
import subprocess
import sys

import pytest

from .kind.objects import manifests
from .kind.plan import HERE, read_plan, versions
from .wheels import Models, download

pytestmark = pytest.mark.slow

# Kind -> the package with its model, the pin that is the package's version, the module and class of the model.
MODELS = {
    'Experiment': ('kubeflow-katib', 'katib', 'kubeflow/katib/models', 'V1beta1Experiment'),
    'PyTorchJob': ('kubeflow-training', 'training-operator', 'kubeflow/training/models', 'KubeflowOrgV1PyTorchJob'),
    'InferenceService': ('kserve', 'kserve', 'kserve/models', 'V1beta1InferenceService'),
}
# The specification has versions of its own. The second package is one that it needs and does not ask for.
PIPELINE_SPEC = ('kfp-pipeline-spec==2.17.3', 'googleapis-common-protos')
PARSE = '''
import json, sys
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

for spec in json.load(sys.stdin):
    parsed = json_format.ParseDict(spec, PipelineSpec())
    (task,) = parsed.root.dag.tasks.values()
    component = parsed.components[task.component_ref.name]
    executors = json_format.MessageToDict(parsed.deployment_spec)['executors']
    print(parsed.pipeline_info.name, executors[component.executor_label]['container']['image'])
'''


@pytest.mark.parametrize('kind', MODELS)
def test_workloads_have_only_fields_of_the_pinned_releases(kind, tmp_path):
    package, pin, directory, model = MODELS[kind]
    objects = [content for _, content in manifests() if content['kind'] == kind]
    assert objects

    for release in sorted({read_plan('upstream', version).pins[pin].removeprefix('v') for version in versions()}):
        models = Models(download(package, release, tmp_path / release), directory)
        for content in objects:
            assert list(models.faults(content, model, f'{kind} {release}')) == []
        # It would be noticed.
        wrong = {**objects[0], 'spec': {**objects[0]['spec'], 'nonsense': 1}}
        (fault,) = models.faults(wrong, model, 'it')
        assert fault.startswith('it.spec: ') and fault.endswith(' has no nonsense')


def test_the_schemas_say_which_releases_they_are_of():
    for kind, (package, pin, *_) in MODELS.items():
        text = (HERE / 'schemas' / f'{kind}.yaml').read_text()
        pins = [read_plan('upstream', version).pins[pin].removeprefix('v') for version in versions()]
        assert package in text and pins[0] in text and pins[-1] in text


def test_pipelines_are_specifications_that_the_sdk_s_message_takes(tmp_path):
    runs = [content for _, content in manifests() if content['metadata']['name'] == 'runs' and 'data' in content]
    specs = [json.loads(body)['pipeline_spec'] for body in runs[0]['data'].values()]
    subprocess.run([sys.executable, '-m', 'venv', str(tmp_path)], check=True, timeout=120)
    python = str(tmp_path / 'bin' / 'python')
    install = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', *PIPELINE_SPEC]
    subprocess.run(install, check=True, timeout=300)

    def parsed(specs):
        return subprocess.run(
            [python, '-c', PARSE], input=json.dumps(specs), capture_output=True, text=True, timeout=60, check=False
        )

    answer = parsed(specs)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == [
        'e2e-succeeding busybox:1.37.0',
        'e2e-failing busybox:1.37.0',
        'e2e-recurring busybox:1.37.0',
    ]
    assert 'has no field named "nonsense"' in parsed([{**specs[0], 'nonsense': 1}]).stderr
