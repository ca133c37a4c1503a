"""Reports: renderings of a campaign's record."""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

if TYPE_CHECKING:
    from convcheck.report.errors import ReportError
    from convcheck.report.write import read_record, write_report, write_text

__all__ = ["ReportError", "read_record", "write_report", "write_text"]

_HOMES: Final = {
    "convcheck.report.errors": ("ReportError",),
    "convcheck.report.write": ("read_record", "write_report", "write_text"),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)
