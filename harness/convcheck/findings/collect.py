"""Grouping failures: shrink one, let it explain every failure that has all it needs, go on with the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from convcheck.case import Case
from convcheck.execution.candidate import Candidate
from convcheck.execution.judging import Failure, first_causes, judge_case
from convcheck.findings.shrink import shrink
from convcheck.oracles import repeating
from convcheck.oracles.exercised import PLAIN
from convcheck.record import Finding
from convcheck.verdicts import Status, Verdict

MOST_PER_KIND: Final = 6
"""Findings per (oracle, quantity, status); a candidate that is wrong everywhere would give hundreds."""

ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class _Kind:
    """Failures of one kind may have one cause."""

    oracle: str
    quantity: str
    status: Status


def collect(
    candidate: Candidate,
    failures: Sequence[Failure],
    cases_of_block: Callable[[int], Sequence[Case]],
    excluded: Callable[[Case, Verdict], bool],
) -> tuple[Finding, ...]:
    """One finding for each distinct cause among the failures.

    Args:
        candidate: to shrink and to repeat with.
        failures: in the order of the run.
        cases_of_block: the cases of a block, for failures that depend on what ran before.
        excluded: failures that shrinking must not slip to, because they are known.
    """
    kinds: dict[_Kind, list[Failure]] = {}
    for failure in failures:
        verdict = failure.verdict
        kinds.setdefault(_Kind(verdict.oracle, verdict.quantity, verdict.status), []).append(failure)
    findings: list[Finding] = []
    for kind, unexplained in kinds.items():
        remaining = unexplained
        for _ in range(MOST_PER_KIND):
            if not remaining:
                break
            finding, needed = _finding(candidate, kind, remaining[0], cases_of_block, excluded)
            explained = [f for f in remaining if f is remaining[0] or needed <= set(f.verdict.clauses)]
            remaining = [f for f in remaining if f not in explained]
            findings.append(_with_hits(finding, explained))
        if remaining:
            findings[-1] = _with_hits(findings[-1], remaining, more=findings[-1].hits)
    return _merged(findings)


def _finding(
    candidate: Candidate,
    kind: _Kind,
    first: Failure,
    cases_of_block: Callable[[int], Sequence[Case]],
    excluded: Callable[[Case, Verdict], bool],
) -> tuple[Finding, set[str]]:
    def failing(case: Case) -> Verdict | None:
        verdicts, _, _ = judge_case(candidate, case, repeating(kind.oracle, case))
        of_kind = (v for v in first_causes(verdicts) if _Kind(v.oracle, v.quantity, v.status) == kind)
        return next((v for v in of_kind if not excluded(case, v)), None)

    candidate.restart()
    before: tuple[Case, ...] = ()
    smallest, verdict = first.case, failing(first.case)
    if verdict is not None:
        smallest = shrink(first.case, lambda case: failing(case) is not None)
    else:
        before = _needed_before(candidate, failing, first, cases_of_block)
    reproduced = 0
    for _ in range(ATTEMPTS):
        candidate.restart()
        for case in before:
            failing(case)
        found = failing(smallest)
        if found is not None:
            verdict, reproduced = found, reproduced + 1
    verdict = verdict or first.verdict
    needed = set(verdict.clauses) - PLAIN
    finding = Finding(
        backend=candidate.name,
        clause=verdict.clauses[0] if verdict.clauses[0] not in PLAIN else verdict.clauses[-1],
        clauses=verdict.clauses,
        oracle=kind.oracle,
        quantity=kind.quantity,
        status=kind.status,
        token=smallest.token,
        found_as=first.case.token,
        before=tuple(case.token for case in before),
        reason=verdict.reason,
        margin=verdict.margin,
        evidence=verdict.evidence,
        reproduced=reproduced,
        attempts=ATTEMPTS,
    )
    return finding, needed


def _needed_before(
    candidate: Candidate,
    failing: Callable[[Case], Verdict | None],
    first: Failure,
    cases_of_block: Callable[[int], Sequence[Case]],
) -> tuple[Case, ...]:
    """The cases that have to run first for this one to fail; empty if it fails only now and then."""

    def fails_after(prefix: tuple[Case, ...]) -> bool:
        candidate.restart()
        for case in prefix:
            failing(case)
        return failing(first.case) is not None

    prefix = tuple(cases_of_block(first.block)[: first.position])
    if not fails_after(prefix):
        return ()
    chunk = max(1, len(prefix) // 2)
    while prefix:
        for start in range(0, len(prefix), chunk):
            shorter = prefix[:start] + prefix[start + chunk :]
            if fails_after(shorter):
                prefix = shorter
                break
        else:
            if chunk == 1:
                return prefix
            chunk = max(1, chunk // 2)
            continue
        chunk = min(chunk, max(1, len(prefix) // 2))
    return prefix


def _with_hits(finding: Finding, explained: Sequence[Failure], more: int = 0) -> Finding:
    dtypes = tuple(sorted({f.case.dtype for f in explained} | set(finding.dtypes)))
    return replace(finding, hits=len(explained) + more, dtypes=dtypes)


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of one quantity whose smallest cases need the same things are one: the first oracle's."""
    merged: dict[tuple[str, str, tuple[str, ...]], Finding] = {}
    for finding in findings:
        key = (finding.quantity, finding.clause, tuple(sorted(set(finding.clauses[:-1]) - PLAIN)))
        if key in merged:
            known = merged[key]
            dtypes = tuple(sorted({*known.dtypes, *finding.dtypes}))
            merged[key] = replace(known, hits=known.hits + finding.hits, dtypes=dtypes)
        else:
            merged[key] = finding
    return tuple(merged.values())
