"""What each parameter means for one layer, and what it does to one input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convcheck.explanation.answers import answers, answers_of_input, instead_of_same
from convcheck.explanation.costs import costs
from convcheck_reference.errors import ConvcheckError, SamePaddingStrideError
from convcheck_reference.params import Arguments, Conv2dParams, Shape


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


def explain(arguments: Arguments, input_shape: Shape | None = None, dtype: str = "float32") -> Explanation:
    """Explain a layer, and what it does to an input.

    Args:
        arguments: of the layer, legal or not.
        input_shape: (N, C, H, W) or (C, H, W); None for the layer alone.
        dtype: of all tensors.
    """
    layer = str(arguments)
    try:
        params = Conv2dParams.of(arguments)
    except SamePaddingStrideError as error:
        return Explanation(layer, False, str(error), {}, instead_of_same(arguments))
    except ConvcheckError as error:
        return Explanation(layer, False, str(error), {}, {})
    facts = _facts(params)
    if input_shape is None:
        return Explanation(layer, True, "", facts, answers(params))
    try:
        output = params.output_shape(input_shape)
    except ConvcheckError as error:
        return Explanation(layer, False, str(error), facts, answers(params))
    found = costs(params, input_shape, dtype)
    facts |= {
        "input_shape": input_shape,
        "output_shape": output,
        "filters": params.out_channels,
        "activations": found.activations,
        "multiply_adds": found.multiply_adds,
        "bytes": found.bytes,
    }
    return Explanation(layer, True, "", facts, answers(params) | answers_of_input(params, input_shape, dtype))


def _facts(params: Conv2dParams) -> dict[str, Any]:
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
