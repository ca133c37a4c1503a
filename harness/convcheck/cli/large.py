"""The command for layers with indices that 32 bits do not hold: they take gigabytes, so only on request."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Annotated

import typer

from convcheck.campaign import large as oracle
from convcheck.campaign.large import CLAUSE, NAME, LargeCase, large_cases
from convcheck.cli.availability import available
from convcheck.cli.dtypes import check_dtypes
from convcheck.cli.numbers import finite
from convcheck.cli.output import AsJson, say, say_json
from convcheck.model.verdicts import FAILURES, JUDGED, Status, Verdict
from convcheck.plugin.registry import load, resolve
from convcheck.report.tables import table

FINDINGS = 1
MOST_MEMORY = 2.0**20
"""GiB."""


def large(
    backend: Annotated[str, typer.Option("--backend", "-b", help="installed name, file.py:name or module:Name")],
    memory: Annotated[
        float,
        typer.Option(help="GiB for input, weight and output of one layer", min=0.001, max=MOST_MEMORY, callback=finite),
    ] = 2.0,
    dtype: Annotated[str, typer.Option(help="of the tensors")] = "float16",
    as_json: AsJson = False,
) -> None:
    """Judge layers that pass 32-bit and grid limits, by sampled exact dot products; each in its own process."""
    check_dtypes([dtype])
    spec = resolve(backend)
    with available(backend):
        load(spec)  # its errors are the user's, before anything large is made
    verdicts = [(case, _judged(spec, case)) for case in large_cases(int(memory * 2**30), dtype)]
    statuses = {v.status for _, v in verdicts}
    right = not statuses.isdisjoint(JUDGED) and statuses.isdisjoint(FAILURES)
    if as_json:
        cases = [
            {"case": case.case.token, "passes": case.passes, "bytes": case.nbytes, "verdict": v} for case, v in verdicts
        ]
        say_json("large", {"backend": backend, "conforms": right, "cases": cases})
    else:
        _show(verdicts)
    raise typer.Exit(0 if right else FINDINGS)


def _show(verdicts: Sequence[tuple[LargeCase, Verdict]]) -> None:
    rows = [
        [case.passes, f"{case.nbytes / 2**30:.2f} GiB", v.status, v.reason, case.case.token] for case, v in verdicts
    ]
    say(table(["passes", "tensors", "status", "reason", "case"], rows, "text"))
    if {v.status for _, v in verdicts}.isdisjoint(JUDGED):
        say("nothing was judged: allow more --memory, or a dtype that the backend declares")


def _judged(spec: str, case: LargeCase) -> Verdict:
    """The verdict of a process that may run out of memory or die."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(_judge, spec, case).result()
        except BrokenProcessPool:
            return Verdict(NAME, "call", Status.CRASHED, (CLAUSE,), "the candidate's process ended")


def _judge(spec: str, case: LargeCase) -> Verdict:
    try:
        return oracle.judge(load(spec), case)
    except Exception as error:  # noqa: BLE001  (whatever a candidate raises is an outcome)
        return Verdict(NAME, "call", Status.WRONGLY_REFUSED, (CLAUSE,), f"a legal call raised {error!r}")
