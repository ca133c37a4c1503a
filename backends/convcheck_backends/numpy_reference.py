"""The reference formulation as a backend: NumPy sums in float64, rounded once to the dtype."""

from __future__ import annotations

from convcheck import ReferenceBackend


class NumpyBackend(ReferenceBackend):
    """`convcheck_reference.convolution`, for every dtype, layout and mode."""

    name = "numpy"
