"""What failed in earlier runs, judged again: cases by their tokens, histories by their lines."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.judging.judge import Judge
from convcheck.judging.playing import play_until_it_fails, unplayable
from convcheck.judging.tally import Failure, Tally
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
        judge: of the part of the run; its tally takes what comes of it, and holds what came of the first before.
        lines: what failed before.
        block: the index of the part.
    """
    done = judge.tally.cases
    for case in remembered_cases(lines)[done:]:
        judge(case, applicable(case))
    candidate = judge.candidate
    histories = [read_history(line) for line in filter(is_history, lines)]
    playable = [history for history in histories if unplayable(candidate.capabilities, history) is None]
    for history in playable[judge.tally.origins[Origin.REMEMBERED] - judge.tally.cases :]:
        played, one = play_until_it_fails(candidate, history), Tally()
        if played.failure is not None:
            fewest = history[: len(played.verdicts)]
            at = judge.tally.origins[Origin.REMEMBERED]
            one.failures.append(Failure(block, at, fewest[-1].case, played.failure, Origin.REMEMBERED, fewest))
        one.origins[Origin.REMEMBERED] += 1
        judge.add(one)
