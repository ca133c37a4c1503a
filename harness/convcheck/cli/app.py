"""The commands, by name."""

from __future__ import annotations

from typing import Final

import typer

from convcheck.cli.common import before_any_command
from convcheck.cli.lazy_group import Lazy, lazy_group

COMMANDS: Final = {
    "run": Lazy("convcheck.cli.run:run", "Judge backends on generated cases and write a report."),
    "resume": Lazy(
        "convcheck.cli.resuming:resume",
        "Go on with a run that did not end; nothing that its journal has is judged again.",
    ),
    "replay": Lazy(
        "convcheck.cli.replay:replay", "Judge given cases, or the calls of a history, and show every verdict."
    ),
    "report": Lazy(
        "convcheck.cli.report:report",
        "Write a report anew from its record; of a run that has not ended, from its journal.",
    ),
    "matrix": Lazy(
        "convcheck.cli.matrix:matrix",
        "Write the matrix of engines and clauses as a page, Markdown, CSV and JSON; exit status 1 for failing cells.",
    ),
    "diff": Lazy(
        "convcheck.cli.differing:diff",
        "List what is new, changed and fixed between two runs or matrices; exit status 1 for what is new or changed.",
    ),
    "issue": Lazy(
        "convcheck.cli.issue:issue",
        "Print a finding as a bug report: a script in the engine's own words, expected and got, when it fails.",
    ),
    "list": Lazy(
        "convcheck.cli.listing:list_backends",
        "List installed backends; with --load their dtypes and options, or the reason why one is unavailable.",
    ),
    "env": Lazy(
        "convcheck.cli.env:env",
        "Build virtual environments for releases of engines, list and remove them; --backend NAME@VERSION uses one.",
    ),
    "doctor": Lazy(
        "convcheck.cli.doctor:doctor",
        "Say which devices, drivers, packages and settings there are, what loads, and what to do about what is wrong.",
    ),
    "new-backend": Lazy(
        "convcheck.cli.new_backend:new_backend",
        "Write a project for a backend of your own: a kernel, its tests, pyproject.toml with the entry point, CI.",
    ),
    "schema": Lazy("convcheck.cli.schema:schema", "Print the JSON Schema of tool.convcheck in a pyproject.toml."),
    "characterize": Lazy(
        "convcheck.cli.characterize:characterize",
        "Find the tightest promises that a backend keeps, and print them as a declaration.",
    ),
    "large": Lazy(
        "convcheck.cli.large:large",
        "Judge layers that pass 32-bit and grid limits, by sampled exact dot products; each in its own process.",
    ),
    "explain": Lazy("convcheck.cli.explaining:explain", "Say what a layer does, and draw where it reads."),
    "spec": Lazy("convcheck.cli.spec:spec", "Print the specification, clause by clause."),
    "certify": Lazy(
        "convcheck.cli.certify:certify", "Certify convcheck: wrong convolutions detected, and no alarm on legal ones."
    ),
}

app = typer.Typer(
    name="convcheck",
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.callback()(before_any_command)
