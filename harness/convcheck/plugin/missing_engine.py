"""A package that a backend needs and that is not installed: its absence is for whoever runs it to mend, in one line.

Only what is known for an engine, or declared as a requirement, counts as one: a misspelled module of one's own is not
installed either, and a backend that is left out for that would never be missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Final

from convcheck.plugin.backend import UnavailableError

_BY_THEIR_NAMES: Final = (
    "MNN", "autograd", "cffi", "cppyy", "dpnp", "jax", "keras", "mxnet", "ncnn", "numba", "onnx", "onnxruntime",
    "onnxscript", "openvino", "pycuda", "pyopencl", "scipy", "taichi", "tensorflow", "tensorrt", "tinygrad", "torch",
    "tract", "triton",
)  # fmt: skip
_INSTALLED_AS: Final = {name: name for name in _BY_THEIR_NAMES} | {
    "PIL": "pillow",
    "ai_edge_litert": "ai-edge-litert",
    "cupy": "cupy-cuda13x, or cupy-cuda12x for CUDA 12",
    "cv2": "opencv-python-headless",
    "mlx": "'mlx[cpu]', or mlx on a Mac",
    "paddle": "paddlepaddle",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tvm": "apache-tvm",
}
"""Engines, and what kernels are written with, by the name that is imported; what pip calls each."""

_PROJECT: Final = re.compile(r"[\w.-]+")


def absence(error: BaseException, asked: str = "", requirements: Iterable[str] = ()) -> UnavailableError | None:
    """What is missing, if an import raised that an engine is; None for any other error.

    Args:
        error: which the import of a backend, or its constructor, raised.
        asked: the dotted name that a user typed: its package is no engine, and may be misspelled.
        requirements: of the distribution that brings the backend.
    """
    name = _missing(error)
    if name is None or name == asked.partition(".")[0]:
        return None
    installed_as = _INSTALLED_AS.get(name) or _required(name, requirements)
    if installed_as is None:
        return None
    return UnavailableError(f"needs {name}, which is not installed: pip install {installed_as}")


def requirements_of(module: str) -> Sequence[str]:
    """What the distributions that a module comes with require, always or as an extra; nothing if it is of none."""
    found = packages_distributions().get(module.partition(".")[0], ())
    return [requirement for distribution in found for requirement in requires(distribution) or ()]


def advice(error: BaseException, beside: Path | None = None) -> str:
    """What to do about a package that is missing and is no engine, as a line; empty for any other error.

    Args:
        error: which the import of a backend raised.
        beside: the folder in which its own modules lie.
    """
    name = _missing(error)
    if name is None:
        return ""
    own = [] if beside is None else [p.stem for p in beside.iterdir() if p.suffix == ".py" or p.is_dir()]
    near = get_close_matches(name, own, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"\n{meant}If {name} is an engine that may be absent, raise convcheck.UnavailableError where its import fails, "
        f"or name it among the requirements of the package that brings the backend"
    )


def _missing(error: BaseException) -> str | None:
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    # of a dotted name the package is there, and what is missing is a part of it
    return name if isinstance(name, str) and name.isidentifier() else None


def _required(name: str, requirements: Iterable[str]) -> str | None:
    """What pip calls a required distribution that has the name of a package, as most have."""
    projects = [found[0] for requirement in requirements if (found := _PROJECT.match(requirement))]
    return next((project for project in projects if _normalized(project) == _normalized(name)), None)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
