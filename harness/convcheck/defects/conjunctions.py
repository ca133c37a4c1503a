"""Conjunctions: wrong only where three or four parameters come together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import leaves, only, operand, reads, reads_both
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis

_row = partial(deviating, Category.CONJUNCTIONS)


def _undilated(axis: Axis, _: Axis) -> Axis:
    return replace(axis, dilation=1)


def _one_further(axis: Axis, _: Axis) -> Axis:
    return replace(axis, before=axis.before - 1, after=axis.after + 1)


_inside = only(lambda position, axis: (position >= 0) & (position < axis.size))
_last_column = leaves(lambda _: (..., slice(-1, None)))
_last_row = leaves(lambda _: (..., slice(-1, None), slice(None)))

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("depthwise-24-stride-2", "depthwise layers of 24 channels and stride 2 whose last column stays zero",
         "groups == 24 and in_channels == 24 and stride_h == 2 and stride_w == 2", _last_column),
    _row("grouped-dilated-strided", "grouped layers with dilation and stride whose dilation is ignored",
         "groups > 1 and dilation_w > 1 and stride_w > 1 and kernel_w > 1", reads(columns=_undilated)),
    _row("single-window-strided", "rows of a single window, wide kernel and stride without the kernel's last column",
         "output_w == 1 and kernel_w > 2 and stride_w > 1",
         operand("weight", lambda w, _: np.concatenate([w[..., :-1], 0 * w[..., -1:]], -1))),
    _row("circular-dilated-grouped", "grouped dilated layers in 'circular' mode with zeros above and below",
         "padding_mode == 'circular' and dilation_h > 1 and groups > 1 and pad_bottom > 0", reads(rows=_inside)),
    _row("same-even-dilated", "'same' padding of even dilated kernels one column further right",
         "padding_same and kernel_w % 2 == 0 and dilation_w > 1", reads(columns=_one_further)),
    _row("reflect-strided-odd", "'reflect' padding of odd images and stride 2 that is zero on both sides",
         "padding_mode == 'reflect' and stride_w == 2 and width % 2 == 1 and pad_right > 0", reads(columns=_inside)),
    _row("one-by-one-padded-strided", "1×1 layers with padding and stride whose padding is not there",
         "kernel_h == 1 and kernel_w == 1 and padding_h > 0 and stride_h > 1 and height > 1",
         reads(rows=lambda axis, _: replace(axis, before=0))),
    _row("batched-grouped-tail", "the last filter of a group of 4m + 1 left at zero in the second image",
         "batch > 1 and groups > 1 and out_per_group > 4 and out_per_group % 4 == 1",
         leaves(lambda p: (slice(1, 2), np.arange(p.params.out_channels) % p.out_per_group == p.out_per_group - 1))),
    _row("atrous-three-by-three", "3×3 kernels with dilation 2 and a multiple of eight channels, undilated",
         "kernel_h == 3 and kernel_w == 3 and dilation_h == 2 and dilation_w == 2 and in_per_group % 8 == 0",
         reads_both(_undilated)),
    _row("unbatched-grouped-no-bias", "unbatched grouped layers without bias whose last row stays zero",
         "unbatched and groups > 1 and not bias", _last_row),
    _row("replicate-even-biased", "'replicate' padding of even kernels with bias and batch that is zero",
         "padding_mode == 'replicate' and kernel_h % 2 == 0 and bias and batch > 1 and pad_bottom > 0",
         reads(rows=_inside)),
    _row("grad-weight-grouped-rectangular", "a weight gradient of grouped dilated layers with strides exchanged",
         "groups > 1 and dilation_h > 1 and stride_h != stride_w",
         reads_both(lambda axis, other: replace(axis, stride=other.stride), on=("grad_weight",))),
    _row("grad-input-strided-padded", "an input gradient for stride 3, even kernels and padding one row too low",
         "stride_h == 3 and kernel_h % 2 == 0 and padding_h > 0", reads(rows=_one_further, on=("grad_input",))),
    _row("half-wide-one-by-one", "float16 1×1 layers of 32 filters or more whose last column stays zero",
         "dtype == 'float16' and kernel_h == 1 and kernel_w == 1 and out_channels >= 32", _last_column),
)  # fmt: skip
"""The defects of this category."""
