"""What a person types for a layer: ``Conv2d(3, 10, kernel_size=5)``, or a case as reports print it."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, fields
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from convcheck.model.token import read
from convcheck_reference.errors import ConvcheckError, ParameterTypeError, SizeOverflowError
from convcheck_reference.params import MAX_INDEX, Arguments, Shape

LONGEST: Final = 4096
"""Characters of a layer that is explained."""

_NAMES = tuple(field.name for field in fields(Arguments))
_EXAMPLE: Final = "expected, for example, Conv2d(3, 10, kernel_size=5, padding=2)"
_TOKEN: Final = re.compile(r"v\d+,")


@dataclass(frozen=True, slots=True)
class Typed:
    """What is to be explained.

    Attributes:
        arguments: of the layer, legal or not.
        input_shape: of the case; None for a layer alone.
        dtype: of all tensors.
        violation: why the case is illegal; empty if it is not, or is a layer alone.
    """

    arguments: Arguments
    input_shape: Shape | None = None
    dtype: str = "float32"
    violation: str = ""


def read_typed(text: str) -> Typed:
    """A layer or a case.

    Raises:
        ParameterTypeError: the text is neither.
        TokenError: it begins as a case does, and cannot be read.
    """
    if not _TOKEN.match(text.strip()):
        return Typed(parse_layer(text))
    case = read(text)
    return Typed(case.arguments, case.input_shape, case.dtype, str(case.violation or ""))


class _NotANumber(ast.NodeTransformer):
    """Reads NaN, which has no literal, as it is printed."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(math.nan), node) if node.id == "nan" else node


def parse_layer(text: str) -> Arguments:
    """The arguments of ``Conv2d(3, 10, kernel_size=5)``, written as Python; nothing is executed.

    Raises:
        ParameterTypeError: the text is no such call.
    """
    if len(text) > LONGEST:
        raise ParameterTypeError(f"a layer of {len(text):,} characters, {text[:40]!r}…; {_EXAMPLE}")
    try:
        with catch_warnings():
            simplefilter("error")  # what is read with a doubt is refused
            call = _NotANumber().visit(ast.parse(text.strip(), mode="eval")).body
        _check_name(text, call)
        positional = [ast.literal_eval(node) for node in call.args]
        named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
        for value in (*positional, *named.values()):
            _check_sizes(value)
    except ConvcheckError:
        raise
    # a literal may be no key of a dictionary, or nested too deep
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ParameterTypeError(f"{text!r} cannot be read: {error or 'it is too deep'}; {_EXAMPLE}") from error
    if unknown := set(named) - set(_NAMES):
        raise ParameterTypeError(f"{min(unknown)!r} is no argument of Conv2d; expected {', '.join(_NAMES)}")
    try:
        return Arguments(*positional, **named)
    except TypeError as error:
        raise ParameterTypeError(f"{text!r}: {error}; {_EXAMPLE}") from error


def _check_name(text: str, call: ast.expr) -> None:
    name = ast.unparse(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""
    if name == "ConvTranspose2d":
        raise ParameterTypeError(
            "ConvTranspose2d is another layer, which convcheck does not judge: it computes what is the gradient of a "
            f"Conv2d with respect to its input (grad_input), with in_channels and out_channels exchanged; {_EXAMPLE}"
        )
    if name != "Conv2d":
        raise ParameterTypeError(f"{text!r} is no call of Conv2d; {_EXAMPLE}")


def _check_sizes(value: Any) -> None:
    """Refuse numbers that are no sizes: some have too many digits to be shown."""
    for size in value if isinstance(value, tuple | list) else (value,):
        if isinstance(size, int) and abs(size) > MAX_INDEX:
            raise SizeOverflowError(f"a number of {size.bit_length()} bits is no size; those are signed, of 64 bits")
