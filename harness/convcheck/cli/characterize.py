"""The command that finds the promises that a backend keeps."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from convcheck.cli.availability import available
from convcheck.cli.candidates import Dtypes, InProcess
from convcheck.cli.dtypes import check_dtypes
from convcheck.cli.numbers import MOST_CASES, Limit, Seed
from convcheck.cli.output import AsJson, say, say_json
from convcheck.execution import CALL_LIMIT, open_candidate
from convcheck.report.tables import counted, printable, table
from convcheck.triage.characterization import SEEDS, Characterization
from convcheck.triage.characterization import characterize as find_promises

FINDINGS = 1


def characterize(
    backend: Annotated[str, typer.Option("--backend", "-b", help="installed name, file.py:name or module:Name")],
    examples: Annotated[
        int, typer.Option(help="cases of each dtype, at each of four seeds", min=1, max=MOST_CASES)
    ] = 200,
    seed: Seed = 0,
    dtype: Dtypes = None,
    limit: Limit = CALL_LIMIT,
    in_process: InProcess = False,
    as_json: AsJson = False,
) -> None:
    """Find the tightest promises that a backend keeps, and print them as a declaration."""
    check_dtypes(dtype or ())
    with available(backend):
        candidate = open_candidate(backend, limit=limit, in_process=in_process)
    console = Console(stderr=True)
    found = find_promises(
        candidate,
        seed=seed,
        examples=examples,
        dtypes=tuple(dtype or ()),
        progress=lambda words: console.print(printable(words), markup=False, highlight=False),
    )
    candidate.close()
    if as_json:
        say_json("characterize", as_data(backend, found))
    else:
        say(shown(found))
    raise typer.Exit(FINDINGS if found.unexplained or not any(found.judged.values()) else 0)


def as_data(backend: str, found: Characterization) -> dict[str, Any]:
    """The same for machines."""
    return {
        "backend": backend,
        "declaration": found.declaration,
        "promises": [
            {
                "dtype": dtype,
                "quantity": quantity,
                "gives_up": found.given_up.get((dtype, quantity), ""),
                "passing_cases": cases,
            }
            for (dtype, quantity), cases in found.judged.items()
        ],
        "unexplained": found.unexplained,
    }


def shown(found: Characterization) -> str:
    """The declaration, what it gives up and on how much it was checked, and what no promise explains."""
    rows = [
        [dtype, quantity, found.given_up.get((dtype, quantity)) or "nothing", cases]
        for (dtype, quantity), cases in found.judged.items()
    ]
    headers = ["dtype", "quantity", "gives up", f"fresh cases that pass, at {SEEDS} seeds"]
    lines = [table(headers, rows, "text"), "", found.declaration, ""]
    if not found.unexplained:
        lines.append("Every fresh case keeps these promises.")
        return "\n".join(lines)
    lines.append("No promise explains:")
    for each in found.unexplained:
        verdict = each.verdict
        lines.append(
            f"{each.dtype} {verdict.quantity} {verdict.status}, {counted(each.cases, 'case')} "
            f"({verdict.oracle}): {printable(verdict.reason)}"
        )
        lines.append(f"  {each.token}")
    return "\n".join(lines)
