"""What came of a check.

Reports are imported by who looks at one, as in `convcheck.checking.checking`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convcheck.model.levels import Level, Standing
from convcheck.model.record import Finding, Record
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
        from convcheck.report.levels import opening  # noqa: PLC0415
        from convcheck.report.sentence import finding_sentence  # noqa: PLC0415
        from convcheck.report.summary import verdict  # noqa: PLC0415

        if self.conforms:
            return
        record = self.record
        found = [
            f"{number}. {f.level.label}: {finding_sentence(f)}" for number, f in enumerate(record.decisive_findings, 1)
        ]
        (backend,) = record.backends
        raise FindingsError("\n".join([f"{backend.name}: {verdict(record)}", *(found or [opening(record)])]))

    def __str__(self) -> str:
        from convcheck.report.end_summary import end_summary  # noqa: PLC0415

        return end_summary(self.record)

    __repr__ = __str__

    def __rich_console__(self, _console: Any, _options: Any) -> Iterator[Any]:
        from convcheck.report.terminal import in_terminal  # noqa: PLC0415

        yield from in_terminal(self.record)

    def _repr_html_(self) -> str:
        from convcheck.report.notebook import in_notebook  # noqa: PLC0415

        return in_notebook(self.record)
