"""A package that a backend needs and that is not installed: its absence is for whoever runs it to mend, in one line."""

from __future__ import annotations

from typing import Final

from convcheck.plugin.backend import UnavailableError

_INSTALLED_AS: Final = {
    "PIL": "pillow",
    "ai_edge_litert": "ai-edge-litert",
    "cupy": "cupy-cuda13x, or cupy-cuda12x for CUDA 12",
    "cv2": "opencv-python-headless",
    "mlx": "'mlx[cpu]', or mlx on a Mac",
    "paddle": "paddlepaddle",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}
"""What pip calls a package, where its import name is another."""


def absence(error: BaseException, asked: str = "") -> UnavailableError | None:
    """What is missing, if that is what an import raised; None for any other error.

    Args:
        error: which the import of a backend, or its constructor, raised.
        asked: the dotted name that a user typed: its package is no engine, and may be misspelled.
    """
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    # of a dotted name the package is there, and what is missing is a part of it
    if not isinstance(name, str) or not name.isidentifier() or name == asked.partition(".")[0]:
        return None
    return UnavailableError(f"needs {name}, which is not installed: pip install {_INSTALLED_AS.get(name, name)}")
