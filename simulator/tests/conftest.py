# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import warnings

import pytest
from urllib3.exceptions import InsecureRequestWarning


@pytest.fixture(autouse=True)
def unverified():
    """Certificates of the simulator are self-signed, which is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', InsecureRequestWarning)
        yield
