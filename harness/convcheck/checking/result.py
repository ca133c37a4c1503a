"""What came of a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType

from convcheck.model.levels import Level, Standing
from convcheck.model.record import Finding, Record
from convcheck.report.end_summary import end_summary
from convcheck.report.levels import opening
from convcheck.report.notebook import in_notebook
from convcheck.report.sentences import finding_sentence
from convcheck.report.summary import verdict
from convcheck.report.terminal import in_terminal
from convcheck_reference.errors import ConvcheckError


class FindingsError(ConvcheckError, AssertionError):
    """A backend that does not conform; the message has a sentence for each finding."""


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What came of a check: its text is the summary, which Rich shows in colours and a notebook as a page.

    Attributes:
        record: everything that is known about the run.
        report: the folder of its reports; None where none were written.
    """

    record: Record
    report: Path | None = None

    @property
    def conforms(self) -> bool:
        """Whether something was judged, and nothing was wrong up to the level that was asked for."""
        return self.record.conforms

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, each thing once, the most important first; known failures are among them."""
        return self.record.findings

    @property
    def levels(self) -> dict[Level, Standing]:
        """Where the backend stands at each level."""
        (backend,) = self.record.backends
        return {level: self.record.standing(backend.name, level) for level in Level}

    def raise_for_findings(self) -> None:
        """Nothing, if it conforms.

        Raises:
            FindingsError: it does not; each finding up to the level that was asked for is a line.
        """
        if self.conforms:
            return
        record = self.record
        found = [f"{number}. {finding_sentence(f)}" for number, f in enumerate(record.decisive_findings, 1)]
        (backend,) = record.backends
        raise FindingsError("\n".join([f"{backend.name}: {verdict(record)}", *(found or [opening(record)])]))

    def __str__(self) -> str:
        return end_summary(self.record)

    __repr__ = __str__

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield from in_terminal(self.record)

    def _repr_html_(self) -> str:
        return in_notebook(self.record)
