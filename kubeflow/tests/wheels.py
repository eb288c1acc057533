# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""API models that are released as Python packages, to hold objects against."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# In seconds.
DOWNLOAD_TIMEOUT = 300

# One for which every package asked for has wheels.
ANY_PYTHON = '3.11'

SCALARS = {'str': str, 'int': int, 'bool': bool, 'float': (int, float)}


def download(package: str, release: str, directory: Path) -> Path:
    """The path of the package's wheel, which is fetched into `directory`."""
    options = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check', '--dest', str(directory)]
    # The wheel is read and not run, so it does not matter whether it is for the Python that runs here.
    options += ['--python-version', ANY_PYTHON]
    command = [sys.executable, '-m', 'pip', 'download', f'{package}=={release}', *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = directory.iterdir()
    return wheel


class Models:
    """
    The API models of a wheel, read without running them.

    Models are classes with the tables of OpenAPI's generator, or classes of pydantic.

    Attributes:
        fields: for each class the type by JSON name, as OpenAPI's generator writes it: `str`, `list[X]`, `dict(str, X)`
    """

    def __init__(self, wheel: Path, directory: str):
        """`directory` is the beginning of the modules' paths in the wheel."""
        self.fields: dict[str, dict[str, str]] = {}
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(directory) and name.endswith('.py'):
                    for item in ast.parse(archive.read(name)).body:
                        if isinstance(item, ast.ClassDef) and (found := _of_tables(item) or _of_pydantic(item)):
                            self.fields[item.name] = found

    def faults(self, value: Any, kind: str, where: str) -> Iterator[str]:
        """Fields that the model does not have and scalars of another type, one sentence each."""
        if kind.startswith('list['):
            for item in value:
                yield from self.faults(item, kind[5:-1], where)
        elif kind.startswith('dict('):
            for key, item in value.items():
                yield from self.faults(item, kind[5:-1].partition(', ')[2], f'{where}.{key}')
        elif set(self.fields.get(kind, ())) == {'root'}:
            # A model of pydantic with a single value in place of fields.
            yield from self.faults(value, self.fields[kind]['root'], where)
        elif kind in self.fields:
            for key, item in value.items():
                if key not in self.fields[kind]:
                    yield f'{where}: {kind} has no {key}'
                else:
                    yield from self.faults(item, self.fields[kind][key], f'{where}.{key}')
        elif kind in SCALARS and not isinstance(value, SCALARS[kind]):
            yield f'{where} is no {kind}'


def _of_tables(item: ast.ClassDef) -> dict[str, str]:
    tables = {
        target.id: ast.literal_eval(node.value)
        for node in item.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ('openapi_types', 'attribute_map')
    }
    return {tables['attribute_map'][key]: kind for key, kind in tables.get('openapi_types', {}).items()}


def _of_pydantic(item: ast.ClassDef) -> dict[str, str]:
    fields = {}
    for node in item.body:
        if isinstance(node, ast.AnnAssign):
            aliases = [
                ast.literal_eval(each.value)
                for each in ast.walk(node.annotation)
                if isinstance(each, ast.keyword) and each.arg == 'alias'
            ]
            fields[aliases[0] if aliases else node.target.id] = _kind(node.annotation)
    return fields


def _kind(annotation: ast.expr) -> str:
    """A type of pydantic as OpenAPI's generator writes it; what has no such form, as it stands."""
    if not isinstance(annotation, ast.Subscript):
        return ast.unparse(annotation)
    outer, inner = ast.unparse(annotation.value), annotation.slice
    arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    match outer:
        case 'Optional' | 'Annotated':
            return _kind(arguments[0])
        case 'List':
            return f'list[{_kind(arguments[0])}]'
        case 'Dict':
            return f'dict({", ".join(map(_kind, arguments))})'
        case 'Literal':
            return type(ast.literal_eval(arguments[0])).__name__
    return ast.unparse(annotation)
