"""Which candidates a command is about, and where they run."""

from __future__ import annotations

from typing import Annotated

import typer

from convcheck.cli.listing import installed_names
from convcheck.model.sanitizers import Sanitizer

Backends = Annotated[
    list[str],
    typer.Option("--backend", "-b", help="installed name, file.py:name or module:Name", autocompletion=installed_names),
]
InProcess = Annotated[bool, typer.Option(help="run the candidate in this process, for debuggers")]
Untrusted = Annotated[
    bool, typer.Option("--untrusted", help="for kernels that may have been written to pass: no way to the judge")
]
Sanitize = Annotated[
    Sanitizer | None,
    typer.Option(help="a share of the cases, or those given, run under this sanitizer too", case_sensitive=False),
]


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
