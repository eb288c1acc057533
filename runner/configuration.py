# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What to run: instances of the check and where each came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .redaction import redacted


class ConfigurationError(Exception):
    """A configuration that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Instance:
    """One instance of the check: its configuration, the Agent's name for where it came from, and a heading."""

    source: str
    heading: str
    options: dict[str, Any]
    init_config: dict[str, Any] = field(default_factory=dict)


def from_url(url: str) -> Instance:
    """The instance of one endpoint of the command line, without further options."""
    place = redacted(url)
    return Instance(f'command line:{place}', place, {'openmetrics_endpoint': url})


def from_file(path: Path) -> list[Instance]:
    """The instances of a conf.yaml as the Agent takes it; keys other than `init_config` and `instances` are ignored.

    Raises `ConfigurationError` for a file that the Agent would not take either.
    """
    data = _load(path)
    if not isinstance(data, dict) or 'instances' not in data:
        raise ConfigurationError(f'{path}: there is no `instances` section')
    instances = data['instances']
    if not isinstance(instances, list) or not instances:
        raise ConfigurationError(f'{path}: `instances` is not a list of at least one instance')
    init_config = data.get('init_config') or {}
    if not isinstance(init_config, dict):
        raise ConfigurationError(f'{path}: `init_config` is not a mapping')
    return [_instance(path, index, options, init_config) for index, options in enumerate(instances)]


def _load(path: Path) -> Any:
    try:
        text = path.read_text(encoding='utf-8')
    except OSError as error:
        raise ConfigurationError(f'{path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise ConfigurationError(f'{path}: not UTF-8 text') from None
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f':{mark.line + 1}' if mark else ''
        raise ConfigurationError(f'{path}{line}: not YAML: {error.problem or error.context}') from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f'{path}: not YAML: {str(error).splitlines()[0]}') from None


def _instance(path: Path, index: int, options: Any, init_config: dict[str, Any]) -> Instance:
    if not isinstance(options, dict):
        raise ConfigurationError(f'{path}: entry {index + 1} of `instances` is not a mapping')
    endpoint = options.get('openmetrics_endpoint')
    heading = redacted(endpoint) if isinstance(endpoint, str) and endpoint else f'instance {index + 1}'
    return Instance(f'file:{path}[{index}]', heading, options, init_config)


def distinct(instances: Sequence[Instance]) -> list[Instance]:
    """The instances without repetitions: the Agent schedules equal ones once."""
    kept: list[Instance] = []
    for instance in instances:
        if all((instance.options, instance.init_config) != (each.options, each.init_config) for each in kept):
            kept.append(instance)
    return kept
