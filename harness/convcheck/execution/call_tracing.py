"""Call tracing: which convolutions of other people a candidate calls while it runs.

torch's are seen at its dispatcher, whatever the way there; torch.compile runs eagerly meanwhile. SciPy's
and OpenCV's are seen by their public names. A process can always hide from itself: who reaches behind
these names, or starts another process, is not seen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from typing import Any, Final

Watch = Callable[[], AbstractContextManager["list[str] | None"]]
"""Watches while entered; the list fills with what is called, None stands for not watching."""

_CONVOLUTION: Final = re.compile(r"conv(?!ert)")
_FUNCTIONS: Final = {
    "scipy.signal": ("convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"),
    "scipy.ndimage": ("convolve", "correlate"),
    "cv2": ("filter2D",),
}


def untraced() -> AbstractContextManager[None]:
    """A candidate that may call what it likes."""
    return nullcontext()


class CallTracing:
    """Watches from its construction on, which has to come before the candidate is loaded."""

    def __init__(self) -> None:
        self._called: list[str] = []
        self._watch_torch()
        for module, names in _FUNCTIONS.items():
            # what is absent cannot be called; what fails to import is the candidate's business
            with suppress(Exception):
                self._watch_functions(import_module(module), names)

    @contextmanager
    def __call__(self) -> Iterator[list[str]]:
        """The names of what has been called since the last time, and is called from here to the end."""
        try:
            with self._torch_mode():  # type: ignore[no-untyped-call]
                yield self._called
        finally:
            self._called = []

    def _note(self, name: str) -> None:
        if name not in self._called:
            self._called.append(name)

    def _watch_torch(self) -> None:
        import torch  # noqa: PLC0415  (only where it is needed)
        from torch.utils._python_dispatch import TorchDispatchMode  # noqa: PLC0415  (as above)

        note = self._note

        class Mode(TorchDispatchMode):  # type: ignore[no-untyped-call]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                if _CONVOLUTION.search(str(func)):
                    note(f"torch.ops.{func}")
                return func(*args, **(kwargs or {}))

        self._torch_mode = Mode
        with Mode():  # type: ignore[no-untyped-call]
            torch.empty(0)  # what torch loads for the first operator in a mode takes seconds
        run = threading.Thread.run

        def watched_run(thread: threading.Thread) -> None:
            # a mode holds in its own thread only
            with Mode():  # type: ignore[no-untyped-call]
                run(thread)

        threading.Thread.run = watched_run  # type: ignore[method-assign,assignment]

    def _watch_functions(self, module: Any, names: tuple[str, ...]) -> None:
        for name in names:
            original = getattr(module, name)

            def watched(*args: Any, _original: Any = original, _name: str = name, **keywords: Any) -> Any:
                self._note(f"{module.__name__}.{_name}")
                return _original(*args, **keywords)

            setattr(module, name, watched)
