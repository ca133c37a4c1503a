"""What is printed: every text goes through here, so that a terminal obeys nothing that a candidate or a file says."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from convcheck.report.tables import printable


def say(text: str) -> None:
    """Print a result."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Print an error."""
    with suppress(OSError):  # whoever closed it wants none
        _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    shown = printable(f"{text}\n")
    encoding = stream.encoding or "utf-8"
    stream.write(shown.encode(encoding, errors="replace").decode(encoding))
    stream.flush()
