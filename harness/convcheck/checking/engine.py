"""A campaign of one backend for a program: silent, and kept nowhere unless a folder is given."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from convcheck.campaign import Options, run
from convcheck.campaign.campaign import unchanged
from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.model.record import Record
from convcheck.report import write_report
from convcheck.report.folder import check_writable


def record_of(spec: str, folder: Path | None, known_failures: str | Path | None, **asked: Any) -> Record:
    """The record of a run, as it was written where there is a folder.

    Args:
        spec: of the backend.
        folder: of the reports and the journal; None for none.
        known_failures: a file or a folder of them; None for none.
        asked: the other fields of `Options`.
    """
    if folder is not None:
        check_writable(folder)
    known = () if known_failures is None else load_known_failures(Path(known_failures), [spec])
    options = Options(specs=(spec,), known=known, **asked)
    return run(
        options,
        name=spec if folder is None else folder.name,
        command=f"convcheck.check({spec!r}, examples={options.examples}, seed={options.seed})",
        checkpoint=unchanged if folder is None else partial(write_report, folder=folder),
        journal=None if folder is None else folder / JOURNAL,
    )
