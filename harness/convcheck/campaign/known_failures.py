"""Known failures: a TOML file of discrepancies that a backend's author knows of, strictly checked.

[[known]]
clause = "C2D-GRAD-2"                  # the clause that fails
where = "dtype == 'bfloat16'"          # optional: a rule over the case (`convcheck.model.rules`)
quantity = "grad_weight"               # optional: output, grad_input, grad_weight, grad_bias, …
token = "v1,…"                         # the witness, repeated in every run; may stand without a clause
reason = "sums in bfloat16"
link = "…"                             # optional
skip = "yes"                           # optional: its cases are not put to the backend at all, as each of them hangs

Where there is a witness, it alone decides whether the entry still holds: which cases a run draws must not.
Without one, an entry for a whole clause is out of date when the clause was judged and never failed; an entry
with a rule is never held against a run, because the run may not have drawn the right case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from convcheck.execution import Candidate, PromisingCandidate
from convcheck.judging.judge import Failure, Tally, first_causes, judge_case
from convcheck.model.case import Case
from convcheck.model.history import write
from convcheck.model.levels import level_of_clause
from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction
from convcheck.model.rules import ALWAYS, Rule, RuleError, facts
from convcheck.model.token import TokenError, read
from convcheck.model.verdicts import JUDGED, Status, Verdict
from convcheck.oracles import applicable
from convcheck.oracles.levels import level_of
from convcheck_reference.clauses import CLAUSES
from convcheck_reference.errors import ConvcheckError

_KEYS: Final = ("clause", "where", "quantity", "token", "reason", "link", "skip")


class KnownFailuresError(ConvcheckError, ValueError):
    """A file of known failures that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class KnownFailure:
    """One entry: what fails, and why that is known.

    Attributes:
        backend: the backend's name; empty for every backend.
        reason: why the failure is accepted.
        clause: the clause that fails; empty where the witness alone is known.
        where: the cases on which it fails.
        quantity: what fails there; empty for anything.
        token: the witness; empty if there is none.
        link: where to read more.
        skip: its cases are not put to the backend; they are counted as not applicable.
    """

    backend: str
    reason: str
    clause: str = ""
    where: Rule = ALWAYS
    quantity: str = ""
    token: str = ""
    link: str = ""
    skip: bool = False

    def covers(self, case: Case, verdict: Verdict) -> bool:
        """Whether a failing verdict is the one that this entry knows."""
        if self.quantity not in ("", verdict.quantity):
            return False
        if self.token and case.token == self.token:
            return True
        return self.clause in verdict.clauses and self.holds(case)

    def holds(self, case: Case) -> bool:
        """Whether the entry speaks of this case; of an illegal one only if it has no rule."""
        if case.violation is not None:
            return not self.where.text
        return self.where.holds(facts(case))

    def __str__(self) -> str:
        return f"{self.reason} ({self.link})" if self.link else self.reason


@dataclass(frozen=True)
class Known:
    """The entries that concern one backend."""

    entries: tuple[KnownFailure, ...]

    def entry(self, case: Case, verdict: Verdict) -> KnownFailure | None:
        """The first entry that covers a failing verdict."""
        return next((entry for entry in self.entries if entry.covers(case, verdict)), None)

    def skipping(self, candidate: Candidate) -> Candidate:
        """A candidate to which the cases of entries that say so are not put."""
        rules = tuple(entry.where.text for entry in self.entries if entry.skip)
        if not rules:
            return candidate
        declared = candidate.capabilities
        return PromisingCandidate(candidate, replace(declared, excludes=(*declared.excludes, *rules)))

    def covers(self, case: Case, verdict: Verdict) -> bool:
        """Whether some entry covers a failing verdict."""
        return self.entry(case, verdict) is not None

    def findings(
        self, backend: str, failures: Sequence[Failure], beyond: Mapping[KnownFailure, int] = MappingProxyType({})
    ) -> Iterator[tuple[Finding, Sequence[Failure]]]:
        """One finding, of status known failure, for each entry that covers some of the failures, and these.

        Args:
            backend: its name.
            failures: of it.
            beyond: further failures that an entry covers.
        """
        by_entry: dict[KnownFailure, list[Failure]] = {}
        for failure in failures:
            entry = self.entry(failure.case, failure.verdict)
            if entry is not None:
                by_entry.setdefault(entry, []).append(failure)
        for entry, covered in by_entry.items():
            verdict, case = covered[0].verdict, covered[0].case
            finding = Finding(
                backend=backend,
                clause=entry.clause or verdict.clauses[0],
                level=min((level_of(f.case, f.verdict) for f in covered), key=lambda level: level.rank),
                verdict=replace(verdict, status=Status.KNOWN_FAILURE),
                reproduction=Reproduction(
                    token=entry.token or case.token,
                    first_failing_case=case.token,
                    history=write(covered[0].history or ()),
                ),
                failing_cases=len(covered) + beyond.get(entry, 0),
                dtypes=tuple(sorted({f.case.dtype for f in covered})),
                origins=tuple(sorted({f.origin for f in covered})),
                known=str(entry),
            )
            yield finding, covered


def unexpected_passes(known: Known, backend: str, candidate: Candidate, tally: Tally) -> Iterator[Finding]:
    """A finding for each entry that no longer holds.

    That is one whose witness passes or, with neither witness nor rule, whose clause was judged and never failed.
    """
    for entry in known.entries:
        if entry.token:
            case = read(entry.token)
            verdicts = first_causes(judge_case(candidate, case, applicable(case))[0])
            holds = any(entry.covers(case, verdict) for verdict in verdicts)
            clause = entry.clause or (verdicts[0].clauses[0] if verdicts else "C2D-ERROR-13")
        else:
            clause = entry.clause
            judged = not entry.where.text and any(c == clause and status in JUDGED for c, status, _ in tally.counts)
            holds = not judged or any(entry.covers(f.case, f.verdict) for f in tally.failures)
        if not holds:
            reason = f"listed as a known failure ({entry}), but it passes now: remove the entry"
            quantity = entry.quantity or "call"
            yield Finding(
                backend=backend,
                clause=clause,
                level=level_of_clause(clause),
                verdict=Verdict("known failures", quantity, Status.UNEXPECTED_PASS, (clause,), reason),
                reproduction=Reproduction(token=entry.token, first_failing_case=entry.token),
            )


def load_known_failures(path: Path, backends: Sequence[str]) -> tuple[KnownFailure, ...]:
    """The entries for `backends`: of a file for all of them, or of a folder's ``<backend>.toml`` each.

    Raises:
        KnownFailuresError: the message names the file, the entry and what is wrong.
    """
    if path.is_dir():
        files = [(b, path / f"{b}.toml") for b in backends if (path / f"{b}.toml").is_file()]
        return tuple(entry for backend, file in files for entry in _load(file, backend))
    return _load(path, "")


def _load(file: Path, backend: str) -> tuple[KnownFailure, ...]:
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("known", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnownFailuresError(f"{file}: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KnownFailuresError(f"{file}: known is no array of tables; write [[known]] above each entry")
    return tuple(_entry(f"{file}, entry {n}", entry, backend) for n, entry in enumerate(entries, 1))


def _entry(where: str, entry: dict[str, Any], backend: str) -> KnownFailure:
    for key, value in entry.items():
        if key not in _KEYS:
            raise KnownFailuresError(f"{where}: unknown key {key!r}; expected some of {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise KnownFailuresError(f"{where}: {key} = {value!r} is no text; expected a string")
    if entry.get("skip", "yes") != "yes":
        raise KnownFailuresError(f'{where}: skip = {entry["skip"]!r}; expected "yes", or no such line')
    if entry.get("skip") and (entry.get("token") or not entry.get("where")):
        raise KnownFailuresError(f'{where}: skip takes a rule, where = "…", and no token: a witness would be asked')
    if not entry.get("reason"):
        raise KnownFailuresError(f"{where} has no reason; say why the failure is accepted")
    if not (entry.get("clause") or entry.get("token")):
        raise KnownFailuresError(f"{where} names neither a clause nor a token; say what fails")
    ids = [clause.id for clause in CLAUSES]
    if entry.get("clause", ids[0]) not in ids:
        near = get_close_matches(entry["clause"], ids, n=1)
        hint = f"did you mean {near[0]}?" if near else "`convcheck spec` lists them"
        raise KnownFailuresError(f"{where}: no clause is called {entry['clause']!r}; {hint}")
    try:
        token = read(entry["token"]).token if entry.get("token") else ""
        rule = Rule(entry.get("where", ""))
    except (TokenError, RuleError) as error:
        raise KnownFailuresError(f"{where}: {error}") from error
    return KnownFailure(backend=backend, **{**entry, "token": token, "where": rule, "skip": "skip" in entry})
