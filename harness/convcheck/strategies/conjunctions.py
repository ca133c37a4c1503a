"""Conjunctions of parameters in which convolutions of all kinds have gone wrong: edges that must meet.

A fault on one such edge needs two to four parameters at certain values at once. Independent draws take
them too rarely; each entry here builds its own by construction, and its rule says what it promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from convcheck.model.rules import Rule
from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.edge_axes import (
    Axes,
    Some,
    both,
    circular_at_most,
    dilation_beyond_image,
    either,
    fitting,
    kernel_as_image,
    kernel_as_image_in_padding,
    kernel_as_padded_image,
    kernel_beyond_image,
    near_a_vector,
    output_of_one,
    reflect_at_most,
    same,
    sized,
    unequal_padding,
)
from convcheck.strategies.layers import Channels, Plan


@dataclass(frozen=True, slots=True)
class Conjunction:
    """A few parameters that meet.

    Attributes:
        rule: what holds for every layer built from it.
        why: which part of an implementation takes another path there.
        axes: the two axes of the image.
        channels: the choices of groups and channels.
        batches: the choices of batch sizes.
        padding: 'same', or '' for the numbers of the axes.
        mode: of the padding.
    """

    rule: Rule
    why: str
    axes: Axes
    channels: tuple[Channels, ...]
    batches: Some = (1, 2, 3)
    padding: str = ""
    mode: str = "zeros"

    def plan(self, draw: Draw) -> Plan:
        """A layer in which the rule holds."""
        height, width = self.axes(draw)
        bias = draw(0, 3) != 3
        return Plan(height, width, pick(draw, self.channels), pick(draw, self.batches), self.padding, self.mode, bias)


_PLAIN = fitting((3, 1, 2), (1, 1, 2), (0, 1))
_FEW = (Channels(1, 1, 1), Channels(1, 3, 4), Channels(1, 5, 2), Channels(2, 4, 6))
_DENSE = (Channels(1, 3, 5), Channels(1, 8, 8), Channels(1, 4, 7), Channels(1, 16, 3))
_GROUPED = (Channels(2, 4, 6), Channels(3, 9, 6), Channels(4, 16, 8), Channels(2, 2, 2), Channels(8, 16, 24))
_DEPTHWISE = tuple(Channels(n, n, n) for n in (3, 8, 16, 5, 17, 32))
_MULTIPLIED = (*(Channels(n, n, m * n) for n in (2, 3, 5, 8) for m in (2, 3)), Channels(16, 16, 32))
_TAILS = tuple(Channels(1, n, out) for n in (1, 4, 9) for out in (7, 9, 15, 17, 33, 65))
_DEEP = tuple(Channels(1, n, out) for n in (17, 33, 65, 129, 257) for out in (1, 3, 8))

CONJUNCTIONS: Final[tuple[Conjunction, ...]] = (
    Conjunction(
        Rule("groups == 24 and in_channels == 24 and out_channels == 24 and stride_h == 2 and stride_w == 2"),
        "depthwise kernels work in vectors of 8 or 16 channels, 24 leaves half a vector; stride 2 has its own loads",
        both(fitting((3, 5), (2,), (1, 0, 2))),
        (Channels(24, 24, 24),),
    ),
    Conjunction(
        Rule("groups == in_channels and groups > 1 and out_channels == groups and (dilation_h > 1 or dilation_w > 1)"),
        "depthwise fast paths are written for dilation 1",
        either(fitting((3, 2, 5), (1, 2), (0, 2), (2, 3)), _PLAIN),
        _DEPTHWISE,
    ),
    Conjunction(
        Rule("groups == in_channels and groups > 1 and out_channels > groups"),
        "a channel multiplier: output channel o reads input channel o // m, not o % m",
        both(_PLAIN),
        _MULTIPLIED,
    ),
    Conjunction(
        Rule("1 < groups and groups < in_channels and (dilation_h > 1 or dilation_w > 1) and stride_h * stride_w > 1"),
        "groups, dilation and stride each shift an offset",
        either(fitting((3, 2), (2, 3), (0, 1), (2, 3)), _PLAIN),
        tuple(c for c in _GROUPED if c.groups < c.inputs),
    ),
    Conjunction(
        Rule("groups == out_channels and groups > 1 and groups < in_channels"),
        "one filter a group over several channels: neither depthwise nor a matrix product with rows",
        both(_PLAIN),
        (Channels(2, 4, 2), Channels(3, 15, 3), Channels(8, 16, 8), Channels(16, 32, 16)),
    ),
    Conjunction(
        Rule("kernel_h == 1 and kernel_w == 1 and groups > 1 and groups < in_channels"),
        "a 1×1 layer is a matrix product, a grouped one several",
        both(fitting((1,), (1, 2))),
        tuple(c for c in _GROUPED if c.groups < c.inputs),
    ),
    Conjunction(
        Rule("kernel_h == 1 and kernel_w == 1 and (padding_h > 0 or padding_w > 0) and stride_h > 1 and stride_w > 1"),
        "the 1×1 path as a matrix product forgets padding; whole outputs are the bias alone",
        either(fitting((1,), (2, 3), (1, 2)), fitting((1,), (2, 3), (0, 1))),
        _DENSE,
    ),
    Conjunction(
        Rule("kernel_h == 1 and kernel_w == 1 and stride_h * stride_w > 1 and left_over_h + left_over_w > 0"),
        "a strided 1×1 gradient has to write zeros into the pixels that no window reads",
        either(sized((7, 8, 12), (1,), (4, 5)), fitting((1,), (1, 2, 3))),
        _DENSE,
    ),
    Conjunction(
        Rule("stride_h > kernel_h or stride_w > kernel_w"),
        "windows with gaps: gradients of pixels that none of them reads",
        either(fitting((1, 2, 3), (4, 5, 7), (0, 1, 2)), _PLAIN),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("stride_h > height or stride_w > width"),
        "the second window would start outside: a count of windows by rounding up is off by one",
        either(sized((2, 3, 4), (1, 2), (5, 6, 7), (0, 1)), _PLAIN),
        _DENSE,
    ),
    Conjunction(
        Rule("kernel_h == 3 and kernel_w == 3 and stride_h == 1 and stride_w == 1 and output_h % 4 + output_w % 4 > 0"),
        "Winograd tiles of 2, 4 or 6 outputs: a partial tile at the edge (Lavin and Gray 2015)",
        either(sized((5, 7, 9, 11, 13, 15, 17), (3,), (1,), (1,)), sized((6, 7, 10, 14), (3,), (1,), (1,))),
        (*_DENSE, Channels(1, 17, 16)),
    ),
    Conjunction(
        Rule("batch == 17 or batch == 33"),
        "blocks of 16 or 32 images or windows, and one more",
        both(sized((3, 2, 4), (1, 2), (1,), (0, 1))),
        _FEW,
        (17, 33),
    ),
    Conjunction(
        Rule("out_channels % 8 == 1 or out_channels % 8 == 7"),
        "blocks of output channels with one left over or one too few",
        both(fitting((1, 3, 2), (1, 2), (0, 1))),
        _TAILS,
        (1, 2),
    ),
    Conjunction(
        Rule("in_channels % 16 == 1 and in_channels > 16"),
        "the reduction is blocked over input channels: the last block has a single one",
        both(sized((1, 3, 4), (1, 2, 3), (1,), (1,))),
        _DEEP,
        (1, 2),
    ),
    Conjunction(
        Rule("output_w % 32 == 31 or output_w % 32 == 1"),
        "rows of outputs in vectors of 8, 16 or 32, with one too many or too few",
        near_a_vector,
        _FEW,
        (1, 2),
    ),
    Conjunction(
        Rule("output_w == 1 and stride_w > 1 and output_h > 1"),
        "an output one column wide: loops over pairs or vectors of columns have only a tail",
        lambda draw: (sized((5, 8, 9), (1, 2, 3), (1, 2))(draw), output_of_one(draw)),
        (*_DENSE, *_DEPTHWISE),
    ),
    Conjunction(
        Rule("output_h == 1 and output_w == 1"),
        "one output: a matrix product with a single column, and a weight gradient that sums over images alone",
        both(output_of_one),
        (*_DENSE, *_GROUPED, *_DEPTHWISE),
    ),
    Conjunction(
        Rule("height == 1 and width > 1"),
        "a single row: the one-dimensional layer in disguise, strides of a dimension of 1 are arbitrary",
        lambda draw: (sized((1,), (1, 3), (1, 2), (1, 2))(draw), sized((4, 7, 9), (1, 3, 2), (1, 2), (0, 1))(draw)),
        (*_FEW, *_DEPTHWISE),
    ),
    Conjunction(
        Rule("width == 1 and height > 1"),
        "a single column: its row stride is 1, so that channels_last and contiguous look alike",
        lambda draw: (sized((4, 7, 9), (1, 3, 2), (1, 2), (0, 1))(draw), sized((1,), (1, 3), (1, 2), (1, 2))(draw)),
        (*_FEW, *_DEPTHWISE),
    ),
    Conjunction(
        Rule("in_channels == 1 and out_channels == 1"),
        "one channel: NCHW and NHWC are the same bytes, a group of one is every kind of layer at once",
        both(_PLAIN),
        (Channels(1, 1, 1),),
    ),
    Conjunction(
        Rule("kernel_h == height and kernel_w == width"),
        "the kernel covers the image: a fully connected layer",
        both(kernel_as_image),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("kernel_h == height and kernel_w == width and output_h * output_w == 1 and padding_h * padding_w > 0"),
        "one output of a kernel as large as the image: no fully connected layer where padding shifts or dilation skips",
        both(kernel_as_image_in_padding),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("kernel_h == height + 2 * padding_h or kernel_w == width + 2 * padding_w"),
        "the kernel covers the padded image to the pixel",
        either(kernel_as_padded_image, _PLAIN),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("kernel_h > height or kernel_w > width"),
        "the kernel is larger than the image, not than the padded one: ranges of taps are cut on both sides",
        either(kernel_beyond_image, _PLAIN),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("(dilation_h >= height or dilation_w >= width) and (padding_h > 0 or padding_w > 0)"),
        "taps that never meet the image: their weight gradient is zero, their column must not be read",
        either(dilation_beyond_image, _PLAIN),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("padding_h >= extent_h or padding_w >= extent_w"),
        "windows wholly in the padding: outputs that are the bias alone; a transposed convolution has negative padding",
        either(sized((1, 3, 6), (1, 2, 3), (1, 2, 3), (3, 4, 5)), _PLAIN),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("kernel_h == 7 and kernel_w == 7 and stride_h == 2 and stride_w == 2 and in_channels == 3"),
        "the first layer of many networks: a kernel of its own in several engines",
        both(fitting((7,), (2,), (3, 3, 3, 0, 2))),
        (Channels(1, 3, 8), Channels(1, 3, 16), Channels(1, 3, 13)),
        (1, 2),
    ),
    Conjunction(
        Rule("padding_same and (kernel_h % 2 == 0 or kernel_w % 2 == 0)"),
        "'same' with an odd total pads one pixel more at the bottom and to the right",
        either(same((2, 4), (1, 3)), same((3, 2, 1, 5), (1, 2))),
        (*_DENSE, *_GROUPED),
        padding="same",
    ),
    Conjunction(
        Rule("padding_same and (dilation_h > 1 or dilation_w > 1) and (kernel_h % 2 == 0 or kernel_w % 2 == 0)"),
        "'same' with dilation: the total is d·(k−1), even for an even kernel",
        either(same((2, 4), (2, 3)), same((3, 2), (1, 2))),
        (*_DENSE, *_GROUPED),
        padding="same",
    ),
    *(
        Conjunction(
            Rule(f"padding_mode == '{mode}' and padding_h != padding_w"),
            "padding modes pad by a list in the order left, right, top, bottom: axes are swapped easily",
            unequal_padding(mode),
            (*_DENSE, *_GROUPED),
            mode=mode,
        )
        for mode in ("reflect", "circular", "replicate")
    ),
    Conjunction(
        Rule("padding_mode == 'reflect' and padding_h == height - 1 and padding_w == width - 1"),
        "the most that reflection allows",
        both(reflect_at_most),
        _FEW,
        mode="reflect",
    ),
    Conjunction(
        Rule("padding_mode == 'circular' and padding_h == height and padding_w == width"),
        "the most that wrapping around allows",
        both(circular_at_most),
        _FEW,
        mode="circular",
    ),
    Conjunction(
        Rule("padding_h != padding_w and stride_h != stride_w and kernel_h != kernel_w"),
        "everything unequal at once: an axis taken for the other shows",
        lambda draw: (
            sized((7, 9, 10), (3, 5), (1, 3), (1, 2))(draw),
            sized((4, 8, 11), (2, 4), (2, 4), (0, 3))(draw),
        ),
        (*_DENSE, *_GROUPED),
    ),
    Conjunction(
        Rule("groups == 32"),
        "32 groups, as in ResNeXt: more groups than a block of channels has",
        both(fitting((3, 1), (1, 2), (0, 1))),
        (Channels(32, 32, 32), Channels(32, 64, 64), Channels(32, 64, 32), Channels(32, 32, 64)),
        (1, 2),
    ),
    Conjunction(
        Rule("batch > 1 and output_h * output_w * out_channels * batch > 4096"),
        "more outputs than one thread's share: work is split over images, channels or rows",
        both(sized((31, 33, 40), (3, 1), (1,), (0, 1))),
        (Channels(1, 2, 3), Channels(1, 3, 4), Channels(4, 4, 4)),
        (2, 3, 5),
    ),
)
