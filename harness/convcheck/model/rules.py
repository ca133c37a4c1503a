"""Rules: conditions on a case, written as a reader would say them: ``groups > 1 and stride_h != stride_w``.

One vocabulary for when a defect shows, where a known failure holds, and what a diagnosis has learnt.
A rule is a Python expression of the names below, literals, comparisons, ``and``, ``or``, ``not`` and
integer arithmetic (``output_w % 4 == 1``); nothing else is evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from types import CodeType, MappingProxyType
from typing import Any, Final, TypeAlias
from warnings import catch_warnings, simplefilter

import numpy as np

from convcheck.model.case import Case
from convcheck.model.rule_kinds import KindError, check_condition
from convcheck.model.strides import ALIGNMENT, TRAITS, alignment, traits
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES

Value: TypeAlias = int | str | bool
Facts: TypeAlias = Mapping[str, Value]

_OF_ONE_AXIS: Final = ("gaps", "repeated", "reversed")

OF_STRIDES: Final = (
    *(f"{trait}_{name}" for name in ("x", "weight", "grad") for trait in TRAITS),
    *(f"{trait}_bias" for trait in _OF_ONE_AXIS),
)
"""The names of what strides say; of a bias, what a tensor of one axis may have."""

NAMES: Final = (
    "batch", "unbatched", "in_channels", "out_channels", "in_per_group", "out_per_group", "groups",
    "height", "width", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w",
    "padding_h", "padding_w", "pad_bottom", "pad_right", "padding_same", "padding_mode", "bias",
    "extent_h", "extent_w", "output_h", "output_w", "left_over_h", "left_over_w",
    "dtype", "values", "layout_x", "layout_weight", "layout_grad", "entry",
    "padding_valid", "kernel_pair", "stride_pair", "padding_pair", "dilation_pair", "row_bytes",
    "layout_bias", "placement",
    "alignment_x", "alignment_weight", "alignment_bias", "alignment_grad", "alignment",
    *OF_STRIDES,
)  # fmt: skip
"""What a rule may ask of a legal case. padding_h and padding_w are the pixels above and to the left; the
two pad_ names differ from them for 'same' with an even kernel only. extent is the span of the dilated
kernel; left_over counts the padded rows and columns after the last window. The names that end in _pair say whether an
argument is spelled as two numbers; row_bytes is the size of a row of the image in memory. alignment is the power of 2,
up to 64, of which the addresses of a tensor are multiples in every call; without a name, of x, weight and bias; a bias
that is absent has the largest. Of the
strides of a tensor, channels_last says whether they are those of NHWC order, permuted whether they are not those of C
order, gaps whether memory lies between elements, repeated whether one stands for several, and reversed whether there
is a negative one."""

_NAME: Final = re.compile(r"\b[a-z_]+\b")  # no text of `rule_kinds.TEXTS` is the name of anything
_PAIRS: Final = (
    ("height", "width"), ("pad_bottom", "pad_right"),
    *((name, f"{name[:-1]}w") for name in NAMES if name.endswith("_h")),
)  # fmt: skip
_TRANSPOSED: Final = dict(_PAIRS) | {width: height for height, width in _PAIRS}

_ALLOWED: Final = (
    ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop, ast.UnaryOp,
    ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod,
)  # fmt: skip


LONGEST: Final = 10_000
"""Characters of a rule."""

_NOTHING_ELSE: Final[dict[str, Any]] = {"__builtins__": {}}


class RuleError(ConvcheckError, ValueError):
    """A rule that cannot be read."""


@lru_cache(maxsize=4096)
def _compiled(text: str) -> CodeType:
    if len(text) > LONGEST:
        raise RuleError(f"a rule of {len(text):,} characters, {text[:40]!r}…; expected at most {LONGEST:,}")
    try:
        with catch_warnings():
            simplefilter("error")  # what is read with a doubt is refused
            return _read(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, RuleError):
            raise
        example = "write, say, 'groups > 1 and kernel_h == 1'"
        why = getattr(error, "msg", str(error) or "too deep")
        raise RuleError(f"rule {text!r} cannot be read: {why}; {example}") from error


def _read(text: str) -> CodeType:
    tree = ast.parse(text or "True", mode="eval")
    for node in ast.walk(tree.body):
        if not isinstance(node, _ALLOWED):
            raise RuleError(f"rule {text!r}: {type(node).__name__} has no meaning; use names, numbers, comparisons")
        if isinstance(node, ast.Name) and node.id not in NAMES:
            near = get_close_matches(node.id, NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"expected some of {', '.join(NAMES)}"
            raise RuleError(f"rule {text!r}: nothing of a case is called {node.id!r}; {hint}")
    try:
        check_condition(tree.body)
    except KindError as error:
        raise RuleError(f"rule {text!r}: {error}") from error
    return compile(tree, "<rule>", "eval")


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a case. The empty text holds for every case.

    Raises:
        RuleError: the text is no expression over `NAMES`.
    """

    text: str

    def __post_init__(self) -> None:
        _compiled(self.text)

    def holds(self, facts: Facts) -> bool:
        """Whether the rule holds for the `facts` of a case."""
        # only the nodes of _ALLOWED are in there: no call, no attribute
        return bool(eval(_compiled(self.text), _NOTHING_ELSE, facts))  # noqa: S307

    def holding(self, several: Iterable[Facts]) -> Iterator[bool]:
        """Whether it holds for each of several, which is quicker than to ask for one after the other."""
        code = _compiled(self.text)
        return (bool(eval(code, _NOTHING_ELSE, facts)) for facts in several)  # noqa: S307  (as `holds`)

    @property
    def conditions(self) -> frozenset[str]:
        """What has to hold all at once."""
        tree = ast.parse(self.text or "True", mode="eval").body
        parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
        return frozenset(ast.unparse(part) for part in parts) if self.text else frozenset()

    @property
    def transposed(self) -> Rule:
        """The rule for layers whose height and width are exchanged."""
        return Rule(_NAME.sub(lambda name: _TRANSPOSED.get(name[0], name[0]), self.text))

    def __str__(self) -> str:
        """The text; "always" if it is empty."""
        return self.text or "always"


ALWAYS: Final = Rule("")
"""Holds for every case."""


@lru_cache(maxsize=4096)
def facts(case: Case) -> Facts:
    """The value of every name in `NAMES` for a legal case.

    Raises:
        ConvcheckError: the case is illegal.
    """
    params, spelled = case.params, case.arguments
    (top, bottom), (left, right) = params.padding
    height, width = case.input_shape[-2:]
    output_h, output_w = params.output_size(height, width)
    aligned = _alignments(case)
    values = (
        case.batch, case.unbatched, params.in_channels, params.out_channels,
        params.in_channels // params.groups, params.out_channels // params.groups, params.groups,
        height, width, *params.kernel_size, *params.stride, *params.dilation,
        top, left, bottom, right, spelled.padding == "same", params.padding_mode, params.bias,
        *params.extent, output_h, output_w,
        height + top + bottom - params.extent[0] - (output_h - 1) * params.stride[0],
        width + left + right - params.extent[1] - (output_w - 1) * params.stride[1],
        case.dtype, case.regime, *case.layouts, case.entry,
        spelled.padding == "valid",
        *(isinstance(one, tuple) for one in (spelled.kernel_size, spelled.stride, spelled.padding, spelled.dilation)),
        width * np.dtype(DTYPES[case.dtype]).itemsize,
        case.layout_bias if params.bias else "contiguous", case.placement,
        *aligned.values(), min(aligned[name] for name in ("x", "weight", "bias")),
        *(
            trait
            for shape, layout in zip(
                (case.input_shape, params.weight_shape, case.output_shape), case.layouts, strict=True
            )
            for trait in traits(shape, layout).values()
        ),
        *_traits_of_bias(case),
    )  # fmt: skip
    return MappingProxyType(dict(zip(NAMES, values, strict=True)))


def _traits_of_bias(case: Case) -> list[bool]:
    shape = case.params.bias_shape
    found: Mapping[str, bool] = {} if shape is None else traits(shape, case.layout_bias)
    return [found.get(trait, False) for trait in _OF_ONE_AXIS]


def _alignments(case: Case) -> dict[str, int]:
    """Of the addresses of each tensor of a legal case, in the order of the names."""
    params = case.params
    shapes = {
        "x": case.input_shape,
        "weight": params.weight_shape,
        "bias": params.bias_shape,
        "grad_output": case.output_shape,
    }
    itemsize, layout_of = np.dtype(DTYPES[case.dtype]).itemsize, case.layout_of
    return {
        name: alignment(shape, itemsize, layout_of[name], case.placement) if shape else ALIGNMENT
        for name, shape in shapes.items()
    }
