"""Given cases, or the calls of a history, judged again."""

from __future__ import annotations

from contextlib import closing

from convcheck.checking.candidates import CheckError
from convcheck.execution import Candidate, open_candidate
from convcheck.judging.judge import judge_case
from convcheck.judging.playing import play_until_it_fails, unplayable
from convcheck.model.history import read_history
from convcheck.model.token import read
from convcheck.model.verdicts import Verdict
from convcheck.oracles import applicable


def verdicts_of(spec: str, tokens: tuple[str, ...], history: str, *, in_process: bool) -> tuple[Verdict, ...]:
    """What is said about the cases, or about the history if there is one.

    Raises:
        CheckError: the backend does not support a step.
        TokenError, HistoryError: a text is none.
        RegistryError, UnavailableError: the backend cannot be loaded.
    """
    with closing(open_candidate(spec, in_process=in_process)) as candidate:
        return _of_history(candidate, history) if history else _of_cases(candidate, tokens)


def _of_cases(candidate: Candidate, tokens: tuple[str, ...]) -> tuple[Verdict, ...]:
    cases = [read(token) for token in tokens]
    return tuple(verdict for case in cases for verdict in judge_case(candidate, case, applicable(case))[0])


def _of_history(candidate: Candidate, text: str) -> tuple[Verdict, ...]:
    history = read_history(text)
    if found := unplayable(candidate.capabilities, history):
        step, reason = found
        raise CheckError(f"{candidate.name} is not asked for the step {str(step)!r}: {reason}")
    return tuple(verdict for some in play_until_it_fails(candidate, history).verdicts for verdict in some)
