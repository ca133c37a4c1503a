"""What a run raises for whoever has begun it."""

from convcheck_reference.errors import ConvcheckError


class JournalError(ConvcheckError, OSError):
    """The journal cannot be written: the disk is full, say. What is in it stays as it is."""
