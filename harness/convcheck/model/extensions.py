"""Extensions: what an engine documents where `torch.nn.Conv2d` refuses, and so is judged by instead of by a refusal.

Each reduces to a legal layer: the input is padded or cropped first, and the layer has no padding of its own.
Sources: ONNX, operator Conv, attribute auto_pad (SAME_UPPER, SAME_LOWER) and pads; TensorFlow, tf.nn.conv2d, padding
"SAME" (as SAME_UPPER); XLA, operation semantics of ConvWithGeneralPadding (negative padding, windows that do not fit);
NumPy, numpy.promote_types.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from convcheck.model.case import Case
from convcheck_reference.errors import ConvcheckError, KernelTooLargeError, PaddingError, SamePaddingStrideError
from convcheck_reference.params import Conv2dParams, Pair, Shape


class Extension(StrEnum):
    """What an engine may take besides.

    SAME_UPPER: padding='same' with a stride: ⌈i / s⌉ outputs, the odd pixel of padding below and to the right.
    SAME_LOWER: the same with the odd pixel above and to the left.
    NEGATIVE_PADDING: −p takes p pixels off each side.
    ASYMMETRIC_PADDING: padding=(top, bottom, left, right).
    EMPTY_OUTPUT: a kernel larger than the padded input gives an output without elements.
    PROMOTED_DTYPES: a weight and bias of another dtype than the input's are computed with in the wider of both.
    """

    SAME_UPPER = "same-upper"
    SAME_LOWER = "same-lower"
    NEGATIVE_PADDING = "negative-padding"
    ASYMMETRIC_PADDING = "asymmetric-padding"
    EMPTY_OUTPUT = "empty-output"
    PROMOTED_DTYPES = "promoted-dtypes"

    @property
    def clause(self) -> str:
        """The clause that says what it gives."""
        return f"C2D-EXT-{_IN_ORDER.index(self) + 1}"


_IN_ORDER: Final = tuple(Extension)

Sides: TypeAlias = tuple[Pair, Pair]
"""Pixels to add at ((top, bottom), (left, right)); below 0 to take off."""

_NONE: Final[Sides] = ((0, 0), (0, 0))
_SIDES_OF_AN_IMAGE: Final = 4


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A legal layer that computes what an extension does.

    Attributes:
        case: the layer, and its input after `sides`; None where its output has no elements.
        output_shape: of the extension.
        sides: what is done to the input before.
    """

    case: Case | None
    output_shape: Shape
    sides: Sides = _NONE


def extension_of(case: Case, declared: Collection[Extension]) -> Extension | None:
    """The declared extension that an illegal case makes use of; None if it makes use of none."""
    return next((extension for extension in Extension if extension in declared and _used(case, extension)), None)


def equivalent(case: Case, extension: Extension) -> Equivalent | None:
    """The legal layer for a case that uses an extension; None where more is illegal about it than that."""
    try:
        if extension is Extension.PROMOTED_DTYPES:
            legal = replace(case, flaw="none")
            return Equivalent(legal, legal.output_shape)
        if extension is Extension.EMPTY_OUTPUT:
            return Equivalent(None, _empty(case))
        if case.arguments.padding_mode != "zeros":
            return None
        legal = replace(case, arguments=replace(case.arguments, padding=0))
        sides = _sides(legal.params, case.arguments.padding, case.input_shape, extension)
        height, width = (size + sum(pads) for size, pads in zip(case.input_shape[-2:], sides, strict=True))
        legal = replace(legal, input_shape=(*case.input_shape[:-2], height, width))
        return Equivalent(legal, legal.output_shape, sides)
    except ConvcheckError:
        return None


def legal_counterparts(case: Case, extension: Extension) -> tuple[Case, ...]:
    """Legal layers that need nothing of an extension and are otherwise as a case that does.

    Where one of them fails as the case does, it is not for the extension that the case fails.
    """
    meant = equivalent(case, extension)
    found = [meant.case] if meant is not None and meant.case is not None else []
    if extension in (Extension.SAME_UPPER, Extension.SAME_LOWER):
        found += [replace(case, arguments=replace(case.arguments, stride=1))]
    if extension is Extension.ASYMMETRIC_PADDING:
        top, _, left, _ = case.arguments.padding
        found += [replace(case, arguments=replace(case.arguments, padding=(top, left)))]
    return tuple(legal for legal in found if legal.violation is None)


def _used(case: Case, extension: Extension) -> bool:
    violation, padding = case.violation, case.arguments.padding
    numbers = padding if isinstance(padding, tuple) else (padding,)
    if case.flaw != "none" or extension is Extension.PROMOTED_DTYPES:
        return case.flaw == "weight_dtype" and extension is Extension.PROMOTED_DTYPES
    if extension in (Extension.SAME_UPPER, Extension.SAME_LOWER):
        return isinstance(violation, SamePaddingStrideError)
    if extension is Extension.EMPTY_OUTPUT:
        return isinstance(violation, KernelTooLargeError)
    if not isinstance(violation, PaddingError) or not all(type(number) is int for number in numbers):
        return False
    if extension is Extension.ASYMMETRIC_PADDING:
        return len(numbers) == _SIDES_OF_AN_IMAGE and min(numbers) >= 0
    return len(numbers) in (1, 2)


def _empty(case: Case) -> Shape:
    """The shape of an output of which at least one side is 0."""
    params = case.params
    padded = (size + sum(pads) for size, pads in zip(case.input_shape[-2:], params.padding, strict=True))
    sizes = (
        max(0, (size - extent) // stride + 1)
        for size, extent, stride in zip(padded, params.extent, params.stride, strict=True)
    )
    return (*case.input_shape[:-3], params.out_channels, *sizes)


def _sides(params: Conv2dParams, padding: Any, shape: Shape, extension: Extension) -> Sides:
    if extension is Extension.ASYMMETRIC_PADDING:
        top, bottom, left, right = padding
        return (top, bottom), (left, right)
    if extension is Extension.NEGATIVE_PADDING:
        rows, columns = padding if isinstance(padding, tuple) else (padding, padding)
        return (rows, rows), (columns, columns)
    totals = [
        max(0, ((size - 1) // stride) * stride + extent - size)
        for size, stride, extent in zip(shape[-2:], params.stride, params.extent, strict=True)
    ]
    halves = [(total // 2, total - total // 2) for total in totals]
    first, second = halves if extension is Extension.SAME_UPPER else [(after, before) for before, after in halves]
    return first, second
