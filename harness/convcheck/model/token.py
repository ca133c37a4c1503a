"""The one-line descriptor of a case: what a person reads, types and pastes into `convcheck replay`.

``v1,x=16x3x28x28,out=10,k=5,p=2`` is a Conv2d(3, 10, kernel_size=5, padding=2) on a (16, 3, 28, 28) input.
Fields equal to their default are left out; no character needs quoting in a shell. A value keeps its
spelling: ``k=5`` is the int 5, ``k=5x5`` the pair (5, 5), ``p=same`` a string, ``k=2.5`` a float,
``bias=true`` a bool, ``g=none`` is None, ``s=nan`` NaN, ``p=same%20`` a string that ends with a space.
After benchdnn's problem descriptors (oneDNN).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from convcheck.model.case import BIAS_LAYOUTS, ENTRIES, FLAWS, LAYOUTS, PLACEMENTS, REGIMES, Case, Layout
from convcheck.model.size_limits import excess
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import MAX_INDEX, Arguments

VERSION: Final = "v1"

_ARGUMENTS: Final = {
    "in": "in_channels",
    "out": "out_channels",
    "k": "kernel_size",
    "s": "stride",
    "p": "padding",
    "d": "dilation",
    "g": "groups",
    "bias": "bias",
    "mode": "padding_mode",
}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "dtype": tuple(DTYPES),
    "values": REGIMES,
    "layout": LAYOUTS,
    "layout-x": LAYOUTS,
    "layout-weight": LAYOUTS,
    "layout-grad": LAYOUTS,
    "layout-bias": BIAS_LAYOUTS,
    "placement": PLACEMENTS,
    "entry": ENTRIES,
    "flaw": FLAWS,
}
_COUNTS: Final = ("nonzeros", "seed")
_KEYS: Final = ("x", *_ARGUMENTS, *_CHOICES, *_COUNTS)

LONGEST: Final = 4096
"""Characters of a descriptor: one of all fields takes a tenth of that."""

MOST_DIMENSIONS: Final = 8
"""Of a shape, or numbers of an argument; a case of convcheck's has 4."""

_DIGITS: Final = len(str(MAX_INDEX))

_PLAIN: Final = Arguments(..., ..., ...)
_PLAIN_CASE: Final = Case(_PLAIN, ())
"""What is left out of a descriptor, as it is the default."""


class TokenError(ConvcheckError, ValueError):
    """A case descriptor that cannot be read."""


def write(case: Case) -> str:
    """The descriptor of `case`; `read` gives an equal case back."""
    fields = {"x": "x".join(map(str, case.input_shape))}
    channels = case.input_shape[-3] if len(case.input_shape) >= 3 else 1
    for key, name in _ARGUMENTS.items():
        value = getattr(case.arguments, name)
        default = channels if name == "in_channels" else getattr(_PLAIN, name)
        if value != default or type(value) is not type(default):
            fields[key] = _write_value(value)
    for key, value, default in (
        ("dtype", case.dtype, _PLAIN_CASE.dtype),
        ("values", case.regime, _PLAIN_CASE.regime),
        *_layout_fields(case),
        ("layout-bias", case.layout_bias, _usual_of_bias(case.arguments, case.layouts[1])),
        ("placement", case.placement, _PLAIN_CASE.placement),
        ("entry", case.entry, _PLAIN_CASE.entry),
        ("flaw", case.flaw, _PLAIN_CASE.flaw),
        ("nonzeros", case.nonzeros, None),
        ("seed", case.seed, 0),
    ):
        if value != default:
            fields[key] = str(value)
    return ",".join([VERSION, *(f"{key}={value}" for key, value in fields.items())])


def read(token: str) -> Case:
    """The case that a descriptor describes.

    Raises:
        TokenError: the text is no descriptor of this version, or the case is too large; the message says where and
            what is expected.
    """
    if len(token) > LONGEST:
        raise TokenError(f"a case of {len(token):,} characters, {token[:40]!r}…; expected at most {LONGEST:,}")
    case = _read(token)
    if too_large := excess(case):
        raise TokenError(f"{token!r} is too large to be judged: {too_large}")
    return case


def _read(token: str) -> Case:
    version, *parts = token.strip().split(",")
    if version != VERSION:
        raise TokenError(
            f"a case starts with its version, {VERSION!r}, not {version!r}; "
            f"for example {VERSION},x=16x3x28x28,out=10,k=5,p=2"
        )
    fields: dict[str, str] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals or key not in _KEYS:
            raise TokenError(f"{part!r} in {token!r} is not one of the fields {', '.join(_KEYS)} as key=value")
        if key in fields:
            raise TokenError(f"{key!r} stands twice in {token!r}; once is expected")
        fields[key] = value
    for key in ("x", "out", "k"):
        if key not in fields:
            raise TokenError(f"{token!r} lacks {key}=…; x, out and k have no default")
    shape = _read_shape(fields["x"])
    layout = _choice(fields, "layout", "contiguous")
    layout_weight = _choice(fields, "layout-weight", layout)
    arguments: dict[str, Any] = {"in_channels": shape[-3] if len(shape) >= 3 else 1}
    arguments |= {name: _argument(key, fields[key]) for key, name in _ARGUMENTS.items() if key in fields}
    spelled = Arguments(**arguments)
    return Case(
        arguments=spelled,
        input_shape=shape,
        dtype=_choice(fields, "dtype", "float32"),
        regime=_choice(fields, "values", "reals"),
        layouts=(
            _choice(fields, "layout-x", layout),
            layout_weight,
            _choice(fields, "layout-grad", layout),
        ),
        layout_bias=_choice(fields, "layout-bias", _usual_of_bias(spelled, layout_weight)),
        placement=_choice(fields, "placement", _PLAIN_CASE.placement),
        entry=_choice(fields, "entry", "function"),
        flaw=_choice(fields, "flaw", "none"),
        nonzeros=_count(fields, "nonzeros", None),
        seed=_count(fields, "seed", 0),
    )


def _layout_fields(case: Case) -> list[tuple[str, str, str]]:
    if len(set(case.layouts)) == 1:
        return [("layout", case.layouts[0], "contiguous")]
    keys = ("layout-x", "layout-weight", "layout-grad")
    return [(key, layout, "contiguous") for key, layout in zip(keys, case.layouts, strict=True)]


def _usual_of_bias(arguments: Arguments, layout_weight: Layout) -> Layout:
    """The layout of a bias that is not spelled: before it could be, it followed the weight in this one."""
    return "sliced" if layout_weight == "sliced" and arguments.bias is True else "contiguous"


def _write_value(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(_write_value, value)) + ("x" if len(value) == 1 else "")
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return value.replace(" ", "%20") if isinstance(value, str) else repr(value)


_SPELLINGS: Final[tuple[tuple[str, Callable[[str], Any]], ...]] = (
    (r"-?\d+", int),
    (r"-?\d+\.\d*(e[+-]?\d+)?", float),
    (r"true|false", lambda text: text == "true"),
    (r"none", lambda _: None),
    (r"nan", lambda _: math.nan),  # one and the same, so that cases are equal
    (r"(-?[\d.]+x)+(-?[\d.]+)?", lambda text: tuple(_read_value(part) for part in text.split("x") if part)),
)


def _read_value(text: str) -> Any:
    for pattern, convert in _SPELLINGS:
        if re.fullmatch(pattern, text):
            return convert(text)
    return text.replace("%20", " ")


def _argument(key: str, text: str) -> Any:
    _check_numbers(key, text)
    return _read_value(text)


def _check_numbers(key: str, text: str) -> None:
    """Refuse numbers that are no size, before they are made numbers."""
    parts = text.split("x")
    if len(parts) > MOST_DIMENSIONS:
        raise TokenError(f"{key} has {len(parts)} numbers, {text[:40]!r}…; expected at most {MOST_DIMENSIONS}")
    for part in parts:
        digits = part.removeprefix("-")
        if digits.isdecimal() and (len(digits) > _DIGITS or int(digits) > MAX_INDEX):
            raise TokenError(f"{key}={_brief(text)} is too large: sizes are signed 64-bit, so at most {MAX_INDEX}")


def _brief(text: str) -> str:
    return repr(text) if len(text) <= 2 * _DIGITS else f"{text[:_DIGITS]!r}… ({len(text)} characters)"


def _read_shape(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(x\d+)*", text):
        raise TokenError(f"x={text!r} is no shape; expected NxCxHxW or CxHxW, for example x=16x3x28x28")
    _check_numbers("x", text)
    return tuple(map(int, text.split("x")))


def _choice(fields: dict[str, str], key: str, default: Any) -> Any:
    value = fields.get(key, default)
    if value not in _CHOICES[key]:
        raise TokenError(f"{key}={value!r} is unknown; expected one of {', '.join(_CHOICES[key])}")
    return value


def _count(fields: dict[str, str], key: str, default: Any) -> Any:
    text = fields.get(key)
    if text is None:
        return default
    return read_count(key, text)


def read_count(key: str, text: str) -> int:
    """A number of things, or a seed.

    Args:
        key: what it stands for.
        text: its digits.

    Raises:
        TokenError: it is no whole number of at least 0, or none of 64 bits.
    """
    if not text.isdecimal():
        raise TokenError(f"{key}={text!r} is no count; expected a whole number of at least 0")
    _check_numbers(key, text)
    return int(text)
