"""`convcheck replay`: given cases, or the calls of a history, and every verdict on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

import typer

from convcheck.cli.availability import available
from convcheck.cli.batch import Batch, read_batch
from convcheck.cli.candidates import Backends, InProcess, Sanitize, Untrusted, check_process
from convcheck.cli.histories import replay_history
from convcheck.cli.numbers import Limit
from convcheck.cli.output import AsJson, say, say_json
from convcheck.cli.running import FINDINGS
from convcheck.cli.sanitized import replay_sanitized
from convcheck.execution import CALL_LIMIT, Candidate, open_candidate
from convcheck.judging.judge import judge_case
from convcheck.model.case import Case
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED, Verdict
from convcheck.oracles import applicable
from convcheck.report.tables import table, worst

_HEADERS: Final = ("oracle", "quantity", "status", "clause", "error / bound", "times")

Replayed = Sequence[dict[str, Any]]
"""For each backend what came of it, as machines read it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is put to each backend."""

    cases: tuple[Case, ...]
    history: str
    sanitizer: Sanitizer | None
    limit: float
    opened: Callable[[str], Candidate]

    def __post_init__(self) -> None:
        if bool(self.cases) is bool(self.history):
            raise typer.BadParameter(
                "expected cases, as TOKEN… or --batch FILE, or --history 'STEP STEP …', and not both"
            )
        if self.history and self.sanitizer:
            raise typer.BadParameter("--sanitize takes cases, as TOKEN…; leave out --history")


def replay(
    backend: Backends,
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="TOKEN…", help="cases, run in order in one process")
    ] = None,
    history: Annotated[str, typer.Option(help="calls in the same buffers instead, with spaces between them")] = "",
    batch: Batch = None,
    limit: Limit = CALL_LIMIT,
    in_process: InProcess = False,
    untrusted: Untrusted = False,
    sanitize: Sanitize = None,
    as_json: AsJson = False,
) -> None:
    """Judge given cases, or the calls of a history, and show every verdict."""
    check_process(untrusted=untrusted, in_process=in_process, sanitize=sanitize)
    cases = (*map(read, tokens or ()), *(read_batch(batch) if batch else ()))
    opened = partial(_open, limit=limit, in_process=in_process, untrusted=untrusted)
    asked = _Asked(cases, history, sanitize, limit, opened)
    show: Callable[[str], None] = _silent if as_json else say
    verdicts, found = list[Verdict](), list[dict[str, Any]]()
    for spec in backend:
        some, of_backend = _replayed(asked, spec, show)
        verdicts += some
        found.append({"backend": spec, **of_backend})
    judged = any(verdict.status in JUDGED for verdict in verdicts)
    right = judged and not any(verdict.status in FAILURES for verdict in verdicts)
    if not judged:
        show("nothing was judged")
    if as_json:
        say_json("replay", {"conforms": right, "backends": found})
    raise typer.Exit(0 if right else FINDINGS)


def _silent(_text: str) -> None:
    """Machines read the end."""


def _replayed(asked: _Asked, spec: str, show: Callable[[str], None]) -> tuple[Sequence[Verdict], dict[str, Any]]:
    """What is said about one backend, which is shown: the verdicts, and what machines read of it."""
    if asked.history:
        return replay_history(asked.history, spec, asked.opened, show)
    if asked.sanitizer:
        return replay_sanitized(asked.cases, spec, asked.sanitizer, asked.limit, show)
    return _cases(asked, spec, show)


def _cases(asked: _Asked, spec: str, show: Callable[[str], None]) -> tuple[Sequence[Verdict], dict[str, Any]]:
    show(spec)
    all_of_it, found = list[Verdict](), list[dict[str, Any]]()
    with closing(asked.opened(spec)) as candidate:
        for case in asked.cases:
            verdicts = judge_case(candidate, case, applicable(case))[0]
            layer = f"{case.arguments} on {case.input_shape}"
            show(f"  {case.token}\n  {layer}\n{_shown(verdicts)}\n")
            found.append({"case": case.token, "layer": layer, "verdicts": verdicts})
            all_of_it += verdicts
    return all_of_it, {"cases": found}


def _shown(verdicts: Sequence[Verdict]) -> str:
    """Every verdict, those that are alike in one row, and below them what is wrong and why others say nothing."""
    rows = Counter((v.oracle, v.quantity, v.status, v.clauses[0], _margin(v)) for v in verdicts)
    reasons = dict.fromkeys(
        f"  {v.oracle}, {v.quantity}, {v.status}: {'; '.join(filter(None, (v.reason, worst(v.evidence))))}"
        for v in sorted(verdicts, key=lambda v: v.status not in FAILURES)
        if v.reason or v.evidence
    )
    counted = [[*row, times] for row, times in rows.items()]
    return "\n".join([table(_HEADERS, counted, "text"), *reasons])


def _margin(v: Verdict) -> str:
    return "" if v.margin is None else f"{v.margin:.3g}"


def _open(spec: str, *, limit: float, in_process: bool, untrusted: bool) -> Candidate:
    with available(spec):
        return open_candidate(spec, limit=limit, in_process=in_process, untrusted=untrusted)
