# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from ..capacity import Capacity, capacity


@pytest.mark.parametrize(
    'seconds, expected',
    [
        # A run of 20 ms: 750 of them are 15 seconds, and one of the four runners does 214 in that time.
        (0.02, Capacity(share=187, core=750, runners=857)),
        # Where runs wait less than they work, the runners are not what bounds.
        (0.45, Capacity(share=8, core=33, runners=120)),
        (20, Capacity(share=0, core=0, runners=2)),
    ],
)
def test_an_agent_carries_as_many_endpoints_as_their_runs_fit_into_an_interval(seconds, expected):
    assert capacity(seconds) == expected
