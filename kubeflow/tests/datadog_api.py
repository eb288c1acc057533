# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What Datadog's API would not know in a dashboard or a monitor, by the models of its own client."""

from collections.abc import Iterator
from typing import Any

import pytest


def strangers(content: dict[str, Any], kind: str) -> list[str]:
    """The places of unknown keys and of values that are not allowed. `kind` is `dashboard` or `monitor`."""
    pytest.importorskip('datadog_api_client', reason='the models of the API are in datadog-api-client')
    from datadog_api_client.configuration import Configuration
    from datadog_api_client.model_utils import validate_and_convert_types
    from datadog_api_client.v1.model.dashboard import Dashboard
    from datadog_api_client.v1.model.monitor import Monitor

    model = {'dashboard': Dashboard, 'monitor': Monitor}[kind]
    return list(_strangers(validate_and_convert_types(content, (model,), [kind], True, True, Configuration()), kind))


def _strangers(value: Any, place: str) -> Iterator[str]:
    from datadog_api_client.model_utils import ModelNormal, UnparsedObject

    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _strangers(each, f'{place}[{position}]')
    elif isinstance(value, UnparsedObject):
        yield place
    elif composed := getattr(value, '_composed_instances', None):
        # Where the API takes one of several models: the one that fits.
        for each in composed:
            yield from _strangers(each, place)
    elif isinstance(value, ModelNormal):
        for key, each in value._data_store.items():
            if key in value.attribute_map:
                yield from _strangers(each, f'{place}.{key}')
            elif key != '_unparsed':
                yield f'{place}.{key}'
    elif getattr(value, '_unparsed', False):
        yield place
