"""Dilation and stride: which taps and windows there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from convcheck.defects.deviations import EVERYWHERE, leaves, reads, reads_both
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis

_dilation = partial(deviating, Category.DILATION)
_stride = partial(deviating, Category.STRIDE)


def _with(**changes: Callable[[Axis, Axis], Any]) -> Callable[[Axis, Axis], Axis]:
    """An axis whose fields are computed from it and the other one."""
    return lambda axis, other: replace(axis, **{name: value(axis, other) for name, value in changes.items()})


DILATIONS: Final[tuple[Defect, ...]] = (
    _dilation("dilation-exchanged", "dilation height and width exchanged, output and gradients alike",
              "dilation_h != dilation_w and (kernel_h > 1 or kernel_w > 1)",
              reads_both(_with(dilation=lambda _, other: other.dilation), on=EVERYWHERE)),
    _dilation("dilation-ignored-on-height", "a dilation of 1 along the height",
              "dilation_h > 1 and kernel_h > 1", reads(rows=_with(dilation=lambda *_: 1))),
    _dilation("dilation-one-less", "a dilation of 2 where it is above 2",
              "dilation_w > 2 and kernel_w > 1", reads(columns=_with(dilation=lambda *_: 2))),
    _dilation("dilation-capped", "a dilation of 4 where it is above 4",
              "(dilation_h > 4 and kernel_h > 1) or (dilation_w > 4 and kernel_w > 1)",
              reads_both(_with(dilation=lambda axis, _: min(4, axis.dilation)))),
    _dilation("dilation-of-padding", "padding as wide as its amount times the dilation on the left",
              "dilation_w > 1 and padding_w > 0 and not padding_same",
              reads(columns=_with(before=lambda axis, _: axis.before * axis.dilation))),
    _dilation("dilation-of-height-on-both", "the dilation of the height on both axes",
              "dilation_h != dilation_w and kernel_w > 1",
              reads(columns=_with(dilation=lambda _, other: other.dilation))),
    _dilation("dilation-of-two-taps", "a dilation of 1 for kernels two taps wide",
              "kernel_w == 2 and dilation_w > 1", reads(columns=_with(dilation=lambda *_: 1))),
)  # fmt: skip
"""The defects of dilation."""

STRIDES: Final[tuple[Defect, ...]] = (
    _stride("stride-exchanged", "stride height and width exchanged, output and gradients alike",
            "stride_h != stride_w", reads_both(_with(stride=lambda _, other: other.stride), on=EVERYWHERE)),
    _stride("stride-capped", "a stride of 3 where it is above 3",
            "stride_w > 3 and output_w > 1", reads(columns=_with(stride=lambda axis, _: min(3, axis.stride)))),
    _stride("last-window-lost", "the last row of windows left at zero where rows are left over",
            "left_over_h > 0 and output_h > 1", leaves(lambda _: (..., slice(-1, None), slice(None)))),
    _stride("stride-two-on-odd-width", "windows of stride 2 one column to the right where the width is odd",
            "stride_w == 2 and width % 2 == 1",
            reads(columns=_with(before=lambda axis, _: axis.before - 1, after=lambda axis, _: axis.after + 1))),
    _stride("one-by-one-without-stride", "a stride of 1 for 1×1 kernels",
            "kernel_h == 1 and kernel_w == 1 and (stride_h > 1 or stride_w > 1)",
            reads_both(_with(stride=lambda *_: 1))),
    _stride("stride-above-kernel", "a stride as large as the kernel where it is larger",
            "stride_h > kernel_h and output_h > 1",
            reads(rows=_with(stride=lambda axis, _: min(axis.stride, axis.kernel)))),
    _stride("stride-of-padding", "padding as wide as its amount times the stride on the left",
            "stride_w > 1 and padding_w > 0",
            reads(columns=_with(before=lambda axis, _: axis.before * axis.stride))),
    _stride("stride-of-height-on-both", "the stride of the height on both axes",
            "stride_h != stride_w and output_w > 1",
            reads(columns=_with(stride=lambda _, other: other.stride))),
)  # fmt: skip
"""The defects of stride."""
