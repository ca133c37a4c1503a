"""What torch on CUDA promises: measured, since nobody documents it.

On an H100 (torch 2.11.0+cu130, cuDNN 9.19, deterministic algorithms, no benchmarking): 2,089 random layers of exact
integers in each of three dtypes, and 3,000 cases of convcheck with TF32 off, with TF32, and in channels_last.

* 16-bit outputs with a bias are rounded before it is added as well, but for torch's own depthwise kernels.
* Sums of integers are now and then not exact, in few layers that cuDNN chooses: outputs and input gradients of kernels
  larger than 1×1 (FFT- or Winograd-like), weight gradients of any. The errors stay below those of rounded sums.
* Weight gradients of bfloat16 in groups are in part summed in bfloat16.
* The gradient of reflect and replicate padding is scattered by atomic additions: in another order every time, and those
  of float32 flush subnormals. Gradients of bfloat16 flush them by other paths as well.
* float16, and float32 as TF32, in groups: zeros that fill up channels meet what is not finite, and NaN comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from convcheck.model.capabilities import ProfileKey
from convcheck.model.profiles import STRICT, TF32_INPUTS, Profile
from convcheck_reference.formats import BFLOAT16

_SCATTERED: Final = ("reflect", "replicate")


def _declared(dtype: str, base: Profile, **of_all: Any) -> Iterator[tuple[ProfileKey, Profile]]:
    """By quantity and path; `of_all` is given up in outputs and input gradients."""
    half = dtype in ("float16", "bfloat16")
    flushing = dtype == "bfloat16"
    output = replace(base, name="", rounds_before_bias=half, **of_all)
    yield (dtype, "output"), output
    yield (dtype, "output", "spatial"), replace(output, name="", exact=False)
    grad_input = replace(base, name="", exact=False, flushes_subnormals=flushing, **of_all)
    yield (dtype, "grad_input"), grad_input
    for mode in _SCATTERED:
        yield (
            (dtype, "grad_input", mode),
            replace(grad_input, name="", repeatable=False, flushes_subnormals=dtype != "float16"),
        )
    grad_weight = replace(base, name="", exact=False, flushes_subnormals=flushing)
    yield (dtype, "grad_weight"), grad_weight
    if dtype == "bfloat16":
        for path in ("grouped", "depthwise"):
            yield (dtype, "grad_weight", path), replace(grad_weight, name="", accumulator=BFLOAT16)


def _of_float64() -> Iterator[tuple[ProfileKey, Profile]]:
    for mode in _SCATTERED:
        yield ("float64", "grad_input", mode), replace(STRICT["float64"], name="", repeatable=False)


CUDA_PROFILES: Final[Mapping[ProfileKey, Profile]] = MappingProxyType(
    {
        **dict(_declared("float32", STRICT["float32"])),
        **dict(_of_float64()),
        **dict(_declared("float16", STRICT["float16"], spreads_nan=True)),
        **dict(_declared("bfloat16", STRICT["bfloat16"])),
    }
)
"""With TF32 off."""

TF32_PROFILES: Final[Mapping[ProfileKey, Profile]] = MappingProxyType(
    {"float32": TF32_INPUTS, **dict(_declared("float32", TF32_INPUTS, spreads_nan=True))}
)
"""With TF32 on, which concerns float32 alone."""
