"""What failed in earlier runs, kept in an example database of Hypothesis: cases as tokens, histories as their lines.

Either means the same under any release of convcheck and Hypothesis, so a database can be shared between
machines. Any `hypothesis.database.ExampleDatabase` will do: a folder, a server, several of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from convcheck.judging.remembered import is_history
from convcheck.model.history import HistoryError, read_history, write
from convcheck.model.record import Finding
from convcheck.model.token import TokenError, read
from convcheck.plugin.candidate_errors import RAISED, raised
from convcheck_reference.errors import ConvcheckError

MOST_REMEMBERED: Final = 100
"""Cases and histories that are tried again: a run of few cases must not become one of many."""


class DatabaseError(ConvcheckError, ValueError):
    """A database that cannot be had."""


def open_database(text: str) -> ExampleDatabase | None:
    """The database that an option names.

    Args:
        text: empty for that of Hypothesis' current profile, by default the folder ``.hypothesis/examples``, in CI none;
            "none"; ``module:attribute`` of a database; or a folder.

    Raises:
        DatabaseError: it is none of these; the message says why.
    """
    if not text:
        database = settings().database
        return database if isinstance(database, ExampleDatabase) else None
    if text == "none":
        return None
    module, colon, attribute = text.rpartition(":")
    if colon and module.replace(".", "").isidentifier():
        try:
            found = getattr(import_module(module), attribute)
        except RAISED as error:
            raise DatabaseError(f"database {text!r}: {raised(error)}; expected module:attribute") from error
        if not isinstance(found, ExampleDatabase):
            raise DatabaseError(f"database {text!r} is a {type(found).__name__}; expected an ExampleDatabase")
        return found
    try:
        usable = "\0" not in text and (Path(text).is_dir() or not Path(text).exists())
    except OSError as error:
        raise DatabaseError(f"database {text[:300]!r}: {error}; expected a folder") from error
    if not usable:
        raise DatabaseError(f"database {text!r} is no folder; expected one, module:attribute or 'none'")
    return DirectoryBasedExampleDatabase(text)


def remembered(database: ExampleDatabase | None, backend: str, dtypes: Iterable[str] = ()) -> tuple[str, ...]:
    """The cases and histories that failed in earlier runs, in an order of their own.

    Args:
        database: None for no memory.
        backend: its name.
        dtypes: only these; empty for all.
    """
    if database is None:
        return ()
    wanted = set(dtypes)
    lines = []
    for value in database.fetch(_key(backend)):
        try:
            line = value.decode()
            steps = read_history(line) if is_history(line) else ()
            cases = [call.case for step in steps for call in step.calls] or [read(line)]
        except (TokenError, HistoryError, UnicodeDecodeError):  # of a later convcheck, which may share the database
            continue
        if not wanted or wanted.issuperset(case.dtype for case in cases):
            lines.append(write(steps) or cases[0].token)
    return tuple(sorted(set(lines))[:MOST_REMEMBERED])


def remember(database: ExampleDatabase | None, backend: str, findings: Iterable[Finding]) -> None:
    """Keep the smallest history of each finding, or the smallest and the first failing case that show it alone."""
    if database is None:
        return
    for finding in findings:
        reproduction = finding.reproduction
        kept = {reproduction.history}
        if not reproduction.history and not reproduction.setup_cases:
            kept = {reproduction.token, reproduction.first_failing_case}
        for line in kept - {""}:
            database.save(_key(backend), line.encode())


def forget(database: ExampleDatabase | None, backend: str, lines: Iterable[str]) -> None:
    """Drop cases and histories that no longer fail."""
    if database is not None:
        for line in lines:
            database.delete(_key(backend), line.encode())


def _key(backend: str) -> bytes:
    return f"convcheck {backend}".encode()
