# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The objects of the manifests, and what is wrong with one by Kubernetes's schemas and by `schemas/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from .plan import HERE, MANIFESTS

# The pod in each custom resource that holds one.
PODS = {
    'PyTorchJob': lambda spec: [replica['template']['spec'] for replica in spec['pytorchReplicaSpecs'].values()],
    'Notebook': lambda spec: [spec['template']['spec']],
}
# The object in each custom resource that holds a whole one.
OBJECTS = {'Experiment': lambda spec: [spec['trialTemplate']['trialSpec']]}


def manifests() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of every manifest with its file's name."""
    for path in sorted(MANIFESTS.glob('*.yaml')):
        for content in yaml.safe_load_all(path.read_text(encoding='utf-8')):
            yield path.name, content


def faults(content: Mapping[str, Any], kubernetes: str) -> list[str]:
    """What is wrong with an object for that version of Kubernetes (`1.34`), one sentence each."""
    kind = content.get('kind', 'an object of no kind')
    path = HERE / 'schemas' / f'{kind}.yaml'
    if not path.exists():
        return _kubernetes_faults(content, kubernetes)
    found = [f'{kind}: {error.message}' for error in _validator(path).iter_errors(content)]
    if found:
        return found
    spec = content['spec']
    inner = [*OBJECTS.get(kind, lambda spec: [])(spec), *map(_as_pod, PODS.get(kind, lambda spec: [])(spec))]
    return [f'{kind}: {fault}' for each in inner for fault in _kubernetes_faults(each, kubernetes)]


def _validator(path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(yaml.safe_load(path.read_text(encoding='utf-8')))


def _kubernetes_faults(content: Mapping[str, Any], kubernetes: str) -> list[str]:
    try:
        kubernetes_validate.validate(content, kubernetes, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [str(error.message)]
    return []


def _as_pod(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'pod'}, 'spec': spec}
