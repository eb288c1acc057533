# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What is asked of an endpoint and what it answers, up to bytes that may be an exposition."""
