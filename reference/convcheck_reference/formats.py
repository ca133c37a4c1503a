"""Floating-point formats: the figures that rounding bounds are made of.

Source: IEEE 754-2019, table 3.5; bfloat16 and TF32 as documented by their vendors (8 exponent bits,
8 and 11 significant bits, the leading one included).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import ml_dtypes
import numpy as np


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format.

    Attributes:
        name: its name in torch and NumPy.
        precision: significant bits p, the leading one included.
        min_exponent: exponent of the smallest normal number, 2**min_exponent.
        max_exponent: exponent of the largest binade.
    """

    name: str
    precision: int
    min_exponent: int
    max_exponent: int

    @property
    def unit_roundoff(self) -> float:
        """U = 2^−p, the largest relative error of rounding to nearest."""
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        """2^min_exponent."""
        return 2.0**self.min_exponent

    @property
    def underflow_error(self) -> float:
        """Half the spacing of the subnormals, 2^(min_exponent − p): the largest absolute error there.

        For float64 that is no float64 itself; the whole spacing stands for it.
        """
        return max(2.0 ** (self.min_exponent - self.precision), math.ulp(0.0))

    @property
    def largest(self) -> float:
        """The largest finite number, (2 − 2^(1−p))·2^max_exponent."""
        return float((2.0 - 2.0 ** (1 - self.precision)) * 2.0**self.max_exponent)


FLOAT64: Final = Format("float64", 53, -1022, 1023)
FLOAT32: Final = Format("float32", 24, -126, 127)
TF32: Final = Format("tf32", 11, -126, 127)
FLOAT16: Final = Format("float16", 11, -14, 15)
BFLOAT16: Final = Format("bfloat16", 8, -126, 127)

FORMATS: Final = MappingProxyType({f.name: f for f in (FLOAT64, FLOAT32, TF32, FLOAT16, BFLOAT16)})

DTYPES: Final = MappingProxyType(
    {
        "float16": np.dtype(np.float16),
        "bfloat16": np.dtype(ml_dtypes.bfloat16),
        "float32": np.dtype(np.float32),
        "float64": np.dtype(np.float64),
        "complex64": np.dtype(np.complex64),
        "complex128": np.dtype(np.complex128),
    }
)
"""The dtypes that a case may have, by their torch name."""


def component_format(dtype: str) -> Format:
    """The format of a dtype's values, or of their real and imaginary parts."""
    return FORMATS[{"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)]
