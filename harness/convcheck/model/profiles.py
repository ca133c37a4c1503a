"""Profiles: the numeric promises a backend may make. A tolerance follows from one, never from a guess.

Sources of the rounding errors: Higham, Accuracy and Stability of Numerical Algorithms (2002), ch. 3;
TF32 and bfloat16 as documented by their vendors; Fasi et al. (2021) on tensor cores; Lavin & Gray, Fast
Algorithms for Convolutional Neural Networks (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from convcheck_reference.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format

Quantity: TypeAlias = Literal["output", "grad_input", "grad_weight", "grad_bias"]
QUANTITIES: Final[tuple[Quantity, ...]] = ("output", "grad_input", "grad_weight", "grad_bias")
GRADIENTS: Final[tuple[Quantity, ...]] = QUANTITIES[1:]


class Algorithm(StrEnum):
    """How sums of products are formed.

    DIRECT: products of the operands, in any order (loops, matrix products, fused or split sums).
    WINOGRAD_F2, _F4, _F6: F(m×m, 3×3) with the points 0, ±1, ±2, ±1/2 (Lavin & Gray 2016) for layers of
    kernel 3×3, stride 1 and dilation 1; every other layer is computed directly.
    FFT: through Fourier transforms of whole images, or directly.
    """

    DIRECT = "direct"
    WINOGRAD_F2 = "winograd-f2"
    WINOGRAD_F4 = "winograd-f4"
    WINOGRAD_F6 = "winograd-f6"
    FFT = "fft"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a backend promises to compute its sums.

    Attributes:
        name: as reports show it.
        accumulator: format of the partial sums.
        input_rounding: ε, relative error with which operands are rounded before they are multiplied.
        input_precision: significant bits that an operand keeps; None for all bits of its dtype.
        truncating: the accumulator rounds by truncation (tensor cores), so errors do not average out.
        flushes_subnormals: subnormal operands, products and results may become zero.
        repeatable: the same call gives the same bits; false where the order of summation is left to
            chance (atomic additions).
        algorithm: how the sums are formed.
    """

    name: str
    accumulator: Format
    input_rounding: float = 0.0
    input_precision: int | None = None
    truncating: bool = False
    flushes_subnormals: bool = False
    repeatable: bool = True
    algorithm: Algorithm = Algorithm.DIRECT

    def __post_init__(self) -> None:
        # a profile that crossed to another process has the name only
        object.__setattr__(self, "algorithm", Algorithm(self.algorithm))

    @property
    def exact_integers(self) -> bool:
        """Whether sums of integers are exact in any order: transforms need head-room, or divide."""
        return self.algorithm is Algorithm.DIRECT


FP64_STRICT: Final = Profile("fp64-strict", FLOAT64)
FP32_STRICT: Final = Profile("fp32-strict", FLOAT32)
TF32_INPUTS: Final = Profile("tf32", FLOAT32, input_rounding=2.0**-10, input_precision=11, truncating=True)
FP16_IN_FP32_ACC: Final = Profile("fp16-in-fp32-acc", FLOAT32)
BF16_IN_FP32_ACC: Final = Profile("bf16-in-fp32-acc", FLOAT32)
BF16_IN_FP32_ACC_FLUSHING: Final = Profile("bf16-in-fp32-acc-flushing", FLOAT32, flushes_subnormals=True)
FP16_ACC: Final = Profile("fp16-acc", FLOAT16)
BF16_ACC: Final = Profile("bf16-acc", BFLOAT16)
BF16_ACC_FLUSHING: Final = Profile("bf16-acc-flushing", BFLOAT16, flushes_subnormals=True)
WINOGRAD_F2: Final = Profile("winograd-f2", FLOAT32, algorithm=Algorithm.WINOGRAD_F2)
WINOGRAD_F4: Final = Profile("winograd-f4", FLOAT32, algorithm=Algorithm.WINOGRAD_F4)
WINOGRAD_F6: Final = Profile("winograd-f6", FLOAT32, algorithm=Algorithm.WINOGRAD_F6)
FFT: Final = Profile("fft", FLOAT32, algorithm=Algorithm.FFT)

PROFILES: Final = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            FP64_STRICT,
            FP32_STRICT,
            TF32_INPUTS,
            FP16_IN_FP32_ACC,
            BF16_IN_FP32_ACC,
            BF16_IN_FP32_ACC_FLUSHING,
            FP16_ACC,
            BF16_ACC,
            BF16_ACC_FLUSHING,
            WINOGRAD_F2,
            WINOGRAD_F4,
            WINOGRAD_F6,
            FFT,
        )
    }
)

STRICT: Final = MappingProxyType(
    {
        "float16": FP16_IN_FP32_ACC,
        "bfloat16": BF16_IN_FP32_ACC,
        "float32": FP32_STRICT,
        "float64": FP64_STRICT,
        "complex64": FP32_STRICT,
        "complex128": FP64_STRICT,
    }
)
"""The promise that a backend makes for a dtype unless it declares another."""
