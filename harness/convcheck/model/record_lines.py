"""The record as JSON Lines: a header, then one line for each backend, count, level, coverage and finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from convcheck.model.coverage import Coverage
from convcheck.model.levels import LevelCount
from convcheck.model.passes import PassCount
from convcheck.model.reach import ReachCount
from convcheck.model.record import BackendRecord, Count, Finding, Record
from convcheck.model.record_checks import RecordFieldError, check
from convcheck.model.schemas import adapter
from convcheck_reference.errors import ConvcheckError

SCHEMA: Final = 3
"""Version of the lines; raised when a reader of the old lines would misread the new ones."""

_KINDS: Final[dict[str, tuple[str, type[Any]]]] = {
    "backend": ("backends", BackendRecord),
    "count": ("counts", Count),
    "level": ("levels", LevelCount),
    "pass": ("passes", PassCount),
    "coverage": ("coverage", Coverage),
    "finding": ("findings", Finding),
    "reach": ("reached", ReachCount),
}
"""By the kind of a line, the field of the record that it belongs to, and what it holds."""

_HEADER: Final = "campaign"
_PARTS: Final = tuple(field for field, _ in _KINDS.values())


class RecordError(ConvcheckError, ValueError):
    """A file that is not a record of a campaign."""


def to_lines(record: Record) -> Iterator[str]:
    """The lines of a record."""
    header = {name: value for name, value in asdict(record).items() if name not in _PARTS}
    yield json.dumps({"kind": _HEADER, "schema": SCHEMA, **header}, ensure_ascii=False)
    for kind, (field, _) in _KINDS.items():
        for item in getattr(record, field):
            yield json.dumps({"kind": kind, **asdict(item)}, ensure_ascii=False)


def from_lines(lines: Iterable[str]) -> Record:
    """The record that `to_lines` wrote.

    Raises:
        RecordError: the lines are no record, or of another schema; the message names line and field.
    """
    parts: dict[str, list[Any]] = {field: [] for field in _PARTS}
    lines_of: dict[str, int] = {}  # of the first finding of a backend
    header: tuple[int, dict[str, Any]] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        entry = object_of(number, line)
        kind = str(entry.pop("kind", None))
        if kind == _HEADER:
            schema = entry.pop("schema", None)
            if schema != SCHEMA:
                raise RecordError(f"line {number}: schema {schema}; this convcheck reads schema {SCHEMA}")
            if header is not None:
                raise RecordError(f"line {number}: a second campaign; expected the lines of one")
            header = number, entry
        elif kind in _KINDS:
            item = validated(number, entry, _KINDS[kind][1])
            parts[_KINDS[kind][0]].append(item)
            lines_of.setdefault(item.backend if isinstance(item, Finding) else "", number)
        else:
            raise RecordError(f"line {number}: kind {kind}; expected one of {', '.join((_HEADER, *_KINDS))}")
    if header is None:
        raise RecordError("the campaign's header line is missing; is this a findings.jsonl?")
    number, entry = header
    _check_backends(lines_of, parts["backends"])
    misplaced = entry.keys() & set(_PARTS)
    if misplaced:
        raise RecordError(f"line {number}: field {min(misplaced)}: expected on lines of its own")
    record: Record = validated(number, {**entry, **dict.fromkeys(_PARTS, ())}, Record)
    return Record(**{**vars(record), **{field: tuple(found) for field, found in parts.items()}})


def _check_backends(lines_of: Mapping[str, int], backends: Iterable[BackendRecord]) -> None:
    unknown = lines_of.keys() - {"", *(backend.name for backend in backends)}
    for name in unknown:
        raise RecordError(f"line {lines_of[name]}: field backend: {name!r} has no line of its own")


def object_of(number: int, line: str) -> dict[str, Any]:
    """The JSON object that a line holds.

    Raises:
        RecordError: it holds none.
    """
    try:
        entry = json.loads(line, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"line {number} is no JSON: {error}; expected a line of a campaign's record") from error
    if not isinstance(entry, dict):
        raise RecordError(f"line {number} holds a {type(entry).__name__}; expected an object with a kind")
    return entry


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{twice!r} stands twice")
    return found


def validated(number: int, entry: dict[str, Any], of_type: type[Any]) -> Any:
    """The entry of a line as the dataclass that it should hold, every field and every field of a field looked at.

    Raises:
        RecordError: it is none; the message names line and field.
    """
    from pydantic import ValidationError  # noqa: PLC0415  (it takes long to import, and few processes read records)

    try:
        # as JSON, in which lists are tuples and texts are statuses; numbers are never texts
        item = adapter(of_type, strict=True).validate_json(json.dumps([entry]))[0]
        check(item)
    except RecordFieldError as error:
        raise RecordError(f"line {number}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:]))
        raise RecordError(f"line {number}: field {where}: {first['msg']}") from error
    return item
