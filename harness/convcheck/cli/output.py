"""What is printed: every text goes through here, so that a terminal obeys nothing that a candidate or a file says.

With ``--json`` a command prints one object on standard output and nothing else; `kind` says what it is, and `schema` is
raised when a reader of the old keys would misread the new ones.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Final, TextIO

import typer

from convcheck.report.tables import printable

SCHEMA: Final = 1

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on standard output, and nothing else there")]


def say(text: str) -> None:
    """Print a result."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Print an error, or what is no result."""
    with suppress(OSError):  # whoever closed it wants none
        _write(sys.stderr, text)


def say_json(kind: str, found: Any) -> None:
    """Print a result for machines: in ASCII, so that no character of it is lost on the way.

    Args:
        kind: what it is; by it and the schema a reader knows the keys.
        found: a dataclass or a mapping.
    """
    say(as_json_text(kind, found))


def as_json_text(kind: str, found: Any) -> str:
    """What `say_json` prints."""
    return json.dumps({"kind": kind, "schema": SCHEMA, **plain(found)}, indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """A value as JSON has it: a number that JSON has not is its name, and anything else that is new to it its text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _write(stream: TextIO, text: str) -> None:
    shown = printable(f"{text}\n")
    encoding = stream.encoding or "utf-8"
    stream.write(shown.encode(encoding, errors="replace").decode(encoding))
    stream.flush()
