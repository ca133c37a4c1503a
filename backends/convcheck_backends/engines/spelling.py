"""How engines spell a layer: what several adapters need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convcheck import Capabilities, Gradients
from convcheck_reference import Conv2dParams

Sides = tuple[int, int, int, int]


def zero_padded_batches(**more: Any) -> Capabilities:
    """What most engines have in common: images come in batches, and the pixels around them are zeros.

    Their bindings take a bool as the integer that it is in Python
    (https://docs.python.org/3/library/stdtypes.html#boolean-type-bool).

    Args:
        more: of the engine, as `Capabilities` takes it.
    """
    return Capabilities(padding_modes=("zeros",), unbatched=False, refuses_bools=False, **more)


def copied_batches(**more: Any) -> Capabilities:
    """The same of an engine that gets its arrays as copies in one piece, so that no other layout reaches it.

    Args:
        more: of the engine.
    """
    return zero_padded_batches(layouts=("contiguous",), **more)


def given(x: Any, weight: Any, bias: Any | None) -> tuple[Any, ...]:
    """The operands that a layer has."""
    return (x, weight) if bias is None else (x, weight, bias)


def gradients(found: Sequence[Any]) -> Gradients:
    """The gradients with respect to the operands that a layer has."""
    return Gradients(*found, *[None] * (len(Gradients._fields) - len(found)))


def word(params: Conv2dParams, same: str, valid: str) -> str | None:
    """Padding as an engine's word; None where it is numbers.

    Args:
        params: the layer.
        same: the word for 'same'.
        valid: the word for 'valid'.

    Raises:
        ValueError: it is a text that is neither, though an engine's own word.
    """
    spelled = params.arguments.padding
    if not isinstance(spelled, str):
        return None
    words = {"same": same, "valid": valid}
    if spelled not in words:
        raise ValueError(f"padding={spelled!r}; expected 'same', 'valid' or numbers")
    return words[spelled]


def sides(params: Conv2dParams) -> Sides:
    """Pixels of padding at (top, bottom, left, right).

    Raises:
        ValueError: padding is a text that is not known.
    """
    if isinstance(params.padding, str):
        raise ValueError(  # noqa: TRY004  (a text is legal, this one is not)
            f"padding={params.padding!r}; expected 'same', 'valid' or numbers"
        )
    (top, bottom), (left, right) = params.padding
    return top, bottom, left, right


def check_channels(weight: Any, params: Conv2dParams) -> None:
    """Refuse a weight that makes other groups, for engines that count them by it and have no other word for them.

    Raises:
        ValueError: the weight is for another number of channels.
    """
    if weight.shape[1] * params.groups != params.in_channels:
        raise ValueError(
            f"the weight takes {weight.shape[1]} channels in each of {params.groups} groups; "
            f"expected {params.in_channels} channels in all"
        )


def check_bias(x: Any, weight: Any, bias: Any | None) -> None:
    """Refuse a bias that does not fit, for engines that have none: it is added to what they return.

    Raises:
        ValueError: it is of another dtype than the input's, or has not a number for each filter.
    """
    if bias is not None and (bias.dtype != x.dtype or tuple(bias.shape) != tuple(weight.shape[:1])):
        raise ValueError(
            f"the bias is {bias.dtype} of shape {tuple(bias.shape)}; expected {x.dtype} of {tuple(weight.shape[:1])}"
        )


def padded(x: Any, params: Conv2dParams) -> Any:
    """An image with its zeros around it."""
    top, bottom, left, right = sides(params)
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))


def dilated(weight: Any, params: Conv2dParams) -> Any:
    """A weight with the zeros between its taps."""
    (rows, columns), (height, width) = params.dilation, params.extent
    spread = np.zeros((*weight.shape[:2], height, width), weight.dtype)
    spread[:, :, ::rows, ::columns] = weight
    return spread
