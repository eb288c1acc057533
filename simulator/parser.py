# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The reading of a command line, for this program and those beside it."""

import argparse
from reprlib import repr as shortened

BAD_USAGE = 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, where argparse puts the usage before it; the exit status is `BAD_USAGE`."""

    def error(self, message: str) -> None:
        self.exit(BAD_USAGE, f'{self.prog}: {message}\n')


def whole(text: str) -> int:
    """A whole number, as the type of an argument."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{shortened(text)} is no whole number') from None


def above_zero(text: str) -> int:
    """A whole number above 0, as the type of an argument."""
    try:
        number = int(text) if text.isascii() and text.isdigit() else 0
    except ValueError:
        # Python reads no number of thousands of digits.
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f'{shortened(text)} is no whole number above 0')
    return number
