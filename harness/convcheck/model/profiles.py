"""Profiles: the numeric promises a backend may make. A tolerance follows from one, never from a guess.

Sources of the rounding errors: Higham, Accuracy and Stability of Numerical Algorithms (2002), ch. 3;
TF32 and bfloat16 as documented by their vendors; Fasi et al. (2021) on tensor cores; Lavin & Gray, Fast
Algorithms for Convolutional Neural Networks (2016).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from convcheck_reference.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Format

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a backend promises to compute its sums. The properties combine freely.

    −0 equals 0 to every oracle, and none judges an element where the sum of magnitudes Σ|a||b| exceeds the largest
    finite number of the accumulator or the result, unless every order of summation overflows: so neither signed zeros
    nor an overflow in the middle of a sum needs a promise.

    Attributes:
        name: as reports show it; made of the properties if it is not given.
        accumulator: format of the partial sums; its name is taken as well.
        input_rounding: ε, relative error with which operands are rounded before they are multiplied.
        input_precision: significant bits that an operand keeps; None for all bits of its dtype.
        truncating: the accumulator rounds by truncation (tensor cores), so errors do not average out.
        flushes_subnormals: subnormal operands, products and results may become zero.
        rounds_before_bias: the sum may be rounded to the dtype, then the bias added and the result rounded again.
        spreads_nan: zeros that a kernel adds by itself (padding, filled tiles and channels) meet NaN and infinities,
            so that NaN may stand where the right result is a number or an infinity.
        repeatable: the same call gives the same bits; false where the order of summation is left to
            chance (atomic additions).
        exact: sums of integers that the accumulator can hold come out exact; false where an engine transforms or splits
            its operands for some layers of its choice, with errors as of sums that are rounded.
        algorithm: how the sums are formed; its name is taken as well.
    """

    name: str = ""
    accumulator: Format = FLOAT32
    input_rounding: float = 0.0
    input_precision: int | None = None
    truncating: bool = False
    flushes_subnormals: bool = False
    rounds_before_bias: bool = False
    spreads_nan: bool = False
    repeatable: bool = True
    exact: bool = True
    algorithm: Algorithm = Algorithm.DIRECT

    def __post_init__(self) -> None:
        # what crossed to another process, or was pasted from a report, has names only
        if not isinstance(self.accumulator, Format):
            if self.accumulator not in FORMATS:
                raise ValueError(f"accumulator={self.accumulator!r} is no format; expected one of {', '.join(FORMATS)}")
            object.__setattr__(self, "accumulator", FORMATS[self.accumulator])
        object.__setattr__(self, "algorithm", Algorithm(self.algorithm))
        object.__setattr__(self, "name", self.name or _named(self))

    @property
    def exact_integers(self) -> bool:
        """Whether sums of integers are exact in any order: transforms need head-room, or divide."""
        return self.algorithm is Algorithm.DIRECT and self.exact

    @property
    def declaration(self) -> str:
        """The expression that makes it, to be pasted: `Profile(accumulator="float16", flushes_subnormals=True)`."""
        plain = Profile()
        changed = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}
        changed = {name: value for name, value in changed.items() if value != getattr(plain, name)}
        if FORMATS.get(self.accumulator.name) == self.accumulator and "accumulator" in changed:
            changed["accumulator"] = self.accumulator.name
        if "algorithm" in changed:
            changed["algorithm"] = str(self.algorithm)
        said = (f"{name}={_quoted(value)}" for name, value in changed.items())
        return f"Profile({', '.join(said)})"

    def differences(self, other: Profile) -> tuple[str, ...]:
        """The names of the properties in which another profile differs."""
        return tuple(
            f.name for f in fields(self) if f.name != "name" and getattr(self, f.name) != getattr(other, f.name)
        )

    def promises_as(self, other: Profile) -> bool:
        """Whether another profile promises the same, whatever it is called."""
        return not self.differences(other)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _named(profile: Profile) -> str:
    """The properties as words: "float32 sums, subnormals flushed"."""
    operands = profile.input_precision
    said = (
        (f"{profile.accumulator.name} sums", True),
        (f"operands of {operands} bits", operands is not None),
        (f"operands rounded by {profile.input_rounding:g}", operands is None and profile.input_rounding > 0),
        ("truncated", profile.truncating),
        (str(profile.algorithm), profile.algorithm is not Algorithm.DIRECT),
        ("subnormals flushed", profile.flushes_subnormals),
        ("rounded before the bias", profile.rounds_before_bias),
        ("NaN from zeros", profile.spreads_nan),
        ("not repeatable", not profile.repeatable),
        ("integers not exact", not profile.exact),
    )
    return ", ".join(words for words, holds in said if holds)


FP64_STRICT: Final = Profile(name="fp64-strict", accumulator=FLOAT64)
FP32_STRICT: Final = Profile(name="fp32-strict", accumulator=FLOAT32)
TF32_INPUTS: Final = Profile(
    name="tf32", accumulator=FLOAT32, input_rounding=2.0**-10, input_precision=11, truncating=True
)
FP16_IN_FP32_ACC: Final = Profile(name="fp16-in-fp32-acc", accumulator=FLOAT32)
BF16_IN_FP32_ACC: Final = Profile(name="bf16-in-fp32-acc", accumulator=FLOAT32)
BF16_IN_FP32_ACC_FLUSHING: Final = Profile(
    name="bf16-in-fp32-acc-flushing", accumulator=FLOAT32, flushes_subnormals=True
)
FP16_ACC: Final = Profile(name="fp16-acc", accumulator=FLOAT16)
BF16_ACC: Final = Profile(name="bf16-acc", accumulator=BFLOAT16)
BF16_ACC_FLUSHING: Final = Profile(name="bf16-acc-flushing", accumulator=BFLOAT16, flushes_subnormals=True)
WINOGRAD_F2: Final = Profile(name="winograd-f2", accumulator=FLOAT32, algorithm=Algorithm.WINOGRAD_F2)
WINOGRAD_F4: Final = Profile(name="winograd-f4", accumulator=FLOAT32, algorithm=Algorithm.WINOGRAD_F4)
WINOGRAD_F6: Final = Profile(name="winograd-f6", accumulator=FLOAT32, algorithm=Algorithm.WINOGRAD_F6)
FFT: Final = Profile(name="fft", accumulator=FLOAT32, algorithm=Algorithm.FFT)

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
