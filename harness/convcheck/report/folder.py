"""Where a report goes: a folder of its own within another, and no way out of that."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final

from convcheck_reference.errors import ConvcheckError

LONGEST: Final = 255
"""Bytes of a file's name, on every file system in use."""

_UNUSUAL: Final = re.compile(r"[/\\:*?\"<>|]")
"""What separates folders, or is in no name on some system."""


class ReportFolderError(ConvcheckError, ValueError):
    """A folder that a report cannot be written to."""


def folder_of(within: Path, name: str) -> Path:
    """The folder of a run.

    Args:
        within: the folder of all reports.
        name: of the run.

    Raises:
        ReportFolderError: the name is none of a folder; the message says what of it.
    """
    if reason := _unusable(name):
        raise ReportFolderError(f"the name {name[:100]!r} {reason}; expected that of a folder, such as 'nightly-3'")
    return within / name


def _unusable(name: str) -> str:
    """Why a folder cannot be called so; empty if it can."""
    if not name.strip(" ."):
        return "is none"
    if name != name.strip() or name.endswith("."):
        return "begins with a space, or ends with one or with a dot"
    if found := _UNUSUAL.search(name):
        return f"has a {found[0]!r} in it"
    if not name.isprintable():
        return "has characters in it that cannot be shown"
    if len(name.encode()) > LONGEST:
        return f"takes {len(name.encode())} bytes, and at most {LONGEST} are possible"
    return ""


def check_writable(folder: Path) -> None:
    """Make the folder, and refuse it if no file can be made there.

    Raises:
        ReportFolderError: the message says why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\n")
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        raise ReportFolderError(
            f"no report can be written to {str(folder)[:300]!r}: {error}; name another folder"
        ) from error
