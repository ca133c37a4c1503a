"""The text that names a backend, before anything is looked for: `onnxruntime`, `kernel.py:Mine?threads=2&baked=yes`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from convcheck.plugin.registry_errors import BackendNameError, BackendOptionError

_LONGEST: Final = 4096
"""Characters of what names a backend: those of a path."""

EXPECTED: Final = "expected an installed name, path/to/file.py:name or package.module:Name"


def check_spec(spec: str) -> None:
    """Refuse what no file or module can be called."""
    if len(spec) > _LONGEST:
        raise BackendNameError(f"a backend of {len(spec):,} characters, {spec[:40]!r}…; {EXPECTED}")
    if not parted(spec)[0].strip():
        raise BackendNameError(f"{spec!r} names no backend; {EXPECTED}")
    try:
        os.fsencode(spec)
    except UnicodeEncodeError as error:
        raise BackendNameError(f"{spec!r} is the name of nothing; {EXPECTED}") from error
    if "\0" in spec:
        raise BackendNameError(f"{spec!r} has a NUL in it; {EXPECTED}")


def parted(spec: str) -> tuple[str, str]:
    """What names a backend, and its options from the question mark on, which may be empty."""
    name, mark, options = spec.rpartition("?")
    # a folder may have a question mark in its name
    return (name, mark + options) if mark and ".py:" not in options else (spec, "")


def options_of(spec: str) -> dict[str, str]:
    """The options of a backend, as they are typed.

    Raises:
        BackendOptionError: one has no value, or is given twice.
    """
    name, options = parted(spec)
    found: dict[str, str] = {}
    for item in options[1:].split("&") if options else ():
        key, equals, value = item.partition("=")
        if not key.isidentifier() or not equals:
            raise BackendOptionError(f"{item!r} sets no option of {name}; expected {name}?option=value&option=value")
        if key in found:
            raise BackendOptionError(f"option {key!r} of {name} is given twice, in {options!r}; expected once")
        found[key] = value
    return found


def file_of(spec: str) -> Path | None:
    """The Python file that a backend lies in, as it is spelled; None where it is found another way."""
    location = parted(spec)[0].rpartition(":")[0]
    return Path(location) if location.endswith(".py") else None
