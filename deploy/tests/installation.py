# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Stand-ins for the manifests of a Kubeflow release, and a user's kustomization that adds pieces to them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .kustomize import identity, render

PIECES = Path(__file__).parents[1] / 'kustomize'
STANDINS = Path(__file__).parent / 'standins'
SETTINGS = yaml.safe_load((PIECES / 'settings.yaml').read_text())

PART_OF = {'app.kubernetes.io/part-of': 'datadog-kubeflow'}
CHECKS = re.compile(r'ad\.datadoghq\.com/(.+)\.checks')


def standins(release: str) -> list[dict[str, Any]]:
    """The objects of a release, without those that come with an overlay of the user's choice."""
    names = yaml.safe_load((STANDINS / 'releases.yaml').read_text())[release]
    return [content for name in names for content in standin(name)]


def standin(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((STANDINS / f'{name}.yaml').read_text()))


def installed(
    command: tuple[str, ...],
    directory: Path,
    objects: Iterable[Mapping[str, Any]],
    pieces: Iterable[str],
    settings: Mapping[str, Any] | None = SETTINGS,
    **more: Any,
) -> list[dict[str, Any]]:
    """
    What a kustomization renders that installs `objects` and adds `pieces` of deploy/kustomize.

    Args:
        directory: where it is written
        settings: the user's, None for none
        more: further fields of the kustomization

    Raises:
        RenderError: kustomize refuses
    """
    directory = directory.resolve()
    files = {'manifests.yaml': objects, 'settings.yaml': [settings] if settings else []}
    for name, contents in files.items():
        (directory / name).write_text(yaml.safe_dump_all(contents))
    kustomization = {
        'resources': [name for name, contents in files.items() if contents],
        'components': [os.path.relpath(PIECES / piece, directory) for piece in pieces],
        **more,
    }
    (directory / 'kustomization.yaml').write_text(yaml.safe_dump(kustomization))
    return render(command, directory)


def by_identity(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Objects by kind, namespace and name."""
    return {identity(content): content for content in objects}


def added(objects: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The objects of a kind that the pieces bring."""
    return [
        content
        for content in objects
        if content['kind'] == kind and PART_OF.items() <= content['metadata'].get('labels', {}).items()
    ]


@dataclass(frozen=True)
class Pod:
    """What a Deployment makes, or a predictor that KServe makes with a runtime, as far as its manifest says."""

    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    containers: tuple[Mapping[str, Any], ...]

    @property
    def instances(self) -> dict[str, list[dict[str, Any]]]:
        """The instances of the check by container."""
        found = {}
        for key, text in self.annotations.items():
            if match := CHECKS.fullmatch(key):
                found[match[1]] = json.loads(text)['kubeflow']['instances']
        return found

    @property
    def images(self) -> dict[str, str]:
        """Short names of the images by container."""
        return {each['name']: re.sub(r'[:@].*', '', each['image'].rpartition('/')[2]) for each in self.containers}

    def selected(self, policy: Mapping[str, Any]) -> bool:
        """Whether a NetworkPolicy or an AuthorizationPolicy is about this pod."""
        spec = policy['spec']
        selector = (spec['podSelector'] if policy['kind'] == 'NetworkPolicy' else spec['selector'])['matchLabels']
        return policy['metadata']['namespace'] == self.namespace and selector.items() <= self.labels.items()


def pods(objects: Iterable[Mapping[str, Any]]) -> Iterator[Pod]:
    for content in objects:
        metadata, spec = content['metadata'], content.get('spec')
        if content['kind'] == 'Deployment':
            template, pod = spec['template']['metadata'], spec['template']['spec']
            labels, annotations = template['labels'], template.get('annotations', {})
        elif content['kind'] == 'ClusterServingRuntime':
            pod, labels, annotations = spec, {'component': 'predictor'}, spec.get('annotations', {})
        else:
            continue
        yield Pod(
            content['kind'],
            metadata['name'],
            metadata.get('namespace', ''),
            labels,
            annotations,
            tuple(pod['containers']),
        )
