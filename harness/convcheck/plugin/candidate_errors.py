"""What the code of a candidate raised, as its author wants to see it: the error, and where in their files."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

RAISED: Final = (Exception, SystemExit, GeneratorExit)
"""What code of others may end with; an interrupt from the keyboard is nobody's."""

_OURS: Final = str(Path(__file__).parents[1])
_MOST_FRAMES: Final = 10


def raised(error: BaseException) -> str:
    """The error in words, below it the lines that it came through."""
    try:
        said = "".join(traceback.format_exception_only(error)).strip()
    except Exception:  # noqa: BLE001  (its own text may raise as well)
        said = type(error).__name__
    if isinstance(error, SystemExit):
        said = f"SystemExit({error.code!r})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OURS, "<frozen")) and not frame.filename.endswith("importlib/__init__.py")
    ]
    return "\n".join([said, *"".join(traceback.format_list(frames[-_MOST_FRAMES:])).splitlines()])
