"""Reports: renderings of a campaign's record."""

from convcheck.report.write import read_record, write_report

__all__ = ["read_record", "write_report"]
