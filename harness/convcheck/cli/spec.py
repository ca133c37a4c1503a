"""The command that prints the specification."""

from __future__ import annotations

from convcheck.cli.output import say
from convcheck_reference.clauses import specification_markdown


def spec() -> None:
    """Print the specification, clause by clause."""
    say(specification_markdown())
