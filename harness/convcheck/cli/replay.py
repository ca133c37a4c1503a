"""The command that judges given cases again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from convcheck.cli.availability import available
from convcheck.cli.candidates import Backends, InProcess, Sanitize, Untrusted, check_process
from convcheck.cli.histories import replay_history
from convcheck.cli.numbers import Limit
from convcheck.cli.output import say
from convcheck.cli.running import FINDINGS
from convcheck.cli.sanitized import replay_sanitized
from convcheck.execution import CALL_LIMIT, Candidate, open_candidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED
from convcheck.oracles import applicable
from convcheck.report.tables import table, worst


def replay(
    backend: Backends,
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="TOKEN…", help="cases, run in order in one process")
    ] = None,
    history: Annotated[str, typer.Option(help="calls in the same buffers instead, with spaces between them")] = "",
    limit: Limit = CALL_LIMIT,
    in_process: InProcess = False,
    untrusted: Untrusted = False,
    sanitize: Sanitize = None,
) -> None:
    """Judge given cases, or the calls of a history, and show every verdict."""
    check_process(untrusted=untrusted, in_process=in_process, sanitize=sanitize)
    if bool(tokens) is bool(history):
        raise typer.BadParameter("expected cases, as TOKEN…, or --history 'STEP STEP …', and not both")
    if history and sanitize:
        raise typer.BadParameter("--sanitize takes cases, as TOKEN…; leave out --history")
    if history:
        opened = partial(_open, limit=limit, in_process=in_process, untrusted=untrusted)
        raise typer.Exit(0 if replay_history(history, backend, opened) else FINDINGS)
    cases = [read(token) for token in tokens or ()]
    if sanitize:
        raise typer.Exit(0 if replay_sanitized(cases, backend, sanitize, limit) else FINDINGS)
    failed = False
    judged = 0
    for spec in backend:
        candidate = _open(spec, limit=limit, in_process=in_process, untrusted=untrusted)
        rows = []
        for case in cases:
            for v in judge_case(candidate, case, applicable(case))[0]:
                failed |= v.status in FAILURES
                judged += v.status in JUDGED
                evidence = worst(v.evidence)
                margin = "" if v.margin is None else f"{v.margin:.3g}"
                rows.append([v.oracle, v.quantity, v.status, v.clauses[0], margin, v.reason, evidence])
        candidate.close()
        say(f"{spec}\n" + "\n".join(f"  {c.token}\n  {c.arguments} on {c.input_shape}" for c in cases))
        headers = ["oracle", "quantity", "status", "clause", "error / bound", "reason", "worst element"]
        say(table(headers, rows, "text") + "\n")
    if not judged:
        say("nothing was judged")
    raise typer.Exit(FINDINGS if failed or not judged else 0)


def _open(spec: str, *, limit: float, in_process: bool, untrusted: bool) -> Candidate:
    with available(spec):
        return open_candidate(spec, limit=limit, in_process=in_process, untrusted=untrusted)
