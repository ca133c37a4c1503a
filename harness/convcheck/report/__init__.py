"""Reports: renderings of a campaign's record."""

from convcheck.report.write import ReportError, read_record, write_report, write_text

__all__ = ["ReportError", "read_record", "write_report", "write_text"]
