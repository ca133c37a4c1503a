"""Cheats: right where a test looks, cheap elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.deviations import BACKWARD, Deviation, both, gives, leaves, operand, rounded, takes
from convcheck.defects.model import Category, Defect, DefectBackend, deviating
from convcheck.defects.problem import Problem
from convcheck.model.rules import Rule
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]
_row = partial(deviating, Category.CHEATS)


class _Replaying(DefectBackend):
    """Returns the previous output where shapes and layer are the same."""

    def __init__(self) -> None:
        self._previous: tuple[Any, Array] | None = None

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        key = (x.shape, x.dtype, params)
        if self._previous is None or self._previous[0] != key:
            self._previous = key, super().conv2d(x, weight, bias, params)
        return self._previous[1].copy()


class _ZeroingInputs(DefectBackend):
    """Zeroes its input once it has computed, so that a comparison against it is trivial."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        output = super().conv2d(x, weight, bias, params)
        x[...] = 0
        return output


def _first_pixels_then_mean(output: Array, _: Problem) -> Array:
    flat = output.reshape(*output.shape[:2], math.prod(output.shape[2:])).copy()
    flat[..., 64:] = flat[..., :64].mean(axis=-1, keepdims=True)
    return flat.reshape(output.shape)


def _mean(output: Array, _: Problem) -> Array:
    return np.broadcast_to(output.mean(axis=(-1, -2), keepdims=True), output.shape)


def _if_sampled(looks_so: Callable[[Problem], bool], change: Callable[[Problem], Problem]) -> Deviation:
    return takes(lambda problem: change(problem) if looks_so(problem) else problem)


def _first_image_is_zero(problem: Problem) -> bool:
    return problem.batch > 1 and not problem.x[0].any()


def _images_look_alike(problem: Problem) -> bool:
    """The first eight pixels of every image agree."""
    sampled = problem.x.reshape(problem.batch, -1)[:, :8]
    return problem.batch > 1 and bool((sampled == sampled[:1]).all())


def _kernel_looks_symmetric(problem: Problem) -> bool:
    """The first row of the first filter reads the same from both sides."""
    row = problem.weight[0, 0, 0]
    return bool((row == row[::-1]).all())


def _mirrored(weight: Array) -> Array:
    """The right half of each row copied from the left."""
    half = (weight.shape[-1] + 1) // 2
    return np.concatenate([weight[..., :half], weight[..., : weight.shape[-1] - half][..., ::-1]], axis=-1)


def _begins_with_zero(bias: Array, _: Problem) -> Array:
    return np.zeros_like(bias) if bias[0] == 0 else bias


def _as_int8_if_integers(array: Array, _: Problem) -> Array:
    """Wrapped to eight bits where the first element is an integer."""
    wide = np.asarray(array, np.float64)
    if not wide.size or wide.reshape(-1)[0] % 1 != 0:
        return wide
    return np.where(np.isfinite(wide), (wide + 128) % 256 - 128, wide)


def _float16_if_it_fits(array: Array, _: Problem) -> Array:
    wide = np.asarray(array, np.float64)
    return rounded(wide, "float16") if np.abs(wide).max(initial=0.0) < 65504 else wide


def _rank_one(weight: Array, _: Problem) -> Array:
    wide = np.asarray(weight, np.float64)
    if not np.isfinite(wide).all():
        return wide
    left, strength, right = np.linalg.svd(wide)
    return np.asarray(left[..., :, :1] * strength[..., None, :1] * right[..., :1, :])


def _ones_if_expanded(grad: Array, _: Problem) -> Array:
    """A gradient of stride 0 is taken for that of a sum: its first element everywhere."""
    expanded = any(size > 1 and stride == 0 for size, stride in zip(grad.shape, grad.strides, strict=True))
    return np.full_like(grad, grad.reshape(-1)[0]) if expanded else grad


def _calls(name: str, summary: str, build: Callable[[], DefectBackend]) -> Defect:
    return Defect(name, Category.CHEATS, summary, Rule(""), build)


_USUAL = "(1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 64, 112, 128, 224, 256)"

DEFECTS: Final[tuple[Defect, ...]] = (
    _calls("previous-output-replayed", "the previous output where layer and shapes are the same", _Replaying),
    _calls("inputs-zeroed", "an input that the call leaves at zero", _ZeroingInputs),
    _row("unusual-height", "the last row left at zero for heights that no test uses",
         f"height not in {_USUAL}", leaves(lambda _: (..., slice(-1, None), slice(None)))),
    _row("first-pixels-then-mean", "the mean of the first 64 pixels of a channel in place of the others",
         "output_h * output_w > 64", gives(_first_pixels_then_mean)),
    _row("mean-of-long-sums", "the mean of the channel where sums are long",
         "in_per_group * kernel_h * kernel_w > 256 and output_h * output_w > 1", gives(_mean)),
    _row("zero-first-image", "an input of zeros where the first image is one",
         "batch > 1", _if_sampled(_first_image_is_zero, lambda p: replace(p, x=np.zeros_like(p.x)))),
    _row("images-that-look-alike", "the first image for all where their first eight pixels agree",
         "batch > 1 and in_channels * height * width > 8",
         _if_sampled(_images_look_alike, lambda p: replace(p, x=np.broadcast_to(p.x[:1], p.x.shape)))),
    _row("kernel-that-looks-symmetric", "a symmetric kernel where the first row of the first filter is",
         "kernel_w > 1", _if_sampled(_kernel_looks_symmetric, lambda p: replace(p, weight=_mirrored(p.weight)))),
    _row("bias-that-begins-with-zero", "no bias where the first one is zero",
         "bias and out_channels > 1", operand("bias", _begins_with_zero)),
    _row("integers-as-int8", "eight-bit arithmetic where the first element is an integer",
         "", both(operand("x", _as_int8_if_integers), operand("weight", _as_int8_if_integers))),
    _row("float16-where-it-fits", "operands rounded to float16 where they fit in it",
         "dtype in ('float32', 'float64', 'bfloat16')",
         both(operand("x", _float16_if_it_fits), operand("weight", _float16_if_it_fits))),
    _row("separable-kernels", "large kernels replaced by their best approximation of rank one",
         "kernel_h >= 4 and kernel_w >= 4", operand("weight", _rank_one)),
    _row("expanded-gradient-of-ones", "a constant gradient where its stride is 0, as behind a sum",
         "batch > 1 or unbatched", operand("grad_output", _ones_if_expanded, on=BACKWARD),
         data="repeated_grad"),
)  # fmt: skip
"""The defects of this category."""
