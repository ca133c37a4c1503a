"""A case: everything needed to repeat one check of a candidate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias, get_args

from convcheck_reference.errors import ConvcheckError, InputShapeError, ParameterTypeError
from convcheck_reference.params import Arguments, Conv2dParams, Shape

Regime: TypeAlias = Literal[
    "reals", "wide", "positive", "large", "cancelling", "subnormal", "overflow", "special", "mixed"
]
"""The real-valued data of a case; the exact integers are judged in every case as well.

reals: zero mean, scale 1, the data most sensitive to lost precision. wide: magnitudes over 16 binades.
positive: no cancellation, the data that accumulates most error. large: scaled up by a power of two.
cancelling: products that nearly cancel. subnormal: inputs and results below the smallest normal number.
overflow: sums of magnitudes near half the largest finite number. special: reals with NaN, ±Inf and ±0.
mixed: images, filters or gradients of zero mean, of zeros, of magnitudes over 16 binades and with one non-zero
element side by side.
"""

Layout: TypeAlias = Literal[
    "contiguous", "channels_last", "sliced", "transposed", "expanded", "reversed", "offset", "odd_strides", "broadcast",
    "expanded_channels", "expanded_rows", "expanded_columns", "expanded_pixels",
    "reversed_channels", "reversed_rows", "reversed_columns",
    "step", "step_channels", "step_rows", "step_columns",
    "channel_slice", "channels_last_channel_slice",
    "channels_last+offset", "sliced+offset", "channel_slice+offset", "channels_last_channel_slice+offset",
    "order-0213", "order-0312", "order-0321", "order-1023", "order-1032", "order-1203",
    "order-1230", "order-1302", "order-1320", "order-2013", "order-2031", "order-2103",
    "order-2130", "order-2301", "order-2310", "order-3012", "order-3021", "order-3102",
    "order-3120", "order-3201", "order-3210",
]  # fmt: skip
"""How a tensor lies in memory.

contiguous: C order. channels_last: NHWC order. sliced: a view at an offset inside a larger array, with
gaps between rows. transposed: the last two axes stored swapped. expanded: the first axis has stride 0,
so its entries are equal; expanded_channels, _rows, _columns: the third, second, last axis from the end has;
expanded_pixels: the last two have, as in the gradient of a mean over each channel. reversed: negative strides along
height and width; reversed_channels, _rows, _columns: along that axis. offset: C order, but one element into its memory,
so that its address has no alignment beyond that of an element; with "+offset" another layout has such an address.
odd_strides: C order, but axes of size 1, and all axes of an empty tensor, have strides that no dense tensor has.
broadcast: every axis has stride 0 and every entry is 1, as in the gradient of a sum. step: every second entry along the
first axis of a larger array; step_channels, _rows, _columns: along that axis. channel_slice: some channels of a larger
array, so that each image is dense and the next lies further away; channels_last_channel_slice: of one in NHWC order.
order-2310: the axes from the outermost to the innermost, here HWIO for a weight, which is OIHW; an image without a
batch has no axis 0.
"""

Placement: TypeAlias = Literal["aligned", "at_end"]
"""Where the memory of a tensor lies, in the first of the two calls that each case makes forward, and backward.

aligned: it begins at a multiple of 64 bytes, as in all other calls. at_end: it ends where a page begins that cannot be
touched, so that its address is only as aligned as its size is, and whoever reads on behind the last element dies.
"""

Entry: TypeAlias = Literal["function", "module"]
"""Whether the candidate is called as a function on given tensors, or built as a module first."""

Flaw: TypeAlias = Literal[
    "none",
    "input_ndim",
    "input_channels",
    "weight_ndim",
    "weight_channels",
    "bias_shape",
    "weight_dtype",
    "input_ndim_5",
    "input_channels_few",
    "weight_channels_few",
    "weight_ungrouped",
    "bias_few",
    "bias_single",
    "bias_column",
    "bias_planes",
    "bias_dtype",
    "input_none",
    "input_list",
    "weight_none",
    "weight_list",
    "bias_list",
]
"""What is wrong with the tensors of an otherwise legal case (the candidate has to refuse it).

input_ndim: two dimensions. input_channels, weight_channels, bias_shape: one channel, or entry, more than the layer has;
_few: one less. weight_ungrouped: all input channels, in spite of groups. weight_ndim: three dimensions. bias_single:
shape (1,). bias_column: shape (out_channels, 1); bias_planes: (out_channels, 1, 1). _dtype: another dtype than the
input's. _none and _list: None and nested lists where a tensor belongs.
"""

_FLAWED: Final[Mapping[Flaw, str]] = {
    "input_ndim": "the input has two dimensions",
    "input_ndim_5": "the input has five dimensions",
    "input_channels": "the input has a channel too many",
    "input_channels_few": "the input has a channel too few",
    "weight_ndim": "the weight has three dimensions",
    "weight_channels": "the weight has a channel too many",
    "weight_channels_few": "the weight has a channel too few",
    "weight_ungrouped": "the weight has the channels of all groups",
    "weight_dtype": "the weight has another dtype than the input",
    "bias_shape": "the bias has an entry too many",
    "bias_few": "the bias has an entry too few",
    "bias_single": "the bias has one entry for several filters",
    "bias_column": "the bias has two dimensions",
    "bias_planes": "the bias has three dimensions",
    "bias_dtype": "the bias has another dtype than the input",
    "input_none": "the input is None",
    "input_list": "the input is a list",
    "weight_none": "the weight is None",
    "weight_list": "the weight is a list",
    "bias_list": "the bias is a list",
}

REGIMES: Final[tuple[Regime, ...]] = get_args(Regime)
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
NON_NEGATIVE_STRIDES: Final[tuple[Layout, ...]] = tuple(name for name in LAYOUTS if not name.startswith("reversed"))
"""The layouts of libraries whose tensors have no negative strides, as torch's: for `Capabilities(layouts=…)`."""
BIAS_LAYOUTS: Final[tuple[Layout, ...]] = (
    "contiguous", "sliced", "expanded", "reversed", "offset", "odd_strides", "step", "sliced+offset",
)  # fmt: skip
"""Those that mean something for a single axis."""
PLACEMENTS: Final[tuple[Placement, ...]] = get_args(Placement)
ENTRIES: Final[tuple[Entry, ...]] = get_args(Entry)
FLAWS: Final[tuple[Flaw, ...]] = get_args(Flaw)
NO_TENSORS: Final[tuple[Flaw, ...]] = tuple(flaw for flaw in FLAWS if flaw.endswith(("_none", "_list")))
"""Something else stands in place of a tensor."""

Layouts: TypeAlias = tuple[Layout, Layout, Layout]
"""The layouts of x, weight and grad_output."""


@dataclass(frozen=True)
class Case:
    """One check: a layer as its caller spells it, an input size, and the data to run it on.

    Attributes:
        arguments: the Conv2d arguments as spelled, legal or not.
        input_shape: (N, C, H, W), or (C, H, W) for an unbatched input.
        dtype: name of the dtype of every tensor.
        regime: the real-valued data.
        layouts: memory layouts of x, weight and grad_output.
        layout_bias: memory layout of the bias.
        placement: where the memory of each tensor lies.
        entry: function or module.
        flaw: what is wrong with the tensors; "none" for a legal case.
        nonzeros: at most so many elements of x, weight and grad_output are non-zero; None for dense data.
        seed: of the data.
    """

    arguments: Arguments
    input_shape: Shape
    dtype: str = "float32"
    regime: Regime = "reals"
    layouts: Layouts = ("contiguous", "contiguous", "contiguous")
    layout_bias: Layout = "contiguous"
    placement: Placement = "aligned"
    entry: Entry = "function"
    flaw: Flaw = "none"
    nonzeros: int | None = None
    seed: int = 0

    @classmethod
    def of(cls, params: Conv2dParams, input_shape: Shape, **data: Any) -> Case:
        """The case of a layer that has been validated, which is not validated again.

        Args:
            params: the layer.
            input_shape: as the attribute.
            data: the other attributes.
        """
        case = cls(params.arguments, input_shape, **data)
        vars(case)["params"] = params  # where `cached_property` looks
        return case

    @cached_property
    def violation(self) -> ConvcheckError | None:
        """Why the case is illegal: the error that its arguments, input or flaw deserve; None if legal."""
        try:
            self.output_shape  # noqa: B018  (kept: what is legal is asked for its shape next)
        except ConvcheckError as error:
            return error
        if self.flaw != "none":
            kind: type[ConvcheckError] = ParameterTypeError if self.flaw in NO_TENSORS else InputShapeError
            return kind(_FLAWED[self.flaw])
        return None

    @property
    def is_legal_call(self) -> bool:
        """Whether it calls the function, with nothing illegal."""
        return self.violation is None and self.entry == "function"

    @cached_property
    def params(self) -> Conv2dParams:
        """The layer's validated parameters.

        Raises:
            ParameterError: the arguments are illegal.
        """
        return Conv2dParams.of(self.arguments)

    @cached_property
    def output_shape(self) -> Shape:
        """(N, O, oh, ow) or (O, oh, ow).

        Raises:
            ConvcheckError: the case is illegal.
        """
        return self.params.output_shape(self.input_shape)

    @cached_property
    def multiply_adds(self) -> int:
        """Of one forward pass, taps in the padding included.

        Raises:
            ConvcheckError: the case is illegal.
        """
        return math.prod(self.output_shape) * self.params.fan_in

    @property
    def batch(self) -> int:
        """Number of images; 1 for an unbatched input."""
        return self.input_shape[0] if len(self.input_shape) == 4 else 1

    @property
    def unbatched(self) -> bool:
        """Whether the input is (C, H, W)."""
        return len(self.input_shape) == 3

    @property
    def layout_of(self) -> Mapping[str, Layout]:
        """The layout of x, weight, bias and grad_output, by name."""
        layout_x, layout_weight, layout_grad = self.layouts
        return {"x": layout_x, "weight": layout_weight, "bias": self.layout_bias, "grad_output": layout_grad}

    @cached_property
    def repeats(self) -> bool:
        """Whether a tensor has stride 0, so that some of its values are equal."""
        return any(layout.startswith(("expanded", "broadcast")) for layout in self.layout_of.values())

    @cached_property
    def token(self) -> str:
        """The one-line descriptor, as `convcheck.model.token` writes it."""
        from convcheck.model.token import write  # noqa: PLC0415  (token builds on this module)

        return write(self)
