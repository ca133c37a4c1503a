"""How large a case may be that somebody types: what would be too large is refused before anything is allocated.

The limits lie above all that convcheck draws, up to the ladder's end. While a case is judged its tensors lie in memory
many times, as integers, reals and bounds: one of half as many elements as there may be took 9.3 GB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from convcheck.model.case import Case
from convcheck.model.strides import strides_of
from convcheck_reference.params import Conv2dParams, Shape

MOST_ELEMENTS: Final = 1 << 26
"""Of the padded input, weight and output together."""

MOST_IN_MEMORY: Final = 1 << 29
"""Elements of the memory in which these lie, gaps counted."""

MOST_COLUMNS: Final = 1 << 31
"""Elements of im2col, which many candidates make."""

MOST_WORK: Final = 1 << 36
"""Multiply-adds of the forward pass."""


def excess(case: Case) -> str:
    """What of a case is too large, and what is allowed, in words; empty if nothing is."""
    for what, number, most in _sizes(case):
        if number > most:
            return f"{what}: {number:,}; expected at most {most:,}"
    return ""


def _sizes(case: Case) -> Iterator[tuple[str, int, int]]:
    """Each size, with the most that it may be."""
    legal = case.violation is None
    shapes = _shapes(case) if legal else {"input": case.input_shape, "weight": _sizes_of_weight(case)}
    for name, shape in shapes.items():
        yield f"elements of the {name}", math.prod(shape), MOST_ELEMENTS
    yield f"elements of {' and '.join(shapes)} together", sum(map(math.prod, shapes.values())), MOST_ELEMENTS
    if legal:
        yield "elements in memory with the gaps of these layouts", _in_memory(case), MOST_IN_MEMORY
        yield "elements of im2col", _columns(case), MOST_COLUMNS
        yield "multiply-adds", case.multiply_adds, MOST_WORK


def _shapes(case: Case) -> dict[str, Shape]:
    return {
        "padded input": padded_shape(case.params, case.input_shape),
        "weight": case.params.weight_shape,
        "output": case.output_shape,
    }


def padded_shape(params: Conv2dParams, shape: Shape) -> Shape:
    """The shape of an input with its padding around it."""
    return *shape[:-2], *(size + sum(sides) for size, sides in zip(shape[-2:], params.padding, strict=True))


def _in_memory(case: Case) -> int:
    shapes = (case.input_shape, case.params.weight_shape, case.output_shape)
    return sum(strides_of(shape, layout).memory for shape, layout in zip(shapes, case.layouts, strict=True))


def _columns(case: Case) -> int:
    output = math.prod(case.output_shape[-2:])
    return case.batch * output * case.params.fan_in * case.params.groups


def _sizes_of_weight(case: Case) -> Shape:
    """The sizes of a weight for arguments that are illegal, as far as they are numbers; nothing is made of others."""
    spelled = case.arguments
    groups = spelled.groups if isinstance(spelled.groups, int) and spelled.groups > 0 else 1
    kernel = spelled.kernel_size if isinstance(spelled.kernel_size, tuple) else (spelled.kernel_size,) * 2
    into = spelled.in_channels // groups if isinstance(spelled.in_channels, int) else 1
    return tuple(max(1, size) for size in (spelled.out_channels, into, *kernel) if _is_number(size))


def _is_number(value: Any) -> bool:
    return isinstance(value, int)
