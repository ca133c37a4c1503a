"""The products that each quantity sums, counted: which pairs of factors meet, and where padding does.

Used on 0/1 masks to say where a NaN, an infinity or any single element can show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.profiles import Quantity
from convcheck.numerics.nonfinite import Count
from convcheck_reference.patches import Patches, grad_input

Array = NDArray[Any]


def counts(case: Case, quantity: Quantity) -> Count:
    """How many products of two masked tensors each element of a quantity sums.

    The masks, float64, are those of (x, weight) for output, (grad_output, weight) for grad_input,
    (grad_output, x) for grad_weight, and (grad_output, ones of (1,)) for grad_bias.
    """
    params = case.params

    def output(x: Array, weight: Array) -> Array:
        return Patches(x, params).output(weight).reshape(case.output_shape)

    def of_input(grad: Array, weight: Array) -> Array:
        return grad_input(weight, grad, params, case.input_shape)

    def grad_weight(grad: Array, x: Array) -> Array:
        return Patches(x, params).grad_weight(grad)

    def grad_bias(grad: Array, ones: Array) -> Array:
        return np.asarray(grad.sum(axis=(0, 2, 3) if grad.ndim == 4 else (1, 2)) * ones)

    named: dict[Quantity, Count] = {
        "output": output,
        "grad_input": of_input,
        "grad_weight": grad_weight,
        "grad_bias": grad_bias,
    }
    return named[quantity]


def meets_padding(case: Case, quantity: Quantity, factor: Array) -> NDArray[np.bool_]:
    """Where a masked element of the factor that is not x meets a zero of the padding.

    Implementations that multiply these zeros and those that skip them are both legal.

    Args:
        case: a legal case.
        quantity: output (whose factor is the weight), grad_weight (grad_output); no other reads padding.
        factor: the mask.
    """
    if quantity not in ("output", "grad_weight"):
        return np.zeros(case.input_shape if quantity == "grad_input" else case.params.out_channels, np.bool_)
    mask, inside = factor.astype(np.float64), Patches(np.ones(case.input_shape), case.params)
    # how many taps of each filter, or gradients of each channel, are marked; what does not meet the image meets padding
    if quantity == "output":
        met = mask.sum(axis=(1, 2, 3))[:, None, None] - inside.output(mask).reshape(case.output_shape)
    else:
        marked = mask.sum(axis=(0, 2, 3) if mask.ndim == 4 else (1, 2))
        met = marked[:, None, None, None] - inside.grad_weight(mask)
    return np.asarray(met > 0)
