"""Whether an expression of a rule can be evaluated for every case: numbers meet numbers, and texts those of their name.

What is compared with a text that the name never has would hold for no case, or for every one, and nobody would see it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import Final

from convcheck.model.case import BIAS_LAYOUTS, ENTRIES, LAYOUTS, PLACEMENTS, REGIMES
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import PADDING_MODES

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "padding_mode": PADDING_MODES,
    "dtype": tuple(DTYPES),
    "values": REGIMES,
    "layout_x": LAYOUTS,
    "layout_weight": LAYOUTS,
    "layout_grad": LAYOUTS,
    "layout_bias": BIAS_LAYOUTS,
    "entry": ENTRIES,
    "placement": PLACEMENTS,
}
"""The names whose values are texts, and which; all others are numbers, or true or false."""

_MAY_BE_ZERO: Final = (
    "batch",
    "unbatched",
    "pad",
    "bias",
    "left_over",
    "channels_last",
    "permuted",
    "gaps",
    "repeated",
    "reversed",
)
"""How the names begin whose value may be 0; those that end in _pair are true or false."""


class KindError(ConvcheckError, ValueError):
    """An expression that cannot be evaluated, or means nothing."""


def check_condition(node: ast.expr) -> None:
    """Refuse what is no condition on the facts of a case.

    Args:
        node: an expression of names of a case, and the nodes that `convcheck.model.rules` allows.

    Raises:
        KindError: the message says which part, and what was expected.
    """
    match node:
        case ast.BoolOp():
            for value in node.values:
                check_condition(value)
        case ast.UnaryOp(op=ast.Not()):
            check_condition(node.operand)
        case ast.Compare():
            for (left, right), op in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
                _check_comparison(left, op, right)
        case _:
            _check_number(node)


def _check_number(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=int() | float()):
            return
        case ast.Name() if node.id not in TEXTS:
            return
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            check_condition(node)
        case ast.UnaryOp():
            _check_number(node.operand)
        case ast.BinOp():
            _check_number(node.left)
            _check_number(node.right)
            if isinstance(node.op, ast.FloorDiv | ast.Mod) and not _is_positive(node.right):
                raise KindError(f"{_shown(node.right)!r} may be 0; divide by a number, or by a size that is at least 1")
        case _:
            raise KindError(f"{_shown(node)!r} stands where a number or a condition is expected")


def _is_positive(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and node.value > 0
    return isinstance(node, ast.Name) and not node.id.startswith(_MAY_BE_ZERO) and not node.id.endswith("_pair")


def _check_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
    match op:
        case ast.In() | ast.NotIn():
            if not isinstance(right, ast.Tuple) or not right.elts:
                raise KindError(f"{_shown(right)!r} stands where several values are expected, as in (1, 2)")
            for value in right.elts:
                _check_equal(left, value)
        case ast.Eq() | ast.NotEq():
            _check_equal(left, right)
        case ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE():
            _check_number(left)
            _check_number(right)
        case _:
            raise KindError("'is' has no meaning; compare with == or !=")


def _check_equal(left: ast.expr, right: ast.expr) -> None:
    names = [node for node in (left, right) if isinstance(node, ast.Name) and node.id in TEXTS]
    if not names:
        _check_number(left)
        _check_number(right)
        return
    name = names[0]
    known, other = TEXTS[name.id], right if name is left else left
    if isinstance(other, ast.Name) and other.id in TEXTS:
        return
    value = other.value if isinstance(other, ast.Constant) else None
    if not isinstance(value, str) or value not in known:
        near = get_close_matches(str(value), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
        raise KindError(f"{name.id} is never {_shown(other)}; {hint}")


def _shown(node: ast.expr) -> str:
    return ast.unparse(node)[:100]
