# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from simulator import components
from simulator.components.component import Component

from ..exposition import Exposition
from ..payloads import read

NOW = 1_795_000_000
PAYLOADS, FOREIGN = read()


@pytest.mark.parametrize('payload', PAYLOADS.values(), ids=str)
def test_a_payload_is_of_a_component_of_the_simulator_and_its_floor_is_below_its_target(payload):
    assert issubclass(getattr(components, payload.component), Component)
    for bound in filter(None, (payload.stock, payload.than_prometheus)):
        assert 0 < bound.floor < bound.target
    assert bool(payload.than_prometheus) == payload.prometheus


@pytest.mark.parametrize(
    'name, sizes',
    [('foreign', [1000, 10_000, 100_000, 1_000_000]), ('namespaces', [10, 100, 1000]), ('models', [5, 50, 500])],
)
def test_a_payload_in_its_sizes_has_one_of_them_and_is_else_the_same(name, sizes):
    payload = PAYLOADS[name]
    field = next(iter(payload.grows))

    assert list(payload.sizes()) == sizes
    assert payload.sizes()[getattr(payload, field)] == payload
    assert [getattr(each, field) for each in payload.sizes().values()] == sizes


@pytest.mark.parametrize('name, lines', [('katib', 878), ('queue-proxy', 712), ('kserve', 196)])
def test_a_payload_begins_with_so_many_lines(name, lines):
    assert Exposition(PAYLOADS[name], FOREIGN, NOW).scrape().count(b'\n') == lines
