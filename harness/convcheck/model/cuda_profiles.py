"""What torch on CUDA promises: measured, since nobody documents it.

On an H100 and an H200 (torch 2.11.0+cu130, cuDNN 9.19, deterministic algorithms, no benchmarking): 2,089 random layers
of exact integers in each of three dtypes, and 10,000 cases of convcheck with TF32 off, with it, and in channels_last.

* 16-bit outputs with a bias are rounded before it is added as well, but for torch's own depthwise kernels.
* Sums of integers are now and then not exact, in few layers that cuDNN chooses: outputs and input gradients of kernels
  larger than 1×1 (FFT- or Winograd-like), weight gradients of any. The errors stay below those of rounded sums; only
  input gradients of float16 have been seen beyond them, within what Winograd's F(4, 3) may come to.
* Where algorithms transform or split operands, and where zeros fill channels up, NaN comes of what is not finite.
* Weight gradients of bfloat16 in groups are in part summed in bfloat16.
* The gradient of reflect and replicate padding is scattered by atomic additions: in another order every time, and those
  of float32 flush subnormals. So do bfloat16 and TF32, and the sums of float16 in input gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from convcheck.model.capabilities import ProfileKey
from convcheck.model.profiles import STRICT, TF32_INPUTS, Algorithm, Profile
from convcheck_reference.formats import BFLOAT16

SCATTERED: Final = ("reflect", "replicate")
"""Padding modes whose gradient is."""


def _declared(dtype: str, base: Profile, *, flushes: bool = False) -> Iterator[tuple[ProfileKey, Profile]]:
    """By quantity and path; subnormals may be flushed in each, or in some input gradients only."""
    half = dtype in ("float16", "bfloat16")
    plain = replace(
        base, name="", rounds_before_bias=half, flushes_subnormals=flushes, spreads_nan=half or base.spreads_nan
    )
    transformed = replace(base, name="", exact=False, spreads_nan=True, flushes_subnormals=flushes)
    convolved = transformed
    if dtype == "float16":
        convolved = replace(transformed, name="", algorithm=Algorithm.WINOGRAD_F4)
    yield (dtype, "output"), plain
    yield (dtype, "output", "spatial"), replace(convolved, name="", rounds_before_bias=half)
    grad_input = replace(convolved, name="", flushes_subnormals=flushes or dtype == "float16")
    yield (dtype, "grad_input"), grad_input
    for mode in SCATTERED:
        yield (dtype, "grad_input", mode), replace(grad_input, name="", repeatable=False, flushes_subnormals=True)
    yield (dtype, "grad_weight"), transformed
    if dtype == "bfloat16":
        for path in ("grouped", "depthwise"):
            yield (dtype, "grad_weight", path), replace(transformed, name="", accumulator=BFLOAT16)


def _of_float64() -> Iterator[tuple[ProfileKey, Profile]]:
    for mode in SCATTERED:
        yield ("float64", "grad_input", mode), replace(STRICT["float64"], name="", repeatable=False)


CUDA_PROFILES: Final[Mapping[ProfileKey, Profile]] = MappingProxyType(
    {
        **dict(_declared("float32", STRICT["float32"])),
        **dict(_of_float64()),
        **dict(_declared("float16", STRICT["float16"])),
        **dict(_declared("bfloat16", STRICT["bfloat16"], flushes=True)),
    }
)
"""With TF32 off."""

TF32_PROFILES: Final[Mapping[ProfileKey, Profile]] = MappingProxyType(
    {"float32": TF32_INPUTS, **dict(_declared("float32", replace(TF32_INPUTS, spreads_nan=True), flushes=True))}
)
"""With TF32 on, which concerns float32 alone."""
