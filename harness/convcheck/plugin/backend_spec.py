"""The text that names a backend, before anything is looked for."""

from __future__ import annotations

import os
from typing import Final

from convcheck.plugin.registry_errors import BackendNameError

_LONGEST: Final = 4096
"""Characters of what names a backend: those of a path."""

EXPECTED: Final = "expected an installed name, path/to/file.py:name or package.module:Name"


def check_spec(spec: str) -> None:
    """Refuse what no file or module can be called."""
    if len(spec) > _LONGEST:
        raise BackendNameError(f"a backend of {len(spec):,} characters, {spec[:40]!r}…; {EXPECTED}")
    if not spec.strip():
        raise BackendNameError(f"{spec!r} names no backend; {EXPECTED}")
    try:
        os.fsencode(spec)
    except UnicodeEncodeError as error:
        raise BackendNameError(f"{spec!r} is the name of nothing; {EXPECTED}") from error
    if "\0" in spec:
        raise BackendNameError(f"{spec!r} has a NUL in it; {EXPECTED}")
