"""`convcheck replay --history`: the calls of a history again, and what is said about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from convcheck.cli.output import say
from convcheck.execution import Candidate
from convcheck.judging.playing import Played, failing, play_until_it_fails, unplayable
from convcheck.model.history import History, HistoryError, in_words, read_history
from convcheck.model.verdicts import JUDGED, Verdict
from convcheck.report.tables import table, worst

_HEADERS = ("step", "quantity", "status", "clause", "reason", "worst element")


def replay_history(text: str, specs: Sequence[str], opened: Callable[[str], Candidate]) -> bool:
    """Whether no call of a history is wrong, and one was judged, on any backend; every verdict is shown.

    Args:
        text: the history.
        specs: the backends.
        opened: opens a candidate.

    Raises:
        HistoryError: the text is no history, or a backend does not support one of its steps.
    """
    history = read_history(text)
    right, judged = True, False
    for spec in specs:
        with closing(opened(spec)) as candidate:
            _check_supported(candidate, history)
            played = play_until_it_fails(candidate, history)
        verdicts = [verdict for some in played.verdicts for verdict in some]
        right &= not failing(tuple(verdicts))
        judged |= any(verdict.status in JUDGED for verdict in verdicts)
        steps = zip(history, in_words(history), strict=True)
        lines = [f"  {number}. {words}\n     {step}" for number, (step, words) in enumerate(steps, 1)]
        say("\n".join([spec, *lines, table(_HEADERS, _rows(played), "text"), *_conclusion(played), ""]))
    if not judged:
        say("nothing was judged")
    return right and judged


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
