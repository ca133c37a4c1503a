"""How far each operand may be rounded before it is multiplied, from the operand itself rather than from its size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Profile
from convcheck_reference.formats import Format

Array = NDArray[np.float64]


def operand_errors(magnitudes: Array, profile: Profile, fmt: Format) -> Array:
    """The largest |â − a| that the profile allows for each operand, shaped as `magnitudes`.

    An operand that keeps p bits becomes one of its two neighbours among the numbers of p bits, or one of a finer grid
    between them: it moves by the distance of the farther at most, and not at all if it is one of these numbers. Nor
    does it move by more than ε·|a|, but where it is subnormal, whose spacing is that of the smallest normal number.

    Args:
        magnitudes: |a|, of numbers of `fmt`.
        profile: its ε and p; p may be unknown.
        fmt: the format that the operands come in, whose exponents they keep.
    """
    relative = profile.input_rounding * np.maximum(magnitudes, fmt.smallest_normal)
    bits = profile.input_precision
    if bits is None:
        return np.where(magnitudes > 0.0, relative, 0.0)
    exponents = np.maximum(np.frexp(magnitudes)[1] - 1, fmt.min_exponent)
    # below float64's smallest number there is no spacing to speak of: such operands keep all their bits
    spacing = np.ldexp(1.0, np.maximum(exponents - bits + 1, -1074))
    share = magnitudes / spacing
    share -= np.floor(share)
    farther = np.where(share > 0.0, np.maximum(share, 1.0 - share), 0.0) * spacing
    return np.asarray(np.minimum(farther, relative))
