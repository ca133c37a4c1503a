"""A legal case in independent terms, any of which may be changed alone: and the case again that they describe."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

from convcheck.model.case import Case, Entry, Flaw, Layout, Placement, Regime
from convcheck.model.size_limits import padded_shape
from convcheck_reference.params import Arguments, Conv2dParams, Pair

MOST_MULTIPLY_ADDS: Final = 200_000
"""Of a case in a neighbourhood, so that many can be judged."""

MOST_ELEMENTS: Final = 1 << 20
"""Of its largest tensor, with the padding of the image: where strides or paddings are large, it costs memory that no
multiplication tells of."""


class Terms(NamedTuple):
    """A legal case in independent terms: sizes are given by the output, channels by the group.

    padding_h is "same" or "valid" for that padding; an unbatched case has batch None. What is spelled as a pair is so
    even where its two numbers are equal. A tuple, because most of the cases of a diagnosis are made by replacing some.
    """

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    padding_h: Any
    padding_w: int
    groups: int
    in_per_group: int
    out_per_group: int
    batch: int | None
    output_h: int
    output_w: int
    left_over_h: int
    left_over_w: int
    bias: bool
    mode: str
    dtype: str
    regime: Regime
    layout_x: Layout
    layout_weight: Layout
    layout_grad: Layout
    kernel_pair: bool
    stride_pair: bool
    padding_pair: bool
    dilation_pair: bool
    layout_bias: Layout
    placement: Placement


PARAMETERS: Final = Terms._fields
"""The names of the terms."""

EVERY_PARAMETER: Final = len(PARAMETERS)
"""How many parameters a variation may change at once."""


@lru_cache(maxsize=256)
def terms_of(case: Case) -> Terms:
    """The terms of a legal case."""
    params = case.params
    height, width = case.input_shape[-2:]
    output = params.output_size(height, width)
    rest = [
        size + sum(pads) - extent - (out - 1) * stride
        for size, pads, extent, out, stride in zip(
            (height, width), params.padding, params.extent, output, params.stride, strict=True
        )
    ]
    spelled = case.arguments
    named = spelled.padding if isinstance(spelled.padding, str) else None
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = (
        params.kernel_size,
        params.stride,
        params.dilation,
    )
    return Terms(
        kernel_h,
        kernel_w,
        stride_h,
        stride_w,
        dilation_h,
        dilation_w,
        params.padding[0][0] if named is None else named,
        params.padding[1][0] if named is None else 0,
        params.groups,
        params.in_channels // params.groups,
        params.out_channels // params.groups,
        None if case.unbatched else case.batch,
        output[0],
        output[1],
        rest[0],
        rest[1],
        params.bias,
        params.padding_mode,
        case.dtype,
        case.regime,
        *case.layouts,
        *_pairs(spelled),
        case.layout_bias,
        case.placement,
    )


def case_of(terms: Terms, like: Case) -> Case | None:
    """The case of such terms, with the entry and data of another; None where it is illegal or large."""
    return _made_once(terms, like.entry, like.flaw, like.nonzeros, like.seed)


def made(terms: Terms, entry: Entry, flaw: Flaw, nonzeros: int | None, seed: int) -> Case | None:
    """As `case_of`, with data that no other case is likely to have, so that it is not kept for whoever asks again."""
    stride = (1, 1) if terms.padding_h == "same" else (terms.stride_h, terms.stride_w)
    padding = terms.padding_h
    if not isinstance(padding, str):
        padding = _spelled((terms.padding_h, terms.padding_w), pair=terms.padding_pair)
    arguments = Arguments(
        terms.groups * terms.in_per_group,
        terms.groups * terms.out_per_group,
        _spelled((terms.kernel_h, terms.kernel_w), pair=terms.kernel_pair),
        _spelled(stride, pair=terms.stride_pair),
        padding,
        _spelled((terms.dilation_h, terms.dilation_w), pair=terms.dilation_pair),
        terms.groups,
        terms.bias,
        terms.mode,
    )
    params = Conv2dParams.of(arguments)
    # where the padding alone is as large as what is wanted, the image is as large as the output would be
    size = [
        out if (least := (out - 1) * step + extent - sum(pads)) < 1 else least + min(rest, step - 1)
        for out, step, extent, pads, rest in zip(
            (terms.output_h, terms.output_w), stride, params.extent, params.padding,
            (terms.left_over_h, terms.left_over_w), strict=True,
        )
    ]  # fmt: skip
    least = 1 if terms.mode in ("zeros", "replicate") else 1 + max(map(max, params.padding))
    shape = (params.in_channels, *(max(least, s) for s in size))
    found = Case.of(
        params,
        shape if terms.batch is None else (terms.batch, *shape),
        dtype=terms.dtype,
        regime=terms.regime,
        layouts=(terms.layout_x, terms.layout_weight, terms.layout_grad),
        layout_bias=terms.layout_bias,
        placement=terms.placement,
        entry=entry,
        flaw=flaw,
        nonzeros=nonzeros,
        seed=seed,
    )
    if found.violation is not None:
        return None
    shapes = (found.output_shape, padded_shape(params, found.input_shape), params.weight_shape)
    elements = list(map(math.prod, shapes))
    return found if elements[0] * params.fan_in <= MOST_MULTIPLY_ADDS and max(elements) <= MOST_ELEMENTS else None


_made_once: Final = lru_cache(maxsize=1 << 14)(made)
"""As many as are made around one case: each rule is tried on much the same ones."""


def _pairs(spelled: Arguments) -> tuple[bool, bool, bool, bool]:
    """Whether the arguments that take two numbers are spelled as pairs."""
    kernel, stride, padding, dilation = (
        isinstance(one, tuple) for one in (spelled.kernel_size, spelled.stride, spelled.padding, spelled.dilation)
    )
    return kernel, stride, padding, dilation


def _spelled(values: Pair, *, pair: bool) -> int | Pair:
    return values if pair or values[0] != values[1] else values[0]
