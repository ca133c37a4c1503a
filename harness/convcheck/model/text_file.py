"""The text of a file that somebody names."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> str:
    """The text, which has to be UTF-8.

    Raises:
        OSError: the file cannot be read, or is a device, which may never end.
        ValueError: it is no UTF-8, or no file can have that name.
    """
    if path.is_char_device():
        raise OSError(f"{str(path)!r} is a device, not a file")
    return path.read_text(encoding="utf-8")
