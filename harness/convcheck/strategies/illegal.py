"""Illegal cases: a legal one with exactly one thing made wrong, as close to legality as it gets.

Each clause on errors has its share, by how many ways there are to break it (`convcheck.judging.blocks`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain, zip_longest
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from convcheck.model.case import FLAWS, NO_TENSORS, Case, Flaw
from convcheck.model.extensions import Extension
from convcheck.strategies.draws import Dealt, Draw, pick

Break: TypeAlias = Callable[[Draw, Case], Case]

_WRONG_STRINGS: Final = ("VALID", "full", "SAME", "valid ", "sme", " same", "Same", "same ")
_DTYPES: Final[tuple[Flaw, ...]] = ("weight_dtype", "bias_dtype")
_SHAPES: Final[tuple[Flaw, ...]] = tuple(flaw for flaw in FLAWS if flaw not in ("none", *NO_TENSORS, *_DTYPES))


TURNS: Final = 96
"""Turns of a way: what is drawn in it follows from the turn as far as that goes, so that each way to break a clause has
its own. The digits of 2, 3, 4, 6, 8 and 12 fit into it."""


def break_case(draw: Draw, case: Case, way: str, turn: int, *, module: bool) -> Case:
    """An illegal neighbour of a legal case.

    Args:
        draw: the choices.
        case: a legal case, to be called as a function.
        way: one of `WAYS`.
        turn: of the way, below `TURNS`.
        module: whether there is a module to build, too.
    """
    shape = case.input_shape
    if case.batch == 0:  # without an image there is nothing to refuse before it is touched
        shape = (1, *shape[1:])
    of_turn = Dealt(turn, TURNS, draw)
    broken = WAYS[way](of_turn, replace(case, input_shape=shape, regime="reals"))
    of_module = way in MODULE_ONLY or (module and way not in FUNCTION_ONLY and of_turn.side() == 1)
    return replace(broken, entry="module") if of_module and broken.flaw == "none" else broken


def _changed(case: Case, **changes: Any) -> Case:
    return replace(case, arguments=replace(case.arguments, **changes))


def _one_side(case: Case, draw: Draw, name: str, values: tuple[int, ...]) -> Case:
    """One entry of a pair replaced, or the whole written as an int, or three numbers where two belong."""
    axis, value = draw(0, 3), pick(draw, values)
    if axis == 2:
        return _changed(case, **{name: value})
    pair = list(getattr(case.params, name))
    if axis == 3:
        return _changed(case, **{name: (*pair, pair[-1])})
    pair[axis] = value
    return _changed(case, **{name: tuple(pair)})


def _stride(draw: Draw, case: Case) -> Case:
    if case.arguments.padding == "same":  # its own clause
        case = _unpadded(case)
    return _one_side(case, draw, "stride", (0, -1))


def _unpadded(case: Case, *, cropped: int = 0) -> Case:
    """Without padding; the kernel has one tap where the image, with some pixels less, has no room for it.

    Else a kernel that does not fit would be refused for that.
    """
    room = [size - cropped for size in case.input_shape[-2:]]
    fits = all(extent <= size for extent, size in zip(case.params.extent, room, strict=True))
    return _changed(case, padding=0, padding_mode="zeros", **({} if fits else {"kernel_size": 1}))


def _in_numbers(case: Case) -> Case:
    """With zeros for padding, as many as before on the wider side."""
    return _changed(case, padding=tuple(max(pads) for pads in case.params.padding), padding_mode="zeros")


def _kernel(draw: Draw, case: Case) -> Case:
    return _one_side(_in_numbers(case), draw, "kernel_size", (0, -1))


def _groups(draw: Draw, case: Case) -> Case:
    """Groups that are not positive, or one channel more than they divide, on one side or the other.

    Half of the layers with a filter more are depthwise but for it.
    """
    kind, params = draw(0, 2), case.params
    if kind == 0:
        return _changed(case, groups=pick(draw, (0, -1)))
    groups = max(2, params.groups)
    inputs, outputs = (groups * (c // params.groups) for c in (params.in_channels, params.out_channels))
    if kind == 2 and draw(0, 1) == 0:
        inputs = groups
    if kind == 1:
        return _with_channels(_changed(case, groups=groups, out_channels=outputs), inputs + 1)
    return _with_channels(_changed(case, groups=groups, out_channels=outputs + 1), inputs)


def _with_channels(case: Case, channels: int) -> Case:
    shape = (*case.input_shape[:-3], channels, *case.input_shape[-2:])
    return replace(_changed(case, in_channels=channels), input_shape=shape)


def _same_with_stride(draw: Draw, case: Case) -> Case:
    return _changed(case, padding="same", stride=pick(draw, (2, (2, 1), (1, 2), 3)), padding_mode="zeros")


def _padding(draw: Draw, case: Case) -> Case:
    """A string that is not 'same' or 'valid', sides below 0, or three sides; one below 0 beside one above it."""
    top, left = (max(1, *pads) for pads in case.params.padding)
    numbers: tuple[Any, ...] = (-1, (top, left, left), (-1, left), (top, -1))
    # a number after every other string, so that any few turns in a row have some of each
    mixed = chain.from_iterable(zip_longest(_WRONG_STRINGS[::2], numbers, _WRONG_STRINGS[1::2]))
    wrong = pick(draw, [value for value in mixed if value is not None])
    word = wrong.strip().lower() if isinstance(wrong, str) else ""
    if word == "same":  # which is refused with a stride anyway
        case = _changed(case, stride=1)
    elif word == "valid":
        case = _unpadded(case)
    elif not word and -1 in (wrong if isinstance(wrong, tuple) else (wrong,)):
        larger = tuple(size + 2 for size in case.input_shape[-2:])
        case = _unpadded(replace(case, input_shape=(*case.input_shape[:-2], *larger)), cropped=2)
    return _changed(case, padding=wrong, padding_mode="zeros")


def _dilation(draw: Draw, case: Case) -> Case:
    """A dilation below 1, in half of the cases of a kernel of one tap, which it says nothing about."""
    broken = _one_side(case, draw, "dilation", (0, -1))
    single = draw(0, 1) == 1 and not isinstance(case.arguments.padding, str)
    return _changed(broken, kernel_size=1) if single else broken


def _mode(draw: Draw, case: Case) -> Case:
    return _changed(case, padding_mode=pick(draw, ("constant", "zero", "edge")))


def _kernel_too_large(draw: Draw, case: Case) -> Case:
    """The kernel spans one pixel more than the padded image."""
    case = _changed(case, padding_mode="zeros", padding=tuple(min(pads) for pads in case.params.padding))
    axis, params = draw(0, 1), case.params
    shape = list(case.input_shape)
    fitting = params.extent[axis] - 1 - sum(params.padding[axis])
    if fitting >= 1:
        shape[axis - 2] = fitting
        return replace(case, input_shape=tuple(shape))
    kernel, dilation = list(params.kernel_size), list(params.dilation)
    kernel[axis], dilation[axis] = shape[axis - 2] + sum(params.padding[axis]) + 1, 1
    return _changed(case, kernel_size=tuple(kernel), dilation=tuple(dilation))


def _reflect(draw: Draw, case: Case) -> Case:
    return _too_much(draw, case, "reflect", 0)


def _circular(draw: Draw, case: Case) -> Case:
    return _too_much(draw, case, "circular", 1)


def _too_much(draw: Draw, case: Case, mode: str, beyond: int) -> Case:
    """Padding of the image's size and `beyond` along one axis; the kernel fits all the same."""
    axis, params = draw(0, 1), case.params
    sides = [0, 0]
    sides[axis] = case.input_shape[axis - 2] + beyond
    kernel = [min(k, i) for k, i in zip(params.kernel_size, case.input_shape[-2:], strict=True)]
    return _changed(case, padding=tuple(sides), padding_mode=mode, kernel_size=tuple(kernel), dilation=1)


def _tensors(draw: Draw, case: Case) -> Case:
    """Shapes that do not fit; one less, and a single entry, only where that is not none, and not all there are.

    Where the one that is drawn fits, the next comes. After all of them comes an image without a pixel.
    """
    params = case.params
    fitting = set[Flaw]()
    if params.in_channels == 1:
        fitting.add("input_channels_few")
    if params.in_channels == params.groups:
        fitting.add("weight_channels_few")
    if params.groups == 1:
        fitting.add("weight_ungrouped")
    if params.out_channels == 1:
        fitting |= {"bias_few", "bias_single"}
    at = draw(0, len(_SHAPES))
    if at == len(_SHAPES):
        return _without_pixels(draw, case)
    return _flawed(case, next(flaw for flaw in (*_SHAPES[at:], *_SHAPES[:at]) if flaw not in fitting))


def _without_pixels(draw: Draw, case: Case) -> Case:
    """No row or no column, within padding that the kernel fits into."""
    axis, shape = draw(0, 1) - 2, list(case.input_shape)
    shape[axis] = 0
    padding = tuple(max(e // 2 + 1, *pads) for e, pads in zip(case.params.extent, case.params.padding, strict=True))
    return replace(_changed(case, padding=padding, padding_mode="zeros"), input_shape=tuple(shape))


def _dtypes(draw: Draw, case: Case) -> Case:
    flaw = pick(draw, _DTYPES)
    if flaw == "bias_dtype" and isinstance(case.arguments.padding, str):  # whose refusal is left open
        case = _in_numbers(case)
    return _flawed(case, flaw)


_NUMBERS: Final = ("stride", "padding", "dilation", "groups")


def _fractions(draw: Draw, case: Case) -> Case:
    """A float where an int belongs: with a fraction, or as large."""
    name = pick(draw, _NUMBERS)
    more = pick(draw, (0.5, 0.9)) if draw(0, 1) == 0 else 0.0
    if name == "groups":
        return _changed(case, groups=case.params.groups + more)
    pair = getattr(case.params, name)
    first, second = (pair[0][0], pair[1][0]) if name == "padding" else pair
    return _without_number(case, name, pick(draw, (first + more, (first, second + more), (first + more, second))))


def _bools(draw: Draw, case: Case) -> Case:
    return _without_number(case, pick(draw, _NUMBERS), True)


def _no_numbers(draw: Draw, case: Case) -> Case:
    return _without_number(case, pick(draw, _NUMBERS), pick(draw, (None, math.nan)))


def _without_number(case: Case, name: str, value: Any) -> Case:
    """The argument replaced; padding that depends on it, or on which it depends, is none."""
    alone = name == "groups" or (name != "padding" and case.arguments.padding != "same")
    return _changed(case if alone else _unpadded(case), **{name: value})


def _no_tensors(draw: Draw, case: Case) -> Case:
    return _flawed(case, pick(draw, NO_TENSORS))


def _asymmetric(draw: Draw, case: Case) -> Case:
    """Each side padded for itself, which is illegal as it stands: some engines take (top, bottom, left, right)."""
    (top, _), (left, _) = case.params.padding
    sides = [side + draw(0, 2) for side in (top, top, left, left)]
    return _changed(case, padding=tuple(sides), padding_mode="zeros")


def _flawed(case: Case, flaw: Flaw) -> Case:
    return replace(_changed(case, bias=True) if flaw.startswith("bias") else case, flaw=flaw)


WAYS: Final[Mapping[str, Break]] = MappingProxyType(
    {
        "stride": _stride,
        "kernel": _kernel,
        "groups": _groups,
        "same with stride": _same_with_stride,
        "padding": _padding,
        "dilation": _dilation,
        "mode": _mode,
        "kernel too large": _kernel_too_large,
        "reflect": _reflect,
        "circular": _circular,
        "tensors": _tensors,
        "dtypes": _dtypes,
        "fractions": _fractions,
        "bools": _bools,
        "no numbers": _no_numbers,
        "no tensors": _no_tensors,
        "asymmetric padding": _asymmetric,
    }
)
"""What is made wrong, as clauses C2D-ERROR-1 to -12 and -14 have it; the last is put to those only who take it."""

OF_EXTENSIONS: Final[Mapping[Extension, str]] = MappingProxyType(
    {
        Extension.SAME_UPPER: "same with stride",
        Extension.SAME_LOWER: "same with stride",
        Extension.NEGATIVE_PADDING: "padding",
        Extension.ASYMMETRIC_PADDING: "asymmetric padding",
        Extension.EMPTY_OUTPUT: "kernel too large",
        Extension.PROMOTED_DTYPES: "dtypes",
    }
)
"""The way to what an extension takes."""

FUNCTION_ONLY: Final = ("tensors", "dtypes", "asymmetric padding")
MODULE_ONLY: Final = ("kernel", "mode")
"""A function has no such argument, or sees it in the weight."""
