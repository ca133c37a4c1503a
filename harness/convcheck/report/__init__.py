"""Reports: renderings of a campaign's record."""

from convcheck.report.write import ReportError, read_record, write_report

__all__ = ["ReportError", "read_record", "write_report"]
