"""`convcheck replay --history`: the calls of a history again, and what is said about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from convcheck.execution import Candidate
from convcheck.judging.playing import Played, failing, play_until_it_fails, unplayable
from convcheck.model.history import History, HistoryError, in_words, read_history
from convcheck.model.verdicts import Verdict
from convcheck.report.tables import table, worst

_HEADERS = ("step", "quantity", "status", "clause", "reason", "worst element")


def replay_history(
    text: str, spec: str, opened: Callable[[str], Candidate], show: Callable[[str], None]
) -> tuple[Sequence[Verdict], dict[str, Any]]:
    """What is said about the calls of a history: the verdicts, and what machines read of it.

    Args:
        text: the history.
        spec: the backend.
        opened: opens a candidate.
        show: takes the same in words.

    Raises:
        HistoryError: the text is no history, or the backend does not support one of its steps.
    """
    history = read_history(text)
    with closing(opened(spec)) as candidate:
        _check_supported(candidate, history)
        played = play_until_it_fails(candidate, history)
    steps = list(zip(history, in_words(history), strict=True))
    lines = [f"  {number}. {words}\n     {step}" for number, (step, words) in enumerate(steps, 1)]
    show("\n".join([spec, *lines, table(_HEADERS, _rows(played), "text"), *_conclusion(played), ""]))
    found = [
        {"step": str(step), "words": words, "verdicts": verdicts}
        for (step, words), verdicts in zip(steps, played.verdicts, strict=False)  # those after a wrong one are not made
    ]
    verdicts = [verdict for some in played.verdicts for verdict in some]
    return verdicts, {"steps": found, "conclusion": " ".join(_conclusion(played))}


def _check_supported(candidate: Candidate, history: History) -> None:
    if found := unplayable(candidate.capabilities, history):
        step, reason = found
        raise HistoryError(f"{candidate.name} is not asked for the step {str(step)!r}: {reason}")


def _rows(played: Played) -> list[list[object]]:
    return [_row(number, verdict) for number, some in enumerate(played.verdicts, 1) for verdict in some]


def _row(number: int, verdict: Verdict) -> list[object]:
    return [number, verdict.quantity, verdict.status, verdict.clauses[0], verdict.reason, worst(verdict.evidence)]


def _conclusion(played: Played) -> list[str]:
    """Whether what is wrong is a matter of state, in words."""
    if played.failure is not None:
        return [f"a matter of state: {played.failure.reason}"]
    if failing(played.verdicts[-1]):
        return ["no matter of state: that call is wrong on a fresh candidate as well"]
    return []
