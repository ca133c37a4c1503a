"""``[tool.convcheck]`` in a pyproject.toml: defaults of the commands and of the pytest options, strictly checked.

[tool.convcheck]
backends = ["src/my_kernel.py:my_conv"]   # paths are relative to the folder of the file
examples = 300
known-failures = "known_failures.toml"
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from convcheck.model.text_file import text_of
from convcheck_reference.errors import ConvcheckError

FILE: Final = "pyproject.toml"
TABLE: Final = "tool.convcheck"

_PATHS: Final = ("known-failures", "report-dir")


class SettingsError(ConvcheckError, ValueError):
    """A ``[tool.convcheck]`` that cannot be used."""


def settings_above(folder: Path) -> dict[str, Any]:
    """What the nearest pyproject.toml says, of this folder or one above it; empty where it says nothing.

    Raises:
        SettingsError: see `settings_of`.
    """
    inside = folder.resolve()
    file = next((each / FILE for each in (inside, *inside.parents) if (each / FILE).is_file()), None)
    return {} if file is None else settings_of(file)


def settings_of(file: Path) -> dict[str, Any]:
    """What the table of a file says, by key; paths as the current folder has them. Empty for no such table.

    Raises:
        SettingsError: the file cannot be read, or the table says what nobody understands; the message names the file,
            the line, the key and what was expected.
    """
    try:
        text = text_of(file)
        found = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:  # of TOML, of UTF-8 and of numbers
        raise SettingsError(f"{str(file)[:300]}: {error}; expected TOML with [{TABLE}]") from error
    tool = found.get("tool", {})
    table = tool.get("convcheck", {}) if isinstance(tool, dict) else {}
    return _with_paths(file.parent, _validated(file, text, table)) if table else {}


def _validated(file: Path, text: str, table: Any) -> dict[str, Any]:
    from pydantic import ValidationError  # noqa: PLC0415  (it takes long to import, and few projects have the table)

    from convcheck.model.settings_schema import SettingsSchema  # noqa: PLC0415

    try:
        # as JSON, in which texts are levels; a date, which JSON has not, is no value of any key
        schema = SettingsSchema.model_validate_json(json.dumps(table, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        names = [field.alias or name for name, field in SettingsSchema.model_fields.items()]
        raise SettingsError(_complaint(file, text, first, names)) from error
    return schema.model_dump(mode="json", by_alias=True, exclude_none=True)


def _complaint(file: Path, text: str, found: Mapping[str, Any], names: list[str]) -> str:
    key, *inside = map(str, found["loc"] or ("",))
    line = _line(text, key)
    where = f"{file}{f', line {line}' if line else ''}: [{TABLE}]"
    if found["type"] == "extra_forbidden":
        near = get_close_matches(key, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected some of {', '.join(names)}"
        return f"{where} has an unknown key {key!r}; {hint}"
    if not key:
        return f"{where}: {found['msg']}; expected a table"
    at = f"{key}[{inside[0]}]" if inside else key
    said = str(found["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{where}: {at} = {repr(found['input'])[:100]}; {said[:1].lower()}{said[1:]}"


def _line(text: str, key: str) -> int:
    """The line of a key in the table; 0 where it is written in another way."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^]]*)\]\s*(#.*)?$", line):
            inside = header[1].replace(" ", "") == TABLE
        elif inside and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return 0


def _with_paths(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """The same as whoever stands in the current folder would type it."""
    for key in _PATHS:
        if key in found:
            found[key] = _from_here(folder, found[key])
    if "backends" in found:
        found["backends"] = [_backend(folder, spec) for spec in found["backends"]]
    return found


def _backend(folder: Path, spec: str) -> str:
    location, colon, name = spec.rpartition(":")
    return f"{_from_here(folder, location)}:{name}" if colon and location.endswith(".py") else spec


def _from_here(folder: Path, path: str) -> str:
    return path if Path(path).is_absolute() else os.path.relpath(folder / path)
