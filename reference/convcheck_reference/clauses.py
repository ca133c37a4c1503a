"""The specification as numbered clauses: what every verdict of convcheck refers to.

Sources: "docs" is the documentation of `torch.nn.Conv2d` with the section named; IEEE 754 is the
2019 edition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from convcheck_reference.errors import ConvcheckError


class UnknownClauseError(ConvcheckError, KeyError):
    """No clause has this id."""

    def __str__(self) -> str:
        """The message, without the quotes that KeyError adds."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of the specification.

    Attributes:
        id: "C2D-PAD-3".
        title: a few words.
        text: the statement.
        source: where it is documented.
    """

    id: str
    title: str
    text: str
    source: str

    @property
    def of_extension(self) -> bool:
        """Whether it is about what a backend has to declare before it is judged."""
        return self.id.startswith(("C2D-EXT-", "C2D-TRANSFORM-"))


_GROUPS: Final[tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...]] = (
    ("SHAPE", "Shapes", "docs, Shape and Variables", (
        ("output size", "oh = ⌊(H + 2p − d·(kh − 1) − 1) / s⌋ + 1, and ow likewise, each axis with its own values."),
        ("unbatched input", "An input (C, H, W) gives an output (out, oh, ow)."),
        ("empty batch", "A batch of 0 images gives an output (0, out, oh, ow) and gradients of their full shapes."),
        ("weight shape", "The weight, and its gradient, is (out, in / groups, kh, kw)."),
        ("bias shape", "The bias, and its gradient, is (out,)."),
        ("activations", "The output has batch · out · oh · ow elements: every window of every filter once."),
    )),
    ("ARITH", "Arithmetic", "docs, the formula; Higham (2002), section 3.1", (
        ("exact sums", "Where every partial sum is exact in the promised accumulator, so is the result, bit for bit."),
        ("bounded error", "Elsewhere the error stays within the bound that any order of summation keeps, under the declared profile."),
        ("finite results", "A result is finite where no order of summation can overflow."),
        ("powers of two", "Data multiplied by ±2^k give ±2^k times the result, bit for bit, where nothing underflows or overflows."),
    )),
    ("KERNEL", "kernel_size", "docs, Parameters: kernel_size", (
        ("unequal sides", "A pair (kh, kw) is height first; kh ≠ kw is legal."),
        ("1×1", "A 1×1 kernel mixes channels only, with stride, padding and groups as any other."),
        ("even sides", "An even kernel has no centre; its first tap lies on the first pixel of the window."),
    )),
    ("STRIDE", "stride", "docs, Parameters: stride", (
        ("equal strides", "Windows start s pixels apart."),
        ("different strides", "A pair (sh, sw) is height first."),
        ("left-over pixels", "Pixels after the last full window are not read; their gradient is zero."),
    )),
    ("PAD", "padding", "docs, Parameters: padding", (
        ("equal padding", "p pixels are added on all four sides."),
        ("different padding", "A pair (ph, pw) adds ph rows above and below, pw columns left and right."),
        ("'same'", "The output is as large as the input; of an odd total the extra pixel goes below and to the right."),
        ("'valid'", "No padding."),
        ("padding ≥ kernel", "Windows may lie wholly in the padding."),
    )),
    ("MODE", "padding_mode", "docs, Parameters: padding_mode; torch.nn.functional.pad", (
        ("'zeros'", "The padding holds zeros."),
        ("'reflect'", "The padding mirrors the image without repeating the edge pixel."),
        ("'replicate'", "The padding repeats the edge pixel."),
        ("'circular'", "The padding wraps around to the opposite side."),
    )),
    ("DIL", "dilation", "docs, Parameters: dilation", (
        ("equal dilation", "Kernel taps lie d pixels apart."),
        ("different dilation", "A pair (dh, dw) is height first."),
    )),
    ("GROUPS", "groups", "docs, Parameters: groups", (
        ("blocks of channels", "Block g of the outputs reads block g of the inputs only, in order."),
        ("depthwise", "With groups = in_channels each input channel has its own out/in filters; output channel o reads input o // (out/in)."),
    )),
    ("BIAS", "bias", "docs, Parameters: bias", (
        ("bias", "bias[o] is added once to every element of output channel o."),
        ("no bias", "Without bias nothing is added, and its gradient is None."),
    )),
    ("BATCH", "Batch", "docs, the formula", (
        ("images are independent", "Each image of a batch gives what it gives alone."),
    )),
    ("GRAD", "Gradients", "the adjoint of the documented formula; Dumoulin & Visin (2016), section 4", (
        ("input gradient", "grad_input is the transposed convolution of grad_output with the weight, in the shape of the input."),
        ("weight gradient", "grad_weight correlates the input with grad_output, summed over images and windows."),
        ("bias gradient", "grad_bias sums grad_output over images, rows and columns."),
        ("stride leftovers", "Pixels that no window reads have gradient 0, and grad_input has the full input size."),
        ("adjoint identity", "⟨dy, A·x⟩ = ⟨Aᵀ·dy, x⟩ = ⟨B·dy, w⟩, exactly on integers."),
        ("through padding", "Gradients of copies in reflect, replicate and circular padding add up at their source pixel."),
        ("double backward", "Gradients of the gradients are convolutions of the same kind."),
        ("some gradients", "A gradient is the same whichever others are asked for with it."),
        ("grad mode", "The output is the same while gradients are recorded, under no_grad and in inference mode."),
        ("accumulation", "A backward pass adds its gradients to those that are there already."),
        ("retained graph", "A second backward pass through a retained graph gives gradients of its own grad_output, as the first does."),
        ("interleaved graphs", "Gradients of an output are those of its own operands, whatever was computed since."),
    )),
    ("MODULE", "The module", "docs, Parameters and Variables", (
        ("constructor", "All nine arguments by keyword, with the documented defaults."),
        ("weight", "module.weight has the weight shape and the requested dtype."),
        ("bias", "module.bias has the bias shape, or is None with bias=False."),
        ("int and pair", "An int means the same value for both axes."),
        ("initialisation", "Weight and bias are drawn from U(−1/√fan_in, 1/√fan_in), fan_in = in/groups · kh · kw."),
        ("call", "module(x) is the convolution of x with its parameters."),
        ("gradients", "A backward pass leaves the gradients of it in x, weight and bias, whichever of them require one."),
        ("parameters that change", "module(x) is computed with the parameters that it has then: changed in place, through torch's .data, or replaced; a deep copy has its own."),
    )),
    ("ERROR", "Errors", "docs, Parameters and Shape", (
        ("stride", "A stride below 1 is refused."),
        ("kernel_size", "A kernel side below 1 is refused."),
        ("groups", "Groups below 1, or that do not divide both channel counts, are refused."),
        ("'same' with stride", "padding='same' with a stride other than 1 is refused."),
        ("padding", "Negative padding, and any string but 'same' and 'valid', is refused."),
        ("dilation", "A dilation below 1 is refused."),
        ("padding_mode", "An unknown padding_mode is refused."),
        ("kernel too large", "A dilated kernel larger than the padded input is refused."),
        ("reflect", "Reflect padding not smaller than the input is refused."),
        ("circular", "Circular padding larger than the input is refused."),
        ("tensors that do not fit", "Tensors of a wrong number of dimensions, channels or sizes are refused."),
        ("mixed dtypes", "A weight or bias of another dtype than the input is refused."),
        ("what is legal", "A legal call is accepted."),
        ("wrong types", "A float, however whole, NaN, None or a bool for stride, padding, dilation or groups is refused, and None or a list in place of a tensor."),
    )),
    ("DTYPE", "dtypes", "docs, Parameters: dtype; IEEE 754", (
        ("result dtype", "Results have the dtype of the input."),
        ("16-bit floats", "float16 and bfloat16 compute as their declared profile promises."),
        ("complex", "Complex tensors multiply without conjugation."),
    )),
    ("LAYOUT", "Memory layouts", "docs, torch.Tensor: a view is its values", (
        ("layout does not matter", "Values do not depend on strides or offset."),
        ("expanded and reversed", "Views with stride 0 or negative strides are read as their values."),
        ("memory format", "Where it is declared: the output, grad_input and grad_weight are channels_last if x or the weight is, and contiguous if both are; strides decide which a tensor is, as in c10's is_channels_last_strides_2d."),
    )),
    ("PURE", "Purity", "docs: the function has no side effects", (
        ("inputs untouched", "No byte of an input changes."),
        ("every element written", "No result shows what was in memory before the call."),
        ("a plain result", "A call returns a plain array; it does not end the process, nor hang."),
        ("no hidden state", "A result depends on the arguments of its own call only, whatever was called before and whatever other threads call meanwhile."),
        ("nothing outside", "No byte outside the tensors is read or written, and no input is written to."),
        ("results of one's own", "A result shares memory with no input and no other result, and does not change after its return."),
        ("work of one's own", "In an untrusted run the candidate computes the result itself, without calling a convolution of a framework."),
        ("the current stream", "On a device with streams a call is queued on the one that is current: behind what was queued there before."),
        ("graphs", "Where a backend declares it, a call that was captured in a graph gives, replayed, the result of what its tensors hold then."),
        ("nothing left behind", "A call leaves the process as it was: no setting that changes what its caller's program does next, and no process that outlives the program."),
    )),
    ("SPECIAL", "Special values", "IEEE 754, sections 6 and 7", (
        ("NaN", "NaN stands where a window reads one or infinities cancel, and nowhere else."),
        ("Inf", "±Inf stands where a window reads it, with its sign."),
        ("subnormals", "Subnormal operands and results keep their values, unless the profile flushes them."),
        ("large magnitudes", "Values near overflow are summed as others are."),
        ("cancellation", "Sums that nearly cancel keep the bound."),
        ("overflow", "A sum is ±Inf where every order of summation overflows."),
    )),
    ("EXT", "Extensions, for backends that declare them", "ONNX, Conv: auto_pad, pads; XLA, ConvWithGeneralPadding; numpy.promote_types", (
        ("same-upper", "padding='same' with a stride gives ⌈i / s⌉ outputs; the odd pixel of padding lies below and to the right."),
        ("same-lower", "padding='same' with a stride gives ⌈i / s⌉ outputs; the odd pixel of padding lies above and to the left."),
        ("negative-padding", "A padding of −p takes p pixels off each side of the input."),
        ("asymmetric-padding", "padding=(top, bottom, left, right) pads each side with zeros for itself."),
        ("empty-output", "A kernel larger than the padded input gives an output without elements."),
        ("promoted-dtypes", "A weight of another dtype than the input is computed with in the wider dtype of both, which the result has."),
    )),
    ("TRANSFORM", "Transforms, for backends that declare them", "docs, torch.func.vmap, torch.func.jvp, torch.autocast; torch, meta device; docs, torch.add", (
        ("vmap", "Over a leading dimension of every operand, each slice is convolved by itself."),
        ("jvp", "The tangent of the output is conv(ẋ, w) + conv(x, ẇ) + ḃ, for tangents of x, weight and bias."),
        ("meta", "Of tensors on the meta device comes one there, of the output's shape and dtype."),
        ("autocast", "Within torch.autocast, float32 operands are computed with in the dtype of that, which the result has."),
        ("out", "A tensor given as out= holds the output, in its own strides and nowhere else, and is what is returned."),
    )),
)  # fmt: skip

CLAUSES: Final = tuple(
    Clause(f"C2D-{group}-{number}", title, text, source)
    for group, _, source, rows in _GROUPS
    for number, (title, text) in enumerate(rows, 1)
)
"""Every clause, in the order of the specification."""

_BY_ID: Final[Mapping[str, Clause]] = MappingProxyType({clause.id: clause for clause in CLAUSES})


def clause(clause_id: str) -> Clause:
    """The clause with this id.

    Raises:
        UnknownClauseError: there is none; the message names the nearest.
    """
    if clause_id not in _BY_ID:
        near = get_close_matches(clause_id.upper(), _BY_ID, n=1)
        hint = f"did you mean {near[0]}?" if near else "`convcheck spec` lists them"
        raise UnknownClauseError(f"no clause is called {clause_id!r}; {hint}")
    return _BY_ID[clause_id]


def specification_markdown() -> str:
    """The specification as a Markdown page."""
    lines = ["# The specification of Conv2d, clause by clause", "", "Printed by `convcheck spec`.", ""]
    for group, heading, source, rows in _GROUPS:
        lines += [f"## {heading}", "", f"Source: {source}.", ""]
        lines += [f"- **C2D-{group}-{n}** {title}. {text}" for n, (title, text) in enumerate(rows, 1)]
        lines.append("")
    return "\n".join(lines)
