"""Winograd's minimal filtering F(m, 3) and F(3, m): their transforms, and what they do to rounding errors.

A filter is a transposed Toom-Cook multiplication of polynomials. F(m, 3) gives m outputs from m + 2 pixels and
3 taps; F(3, m) gives the gradients of 3 taps from m + 2 pixels and m gradients of outputs. Sources: Lavin & Gray,
Fast Algorithms for Convolutional Neural Networks (2016), section 4; Blahut, Fast Algorithms for Signal Processing
(2010), section 5.2; Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

TAPS: Final = 3
_POINTS: Final = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))


@dataclass(frozen=True, slots=True, eq=False)
class Transforms:
    """The matrices of F(m, r), r = 3 for outputs: y = Aᵀ[(G·g) ⊙ (Bᵀ·d)], from m + r − 1 pixels and r taps.

    Attributes:
        output: Aᵀ, (m, m + r − 1).
        kernel: G, (m + r − 1, r).
        data: Bᵀ, (m + r − 1, m + r − 1).
    """

    output: Array
    kernel: Array
    data: Array

    @property
    def for_weights(self) -> Transforms:
        """Those of F(r, m), y = Gᵀ[(A·e) ⊙ (Bᵀ·d)]: the adjoint of y in g, from gradients e of m outputs.

        Other matrices of F(r, m) on the same points differ in factors of their rows, which cancel in Λ.
        """
        return Transforms(self.kernel.T, self.output.T, self.data)

    @property
    def amplification(self) -> float:
        """Λ, for two dimensions: the most that Σ |Aᵀ|(|G||g| ⊙ |Bᵀ||d|) exceeds max|g|·max|d|.

        It bounds what the transforms sum up on the way, and with it their rounding errors.
        """
        at_ones = np.abs(self.kernel).sum(axis=1) * np.abs(self.data).sum(axis=1)
        return float((np.abs(self.output) @ at_ones).max()) ** 2

    @property
    def depth(self) -> int:
        """Roundings that one product meets on its way through all transforms of two dimensions.

        A row with z entries costs a coefficient, a product with it, and z − 1 additions.
        """
        longest = (int(np.count_nonzero(m, axis=1).max()) for m in (self.output, self.kernel, self.data))
        return 2 * sum(entries + 1 for entries in longest)

    @property
    def denominator(self) -> int | None:
        """What makes all transformed integers integers, for two dimensions, if it is a power of two; else None."""
        common = 1
        for matrix in (self.output, self.kernel, self.data):
            scale = next((2**k for k in range(8) if np.array_equal(np.rint(matrix * 2**k), matrix * 2**k)), None)
            if scale is None:
                return None
            common *= scale
        return common**2


def suits_winograd(params: Conv2dParams) -> bool:
    """Whether the layer is 3×3 with stride and dilation 1; every other one is computed directly."""
    return params.kernel_size == (TAPS, TAPS) and params.stride == params.dilation == (1, 1)


@lru_cache
def transforms(tile: int) -> Transforms:
    """The matrices of F(tile, 3) in float64, from the points 0, ±1, ±2, ±1/2 and infinity.

    Toom-Cook multiplies polynomials through their values at m + 2 points; transposed, it filters. With
    N_j = ∏ (p_j − p_k), row j of G is (1, p, p²)/N_j, column j of Aᵀ the powers of p_j, and row j of Bᵀ
    the coefficients of ∏ (x − p_k); infinity takes the leading coefficients.
    """
    points = _POINTS[: tile + TAPS - 2]
    size = len(points) + 1
    data, kernel, output = [], [], []
    for point in points:
        others = [p for p in points if p != point]
        scale = _product(point - p for p in others)
        data.append([*_coefficients(others), Fraction(0)])
        kernel.append([point**power / scale for power in range(TAPS)])
        output.append([point**power for power in range(tile)])
    data.append(_coefficients(points))
    kernel.append([Fraction(0)] * (TAPS - 1) + [Fraction(1)])
    output.append([Fraction(0)] * (tile - 1) + [Fraction(1)])
    assert all(len(row) == size for row in data)
    as_floats = (np.array([[float(v) for v in row] for row in rows]) for rows in (output, kernel, data))
    a, g, b = as_floats
    return Transforms(a.T, g, b)


def _coefficients(roots: Any) -> list[Fraction]:
    """Of ∏ (x − root), the constant first."""
    found = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *found]
        found = [s - root * f for s, f in zip(shifted, [*found, Fraction(0)], strict=True)]
    return found


def _product(values: Any) -> Fraction:
    total = Fraction(1)
    for value in values:
        total *= value
    return total
