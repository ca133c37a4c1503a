"""How large the errors of many elements can be together, where a bound of each alone says little.

The largest legal error of one element supposes that everything goes wrong in it. In thousands of elements that cannot
happen. Let the errors be e = A·s + b, with independent s_j that are sub-Gaussian with factor 1 (random signs are, and
so are roundings of mean zero in units of the largest), rows of A with squares σ² = Σ_j A_ij² and |b| known. Scaled by
any τ that does not hang on s, with S = (A/τ)ᵀ(A/τ),

    P(‖A·s/τ‖² > tr S + 2·√(t·tr S²) + 2·t·‖S‖) ≤ exp(−t)

(Hsu, Kakade & Zhang, A tail inequality for quadratic forms of subgaussian random vectors, 2012, theorem 2.1 with its
remark for vectors of mean zero). tr S = Σ σ²/τ². Where no s_j takes part in more than c elements,

    ‖A·v‖² = Σ_i (Σ_j A_ij·v_j)² ≤ Σ_i σ_i²·Σ_{j in i} v_j² ≤ c·max σ²·‖v‖²,

so ‖S‖ ≤ c·max σ²/τ², and tr S² ≤ ‖S‖·tr S. Parts of A that stand side by side add up: S of the rows is the sum of
theirs. All this needs magnitudes only: neither which way an operand is rounded nor in which order products are summed.
With t = λ²/2, λ as in `convcheck.numerics.bounds`, a right result fails as rarely as a single element there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.numerics.bounds import LAMBDA

Array = NDArray[np.float64]

EXPONENT: Final = LAMBDA**2 / 2.0
"""t: the check fails with a probability of exp(−t) = 1.3·10⁻¹⁴."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Errors that come of independent causes of one sort.

    Attributes:
        squares: σ² of each element.
        shared: c, the most elements that one cause takes part in.
    """

    squares: Array
    shared: float


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """What the errors of all elements of a result may be together.

    Attributes:
        scale: τ, in which the error of each element is measured; infinite where it is not judged.
        most: the largest legal root mean square of e/τ over the elements that are judged.
        judged: how many they are.
    """

    scale: Array
    most: float
    judged: int

    def share(self, error: Array) -> float:
        """The root mean square of some errors, in units of the largest legal one."""
        return math.sqrt(float((self.ratios(error) ** 2).sum()) / self.judged) / self.most

    def ratios(self, error: Array) -> Array:
        """|e|/τ of each element; 0 where it is not judged."""
        judged = np.isfinite(self.scale) & (self.scale > 0.0)
        return np.divide(np.abs(error), self.scale, np.zeros(self.scale.shape), where=judged)


def aggregate(parts: Sequence[Part], certain: Array) -> Aggregate | None:
    """The largest legal aggregate of errors; None where no element has one.

    Args:
        parts: the errors of independent causes.
        certain: the most by which each element may be off besides; infinite where it is not judged.
    """
    squares = np.sum([part.squares for part in parts], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.sqrt(squares + certain**2)
    at = np.isfinite(scale) & (scale > 0.0)
    count = int(np.count_nonzero(at))
    if not count:
        return None
    shares = [(part.squares[at] / scale[at] ** 2, part.shared) for part in parts]
    trace = float(sum(share.sum() for share, _ in shares))
    # no part is larger than its trace
    norm = float(sum(min(shared * share.max(), share.sum()) for share, shared in shares))
    random = trace + 2.0 * math.sqrt(EXPONENT * norm * trace) + 2.0 * EXPONENT * norm
    besides = float(np.sqrt(((certain[at] / scale[at]) ** 2).sum()))
    return Aggregate(np.where(at, scale, np.inf), (math.sqrt(random) + besides) / math.sqrt(count), count)
