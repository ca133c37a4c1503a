"""Cases run again under a sanitizer, and judged by what it reports alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final

from convcheck.execution import SanitizedCandidate, WorkerStartError
from convcheck.judging.judge import judge_case
from convcheck.judging.tally import Failure, Tally
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.origins import Origin
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.verdicts import FAILURES, JUDGED, Verdict
from convcheck.oracles.sanitizer import CLAUSES, ORACLE, reported, says_nothing

ENOUGH: Final = 10
"""Cases that are reported on, of one part, after which it ends: each costs the start of a process, which takes seconds
on a device, and the cause is looked for by other cases anyway."""


def chosen(cases: Sequence[Case], capabilities: Capabilities, size: int) -> tuple[Case, ...]:
    """So many of some cases, all along them: legal calls that a candidate supports."""
    possible = [case for case in cases if case.is_legal_call and capabilities.unsupported(case) is None]
    return tuple(possible[:: max(1, len(possible) // size)][:size])


def judge_sanitized(
    opened: Callable[[], SanitizedCandidate],
    sanitizer: Sanitizer,
    cases: Sequence[Case],
    block: int,
    clause: str | None = None,
) -> Tally:
    """The tally of some cases under a sanitizer, to the tenth that it reports on.

    Args:
        opened: opens the candidate under that sanitizer.
        sanitizer: which.
        cases: legal calls.
        block: the index of the part of the run.
        clause: only verdicts on this clause count; None for all.
    """
    tally, start, verdicts = Tally(), time.perf_counter(), list[Verdict]()
    if clause in (None, CLAUSES[sanitizer]):
        try:
            with closing(opened()) as candidate:
                _judge(candidate, sanitizer, cases, verdicts)
        except WorkerStartError:  # which is the sanitizer's affair as much as the candidate's
            verdicts.append(says_nothing(sanitizer, "no fresh process would start"))
    for position, verdict in enumerate(verdicts):
        tally.origins[Origin.SANITIZED] += verdict.status in JUDGED
        if verdict.status in FAILURES:
            tally.failures.append(Failure(block, position, cases[position], verdict, Origin.SANITIZED))
        else:
            tally.counts[verdict.clauses[0], verdict.status, verdict.reason] += 1
    tally.seconds["candidate"] += time.perf_counter() - start
    return tally


def _judge(candidate: SanitizedCandidate, sanitizer: Sanitizer, cases: Sequence[Case], verdicts: list[Verdict]) -> None:
    """Add a verdict on each case, in order, until enough are reported on."""
    begun = 0  # the first case of the process that is running
    for number, case in enumerate(cases, 1):
        verdicts.append(_first(judge_case(candidate, case, (ORACLE,))[0]))
        begun = number if verdicts[-1].status in FAILURES else begun
        if sum(verdict.status in FAILURES for verdict in verdicts) == ENOUGH:
            return
    if len(cases) > begun and (late := candidate.finish()):
        unseen = says_nothing(sanitizer, "it reported only as the process ended, and on one case at least")
        verdicts[begun:] = [*[unseen] * (len(cases) - begun - 1), reported(sanitizer, late)]
        at = _culprit(candidate, cases, range(begun, len(cases)))
        verdicts[at], verdicts[-1] = verdicts[-1], verdicts[at]


def _first(verdicts: Sequence[Verdict]) -> Verdict:
    """What the calls of a case come to: a report before all, then that one was seen."""
    return min(verdicts, key=lambda v: (v.status not in FAILURES, v.status not in JUDGED))


def _culprit(candidate: SanitizedCandidate, cases: Sequence[Case], among: range) -> int:
    """The number of a case after which something is reported: halved as long as one half shows it in a fresh process.

    The last, where none shows it without the others.
    """
    while len(among) > 1:
        halves = among[: len(among) // 2], among[len(among) // 2 :]
        showing = next((half for half in halves if _shows(candidate, cases[half.start : half.stop])), None)
        if showing is None:
            break
        among = showing
    return among[-1]


def _shows(candidate: SanitizedCandidate, cases: Sequence[Case]) -> bool:
    verdicts = [_first(judge_case(candidate, case, (ORACLE,))[0]) for case in cases]
    return bool(candidate.finish()) or any(verdict.status in FAILURES for verdict in verdicts)
