# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Files that others replace while the Agent runs."""

from __future__ import annotations

import os

from datadog_checks.base import ConfigurationError


class Watched:
    """Tells whether a file is another one or has been written; one `stat` each time."""

    def __init__(self, path: str):
        self.path = path
        self._seen: tuple[int, ...] | None = None

    def has_changed(self) -> bool:
        """Since this was asked last; the first time, and while it cannot be looked at, too.

        To be asked before the file is read: then what changes it meanwhile is noticed the next time.
        """
        try:
            # Through links: Kubernetes replaces the link to the directory of a projected volume.
            found = os.stat(self.path)
        except OSError:
            self._seen = None
            return True
        seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    def forget(self) -> None:
        """Take it for changed the next time."""
        self._seen = None


def unusable(path: str, option: str, endpoint: str, problem: str | OSError) -> ConfigurationError:
    """The error, one sentence, to raise for a file that an option of the instance for `endpoint` names.

    `problem` ends a sentence whose subject is the file, or is what came of reading it.
    """
    if isinstance(problem, FileNotFoundError):
        return ConfigurationError(
            f'The file {path} that an option of the instance names is not there: look at `{option}`, its path is one '
            f'in the container of the Agent that scrapes {endpoint}'
        )
    if isinstance(problem, OSError):
        problem = f'cannot be read ({problem.strerror}): let the user that the Agent runs as read it'
    return ConfigurationError(f'The file {path} of `{option}`, for {endpoint}, {problem}')
