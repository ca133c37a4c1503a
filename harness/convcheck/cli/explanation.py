"""What each parameter means for one layer: `convcheck explain`."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, fields
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from convcheck_reference.errors import ConvcheckError, ParameterTypeError, SizeOverflowError
from convcheck_reference.params import MAX_INDEX, Arguments, Conv2dParams, Pair

LONGEST: Final = 4096
"""Characters of a layer that is explained."""

_NAMES = tuple(field.name for field in fields(Arguments))


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a layer is, and what it does to one input size; `error` says why it is illegal.

    Attributes:
        layer: as spelled.
        legal: whether Conv2d takes it, on the given input.
        error: why not; empty if legal.
        facts: name and value, for machines.
        meaning: name and sentence, for people.
    """

    layer: str
    legal: bool
    error: str
    facts: dict[str, Any]
    meaning: dict[str, str]


class _NotANumber(ast.NodeTransformer):
    """Reads NaN, which has no literal, as it is printed."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(math.nan), node) if node.id == "nan" else node


def parse_layer(text: str) -> Arguments:
    """The arguments of ``Conv2d(3, 10, kernel_size=5)``, written as Python; nothing is executed.

    Raises:
        ParameterTypeError: the text is no such call.
    """
    example = "expected, for example, Conv2d(3, 10, kernel_size=5, padding=2)"
    if len(text) > LONGEST:
        raise ParameterTypeError(f"a layer of {len(text):,} characters, {text[:40]!r}…; {example}")
    try:
        with catch_warnings():
            simplefilter("error")  # what is read with a doubt is refused
            call = _NotANumber().visit(ast.parse(text.strip(), mode="eval")).body
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != "Conv2d":
            raise ParameterTypeError(f"{text!r} is no call of Conv2d; {example}")
        positional = [ast.literal_eval(node) for node in call.args]
        named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        for value in (*positional, *named.values()):
            _check_sizes(value)
    except ConvcheckError:
        raise
    # a literal may be no key of a dictionary, or nested too deep
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ParameterTypeError(f"{text!r} cannot be read: {error or 'it is too deep'}; {example}") from error
    if unknown := set(named) - set(_NAMES):
        raise ParameterTypeError(f"{min(unknown)!r} is no argument of Conv2d; expected {', '.join(_NAMES)}")
    try:
        return Arguments(*positional, **named)
    except TypeError as error:
        raise ParameterTypeError(f"{text!r}: {error}; {example}") from error


def _check_sizes(value: Any) -> None:
    """Refuse numbers that are no sizes: some have too many digits to be shown."""
    for size in value if isinstance(value, tuple | list) else (value,):
        if isinstance(size, int) and abs(size) > MAX_INDEX:
            raise SizeOverflowError(f"a number of {size.bit_length()} bits is no size; those are signed, of 64 bits")


def explain(arguments: Arguments, input_shape: tuple[int, ...] | None = None) -> Explanation:
    """Explain a layer, and what it does to an input of shape (N, C, H, W) or (C, H, W)."""
    try:
        params = Conv2dParams.of(arguments)
    except ConvcheckError as error:
        return Explanation(str(arguments), False, str(error), {}, {})
    facts = _layer_facts(params)
    meaning = _meaning(params)
    if input_shape is None:
        return Explanation(str(arguments), True, "", facts, meaning)
    try:
        output = params.output_shape(input_shape)
    except ConvcheckError as error:
        return Explanation(str(arguments), False, str(error), facts, meaning)
    activations = params.activations(input_shape)
    facts |= {
        "input_shape": input_shape,
        "output_shape": output,
        "filters": params.out_channels,
        "activations": activations,
        "multiply_adds": params.multiply_adds(input_shape),
    }
    product = " · ".join(map(str, output))
    meaning["output"] = f"{output}: every filter at every window of every image"
    meaning["filters and activations"] = (
        f"{params.out_channels} filters, but {activations:,} activations ({product}): "
        f"a filter is used again at each window"
    )
    return Explanation(str(arguments), True, "", facts, meaning)


def _layer_facts(params: Conv2dParams) -> dict[str, Any]:
    weights = params.out_channels * params.fan_in
    return {
        "kernel_size": params.kernel_size,
        "stride": params.stride,
        "padding": params.padding,
        "dilation": params.dilation,
        "groups": params.groups,
        "padding_mode": params.padding_mode,
        "weight_shape": params.weight_shape,
        "bias_shape": params.bias_shape,
        "fan_in": params.fan_in,
        "parameters": weights + (params.out_channels if params.bias else 0),
        "receptive_field": params.extent,
    }


def _meaning(params: Conv2dParams) -> dict[str, str]:
    (kh, kw), (sh, sw), (dh, dw) = params.kernel_size, params.stride, params.dilation
    (top, bottom), (left, right) = params.padding
    block = params.in_channels // params.groups
    return {
        "in_channels": f"{params.in_channels} channels come in; each filter reads {block} of them",
        "out_channels": f"{params.out_channels} filters, so {params.out_channels} channels go out",
        "kernel_size": f"each filter is {kh} high and {kw} wide",
        "stride": f"windows start {_pair((sh, sw))} apart (down, across)",
        "padding": f"{top} above, {bottom} below, {left} left, {right} right, mode {params.padding_mode}",
        "dilation": f"kernel taps lie {_pair((dh, dw))} apart, so a window spans {_pair(params.extent)}",
        "groups": f"{params.groups} blocks of {block} inputs and {params.out_channels // params.groups} outputs",
        "weight": f"{params.weight_shape} = (out, in / groups, kernel height, kernel width)",
        "bias": f"{params.bias_shape}: one number a filter" if params.bias else "none",
        "initialisation": f"weight and bias from U(±1/√{params.fan_in} = ±{params.fan_in**-0.5:.4g})",
    }


def _pair(pair: Pair) -> str:
    return f"{pair[0]} × {pair[1]} pixels"
