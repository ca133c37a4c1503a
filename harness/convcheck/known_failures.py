"""Known failures: a TOML file of discrepancies that a backend's author knows of, strictly checked.

[[known]]
clause = "C2D-MODE-4"        # or token = "v1,…", the witness case
reason = "wraps around twice"
link = "…"                   # optional
dtype = "float16"            # optional
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from convcheck.record import Count, Finding
from convcheck.token import TokenError, read
from convcheck.verdicts import FAILURES, JUDGED, Status
from convcheck_reference.clauses import CLAUSES
from convcheck_reference.errors import ConvcheckError

_KEYS: Final = {"clause", "token", "reason", "link", "dtype"}


class KnownFailuresError(ConvcheckError, ValueError):
    """A file of known failures that cannot be read."""


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One entry: what fails (a clause, or a case by its token), and why that is known."""

    backend: str
    reason: str
    clause: str = ""
    token: str = ""
    link: str = ""
    dtype: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is the one that this entry knows."""
        named = not self.clause or self.clause == finding.clause
        pinned = not self.token or self.token in (finding.token, finding.found_as)
        return named and pinned and (not self.dtype or finding.dtypes == (self.dtype,))

    def __str__(self) -> str:
        return f"{self.reason} ({self.link})" if self.link else self.reason


def load_known_failures(path: Path, backends: Sequence[str]) -> tuple[KnownFailure, ...]:
    """The entries for `backends`: of a file for all of them, or of a folder's ``<backend>.toml`` each.

    Raises:
        KnownFailuresError: the message names the file, the entry and what is wrong.
    """
    if path.is_dir():
        files = [(b, path / f"{b}.toml") for b in backends if (path / f"{b}.toml").is_file()]
        return tuple(entry for backend, file in files for entry in _load(file, backend))
    return _load(path, "")


def apply_known_failures(
    counts: Sequence[Count], findings: Sequence[Finding], entries: Sequence[KnownFailure], backend: str
) -> tuple[tuple[Count, ...], tuple[Finding, ...]]:
    """Findings that an entry covers become known failures; an entry whose clause passed is a finding itself."""
    changed: list[Finding] = []
    for finding in findings:
        entry = next((e for e in entries if e.covers(finding)), None)
        known = finding if entry is None else replace(finding, status=Status.KNOWN_FAILURE, known=str(entry))
        changed.append(known)
    clauses = {f.clause for f in changed if f.status is Status.KNOWN_FAILURE}
    relabelled = tuple(
        replace(c, status=Status.KNOWN_FAILURE) if c.status in FAILURES and c.clause in clauses else c for c in counts
    )
    for entry in entries:
        if any(entry.covers(f) for f in findings):
            continue
        clause = entry.clause or "C2D-ERROR-13"
        judged = any(c.clause == clause and c.status in JUDGED for c in counts)
        if judged and not entry.token:
            changed.append(_unexpected_pass(entry, clause, backend))
    return relabelled, tuple(changed)


def _unexpected_pass(entry: KnownFailure, clause: str, backend: str) -> Finding:
    return Finding(
        backend=backend,
        clause=clause,
        clauses=(clause,),
        oracle="known failures",
        quantity="call",
        status=Status.UNEXPECTED_PASS,
        token="",
        found_as="",
        reason=f"listed as a known failure ({entry}), but it passes now: remove the entry",
    )


def _load(file: Path, backend: str) -> tuple[KnownFailure, ...]:
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("known", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise KnownFailuresError(f"{file}: {error}") from error
    if not isinstance(entries, list):
        raise KnownFailuresError(f"{file}: known is no array of tables; write [[known]] above each entry")
    return tuple(_entry(file, number, entry, backend) for number, entry in enumerate(entries, 1))


def _entry(file: Path, number: int, entry: dict[str, str], backend: str) -> KnownFailure:
    where = f"{file}, entry {number}"
    if unknown := set(entry) - _KEYS:
        raise KnownFailuresError(f"{where}: unknown key {min(unknown)!r}; expected {', '.join(sorted(_KEYS))}")
    if not entry.get("reason"):
        raise KnownFailuresError(f"{where} has no reason; say why the failure is accepted")
    if not (entry.get("clause") or entry.get("token")):
        raise KnownFailuresError(f"{where} names neither a clause nor a token")
    ids = [clause.id for clause in CLAUSES]
    if entry.get("clause") and entry["clause"] not in ids:
        near = get_close_matches(entry["clause"], ids, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise KnownFailuresError(f"{where}: no clause {entry['clause']!r}{hint}")
    try:
        token = read(entry["token"]).token if entry.get("token") else ""
    except TokenError as error:
        raise KnownFailuresError(f"{where}: {error}") from error
    return KnownFailure(backend, **{**entry, "token": token})
