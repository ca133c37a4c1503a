"""What people ask about a layer, answered in a sentence each."""

from __future__ import annotations

from typing import Final

from convcheck.explanation.costs import costs, in_units
from convcheck.explanation.geometry import Axis, axes, example_size
from convcheck.explanation.plain_text import group_lines, padding_line
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Arguments, Conv2dParams, Pair, Shape

_READS: Final = {
    "zeros": "zeros, which add nothing",
    "reflect": "the image mirrored at its edge pixel, which is not repeated",
    "replicate": "the edge pixel again and again",
    "circular": "the opposite side of the image",
}


def answers(params: Conv2dParams) -> dict[str, str]:
    """What each parameter means, by its name, and what follows for weight and window."""
    (kh, kw), (top, bottom), (left, right) = params.kernel_size, *params.padding
    block = params.in_channels // params.groups
    return {
        "in_channels": f"{params.in_channels} channels come in; each filter reads {block} of them",
        "out_channels": f"{params.out_channels} filters, so {params.out_channels} channels go out",
        "kernel_size": f"each filter is {kh} high and {kw} wide",
        "stride": f"windows start {_pixels(params.stride)} apart (down, across)",
        "padding": f"{top} above, {bottom} below, {left} left, {right} right, mode {params.padding_mode}",
        **_same(params),
        "dilation": f"kernel taps lie {_pixels(params.dilation)} apart, so a window spans {_pixels(params.extent)}",
        "groups": f"{params.groups} blocks of {block} inputs and {params.out_channels // params.groups} outputs",
        **({"who reads what": "; ".join(group_lines(params))} if params.groups > 1 else {}),
        "weight": _weight(params),
        "bias": f"{params.bias_shape}: one number a filter" if params.bias else "none",
        "parameters": _parameters(params),
        "receptive field": _receptive_field(params),
        "initialisation": f"weight and bias from U(±1/√{params.fan_in} = ±{params.fan_in**-0.5:.4g})",
    }


def answers_of_input(params: Conv2dParams, input_shape: Shape, dtype: str) -> dict[str, str]:
    """What the layer does to an input that it takes, and what that costs."""
    output = params.output_shape(input_shape)
    found = costs(params, input_shape, dtype)
    down, across = axes(params, (input_shape[-2], input_shape[-1]))
    product = " · ".join(map(str, output))
    sizes = ", ".join(f"{name} {in_units(number)}" for name, number in found.bytes.items() if name != "im2col")
    return {
        "output size": f"down {_size(down)}; across {_size(across)}",
        "output": f"{output}: every filter at every window of every image",
        "filters and activations": (
            f"{params.out_channels} filters, but {found.activations:,} activations ({product}): "
            f"a filter is used again at each window"
        ),
        **_unread(down, across),
        "multiply-adds": (
            f"{found.multiply_adds:,}: {found.activations:,} activations · {params.fan_in} inputs of each; "
            f"taps in the padding count"
        ),
        "memory": f"in {dtype}: {sizes}; unfolding an image (im2col) takes {in_units(found.bytes['im2col'])}",
    }


def reads_of_padding(params: Conv2dParams, size: Pair | None = None) -> str:
    """What the padding reads, in words and as the pixels of one row; empty without padding."""
    down, across = axes(params, size or example_size(params))
    axis, name = (across, "row") if across.before or across.after else (down, "column")
    if not (axis.before or axis.after):
        return ""
    return f"{_READS[params.padding_mode]}; a {name} reads {padding_line(axis)}"


def instead_of_same(arguments: Arguments) -> dict[str, str]:
    """Why padding='same' takes no stride but 1, and what to write instead."""
    why = (
        "'same' promises an output as large as the input; with a stride of s windows start s pixels apart, so that "
        "there are about s times fewer, whatever the padding"
    )
    try:
        spans = [extent - 1 for extent in Conv2dParams.of(_with_padding(arguments, 0)).extent]
    except ConvcheckError:  # something else is wrong with it as well
        return {"why": why}
    if any(span % 2 for span in spans):
        instead = (
            "for ⌈size / stride⌉ outputs, pad the input first, one pixel more below and to the right: "
            f"torch.nn.functional.pad(x, {(*_halves(spans[1]), *_halves(spans[0]))})"
        )
    else:
        instead = f"for ⌈size / stride⌉ outputs: padding={(spans[0] // 2, spans[1] // 2)}"
    return {"why": why, "instead": instead}


def _with_padding(arguments: Arguments, padding: int) -> Arguments:
    spelled = {name: getattr(arguments, name) for name in arguments.__slots__}
    return Arguments(**spelled | {"padding": padding})


def _halves(span: int) -> Pair:
    return span // 2, span - span // 2


def _same(params: Conv2dParams) -> dict[str, str]:
    reads = reads_of_padding(params)
    found = {"padding reads": reads} if reads else {}
    if params.arguments.padding == "same":
        extra = " (a pixel more below, or to the right, where that is odd)"
        found["'same'"] = (
            f"dilation · (kernel − 1) pixels on both sides together{extra}: the output is as large as the input, "
            f"which takes stride 1"
        )
    return found


def _weight(params: Conv2dParams) -> str:
    said = f"{params.weight_shape} = (out, in / groups, kernel height, kernel width)"
    if params.groups == 1:
        return said
    return f"{said}; without groups {params.groups} times as many: in would be {params.in_channels}"


def _parameters(params: Conv2dParams) -> str:
    product = " · ".join(map(str, params.weight_shape))
    weights = params.out_channels * params.fan_in
    if not params.bias:
        return f"{weights:,} = {product} weights"
    return f"{weights + params.out_channels:,} = {product} weights + {params.out_channels} biases"


def _receptive_field(params: Conv2dParams) -> str:
    extent, stride = params.extent, params.stride
    read = [-(-span // step) for span, step in zip(extent, stride, strict=True)]
    said = f"an output sees {_pixels(extent)}, and a pixel of the image is within at most {read[0]} × {read[1]} windows"
    skipped = [max(0, step - span) for span, step in zip(extent, stride, strict=True)]
    if any(skipped):
        said += f"; between windows {skipped[0]} rows and {skipped[1]} columns are never read"
    return said


def _size(axis: Axis) -> str:
    return (
        f"⌊({axis.size} + {axis.before} + {axis.after} − {axis.dilation}·({axis.taps} − 1) − 1) / {axis.stride}⌋ + 1 "
        f"= {axis.windows}"
    )


def _unread(down: Axis, across: Axis) -> dict[str, str]:
    if not (down.left_over or across.left_over):
        return {}
    return {
        "left over": f"{down.left_over} padded rows at the bottom and {across.left_over} columns at the right are "
        f"behind the last window: nothing reads them"
    }


def _pixels(pair: Pair) -> str:
    return f"{pair[0]} × {pair[1]} pixels"
