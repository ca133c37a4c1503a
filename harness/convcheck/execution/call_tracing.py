"""Call tracing: other people's convolutions that are not torch's are seen by their public names.

torch's are seen in its own trace (`convcheck.execution.confinement.trace`), and what is seen here is written there.
Who reaches behind these names is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

_FUNCTIONS: Final = {
    "scipy.signal": ("convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"),
    "scipy.ndimage": ("convolve", "correlate"),
    "cv2": ("filter2D",),
}


def watch_functions(note: Callable[[str], object]) -> None:
    """Have `note` called with the name of each of them that is called, from here on.

    This has to come before the candidate is loaded.
    """
    for module, names in _FUNCTIONS.items():
        # what is absent cannot be called; what fails to import is the candidate's business
        with suppress(Exception):
            _watch(import_module(module), names, note)


def _watch(module: Any, names: tuple[str, ...], note: Callable[[str], object]) -> None:
    for name in names:
        original = getattr(module, name)

        def watched(*args: Any, _original: Any = original, _name: str = name, **keywords: Any) -> Any:
            note(f"{module.__name__}.{_name}")
            return _original(*args, **keywords)

        setattr(module, name, watched)
