"""What writing a report raises."""

from convcheck_reference.errors import ConvcheckError


class ReportError(ConvcheckError, OSError):
    """A report that cannot be written: the disk is full, or its folder is gone, say."""
