"""Call tracing: other people's convolutions that are not torch's are seen by their names.

torch's are seen in its own trace (`convcheck.execution.confinement.trace`), and what is seen here is written there.
Behind the public names the inner ones are watched that they lead to, so that who keeps a public function is seen too.
Who finds a compiled function behind its inner name is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib import import_module
from typing import Any, Final

_FUNCTIONS: Final = {
    "scipy.signal": ("convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve"),
    "scipy.ndimage": ("convolve", "correlate"),
    "cv2": ("filter2D", "sepFilter2D"),
    "scipy.signal._sigtools": ("_convolve2d", "_correlateND"),
    "scipy.signal._signaltools": ("_freq_domain_conv", "_oa_calc_oalens"),
    "scipy.ndimage._nd_image": ("correlate",),
}


def watch_functions(note: Callable[[str], object]) -> None:
    """Have `note` called with the name of each of them that is called, from here on.

    This has to come before the candidate is loaded.
    """
    for module, names in _FUNCTIONS.items():
        # what is absent cannot be called; what fails to import is the candidate's business
        with suppress(Exception):
            watched = import_module(module)
            for name in (name for name in names if hasattr(watched, name)):
                setattr(watched, name, _noting(getattr(watched, name), f"{module}.{name}", note))


def _noting(original: Callable[..., Any], name: str, note: Callable[[str], object]) -> Callable[..., Any]:
    @wraps(original)
    def noting(*arguments: Any, **keywords: Any) -> Any:
        note(name)
        return original(*arguments, **keywords)

    del noting.__wrapped__  # it need not be handed out
    return noting
