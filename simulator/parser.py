# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The reading of a command line, for this program and those beside it."""

import argparse

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
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number') from None


def above_zero(text: str) -> int:
    """A whole number above 0, as the type of an argument."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number above 0')
    return int(text)
