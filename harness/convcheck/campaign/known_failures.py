"""Known failures: discrepancies that a backend's author knows of, and what a run makes of them.

`convcheck.campaign.known_failures_file` has the file that they stand in. Where there is a witness, it alone decides
whether the entry still holds: which cases a run draws must not. Without one, an entry for a whole clause is out of date
when the clause was judged and never failed; an entry with a rule is never held against a run, because the run may not
have drawn the right case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from convcheck.execution import Candidate, PromisingCandidate
from convcheck.judging.judge import first_causes, judge_case
from convcheck.judging.tally import Failure, Tally
from convcheck.model.case import Case
from convcheck.model.history import write
from convcheck.model.levels import level_of_clause
from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction
from convcheck.model.rules import ALWAYS, Rule, facts
from convcheck.model.token import read
from convcheck.model.verdicts import JUDGED, Status, Verdict
from convcheck.oracles import applicable
from convcheck.oracles.levels import level_of


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
