"""How engines spell a layer: what several adapters need."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcheck_reference import Conv2dParams

Sides = tuple[int, int, int, int]


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
