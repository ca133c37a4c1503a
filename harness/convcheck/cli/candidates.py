"""Which candidates a command is about, and where they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convcheck.cli.listing import installed_names
from convcheck.model.sanitizers import Sanitizer

Backends = Annotated[
    list[str],
    typer.Option("--backend", "-b", help="installed name, file.py:name or module:Name", autocompletion=installed_names),
]
Dtypes = Annotated[list[str] | None, typer.Option(help="only these dtypes")]
KnownFailures = Annotated[Path | None, typer.Option(help="TOML file, or folder of <backend>.toml", exists=True)]
InProcess = Annotated[bool, typer.Option(help="run the candidate in this process, for debuggers")]
Untrusted = Annotated[
    bool, typer.Option("--untrusted", help="for kernels that may have been written to pass: no way to the judge")
]
Sanitize = Annotated[
    Sanitizer | None,
    typer.Option(help="a share of the cases, or those given, run under this sanitizer too", case_sensitive=False),
]


def is_typed(context: typer.Context, option: str) -> bool:
    """Whether an option stands on the command line, and not only in the project's settings or nowhere."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def check_process(*, untrusted: bool, in_process: bool, sanitize: Sanitizer | None) -> None:
    """Refuse options that ask for different processes.

    Raises:
        BadParameter: the message says which to leave out.
    """
    if sanitize and (untrusted or in_process):
        without = "--untrusted" if untrusted else "--in-process"
        raise typer.BadParameter(f"--sanitize needs a process of its own, started in its own way; leave out {without}")
    if untrusted and in_process:
        raise typer.BadParameter("--untrusted needs a process of its own for the candidate; leave out --in-process")
