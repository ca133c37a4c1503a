"""What failed in earlier runs, judged again: cases by their tokens, histories by their lines."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.judging.judge import Failure, Judge
from convcheck.judging.playing import play_until_it_fails, unplayable
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.history import AT_ONCE, MARK, read_history
from convcheck.model.origins import Origin
from convcheck.model.token import read
from convcheck.oracles import applicable


def is_history(line: str) -> bool:
    """Whether a remembered line is a history: steps with spaces between them, or one that no token of a case says."""
    return not {" ", AT_ONCE, MARK}.isdisjoint(line)


def remembered_cases(lines: Sequence[str]) -> tuple[Case, ...]:
    """Those that are cases."""
    return tuple(read(line) for line in lines if not is_history(line))


def can_be_judged(capabilities: Capabilities, line: str) -> bool:
    """Whether what is remembered is put to a candidate with these capabilities."""
    if is_history(line):
        return unplayable(capabilities, read_history(line)) is None
    return capabilities.unsupported(read(line)) is None


def judge_remembered(judge: Judge, lines: Sequence[str], block: int) -> None:
    """Judge what is remembered by every oracle, since one that is due seldom may have found it; histories come last.

    Args:
        judge: of the part of the run; its tally takes what comes of it.
        lines: what failed before.
        block: the index of the part.
    """
    for case in remembered_cases(lines):
        judge(case, applicable(case))
    tally, candidate = judge.tally, judge.candidate
    for number, line in enumerate(filter(is_history, lines)):
        history = read_history(line)
        if unplayable(candidate.capabilities, history) is not None:
            continue
        played = play_until_it_fails(candidate, history)
        tally.origins[Origin.REMEMBERED] += 1
        if played.failure is not None:
            fewest = history[: len(played.verdicts)]
            at = tally.cases + number
            tally.failures.append(Failure(block, at, fewest[-1].case, played.failure, Origin.REMEMBERED, fewest))
