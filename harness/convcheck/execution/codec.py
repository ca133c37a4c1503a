"""Messages as bytes: a JSON header and raw arrays behind it. Reading one runs no code of the sender.

A header is made of JSON's own scalars and lists, and of objects with one of four marks:
``{"array": 0}`` the array of that number; ``{"items": [[key, value], …]}`` a mapping;
``{"is": "Call", …}`` a dataclass that the reader knows, with its fields but for those at their defaults;
``{"again": 0}`` the first of `SHARED` that was complete. Lists are read as tuples.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Final

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from convcheck_reference.errors import ConvcheckError

Array = NDArray[Any]
Makers = Mapping[str, Callable[..., Any]]
"""What makes each dataclass from its fields, by the name of the class."""

ALIGNMENT: Final = 64
_BFLOAT16: Final = np.dtype(ml_dtypes.bfloat16)
_NUMERIC: Final = re.compile(r"[<>|][biufc]\d{1,2}")
_WRITTEN: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_READ: Final = json.JSONDecoder().decode
SHARED: Final = frozenset({"Call", "Tensor", "Arguments"})
"""Dataclasses that are written once where they stand twice. A judge sends these and accepts none of them, so that
nobody can send it few bytes which take for ever to look at."""
_SCALARS: Final = frozenset({bool, int, float, str, type(None)})


class MessageError(ConvcheckError, ValueError):
    """Bytes that are no message."""


@lru_cache(maxsize=64)
def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name under which a numeric dtype crosses: "<f4", "bfloat16".

    Raises:
        MessageError: the dtype has no fixed bytes for a number (object, text, structures).
    """
    if dtype == _BFLOAT16:
        return "bfloat16"
    if not _NUMERIC.fullmatch(dtype.str):
        raise MessageError(f"an array of dtype {dtype}; expected numbers")
    return dtype.str


def encode(message: Any) -> tuple[bytes, list[Array]]:
    """The header of a message, and its arrays in order; an array that stands twice is sent once, as are `SHARED`.

    The header is two lines: dtype and shape of each array, then the message.
    """
    writer = _Writer()
    plain = writer.plain(message)
    described = [(dtype_name(array.dtype), array.shape) for array in writer.arrays]
    header = f"{_WRITTEN(described)}\n{_WRITTEN(plain)}"
    return header.encode(), [np.ascontiguousarray(array) for array in writer.arrays]


def decode(header: bytes, body: bytearray, makers: Makers) -> Any:
    """The message of a header and the bytes behind it; its arrays lie in `body`.

    Raises:
        MessageError: it is malformed, or contains something that is not in `makers`.
    """
    try:
        described, _, message = header.decode().partition("\n")
        arrays, made = list(_arrays(_READ(described), body)), list[Any]()
        return json.loads(message, object_hook=lambda plain: _made(plain, arrays, made, makers))
    except MessageError:
        raise
    except Exception as error:
        # whatever the bytes were meant to be, they are no message
        raise MessageError(f"malformed message: {type(error).__name__}: {error}") from error


def padding(array: Array) -> int:
    """Bytes after an array that keep the next one aligned."""
    return -array.nbytes % ALIGNMENT


class _Writer:
    """Writes one message as JSON's scalars, lists and objects; the message keeps alive whose ids are held here."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._numbers: dict[int, dict[str, int]] = {}
        self._complete = 0

    def plain(self, value: Any) -> Any:
        kind: Any = type(value)
        if kind in _SCALARS or isinstance(value, str):
            return value
        if kind is tuple:
            return [self.plain(item) for item in value]
        if kind is np.ndarray or _fields(kind) is not None:
            return self._numbers.get(id(value)) or self._new(value)
        if isinstance(value, Mapping):
            return {"items": [(self.plain(k), self.plain(v)) for k, v in value.items()]}
        return [self.plain(item) for item in value]

    def _new(self, value: Any) -> dict[str, Any]:
        """An array or a dataclass that has no number yet."""
        kind: Any = type(value)
        if kind is np.ndarray:
            self._numbers[id(value)] = number = {"array": len(self.arrays)}
            self.arrays.append(value)
            return number
        written = {"is": kind.__name__}
        for name, default in _fields(kind) or ():
            if (own := getattr(value, name)) is not default:
                written[name] = self.plain(own)
        if kind.__name__ in SHARED:
            self._numbers[id(value)] = {"again": self._complete}
            self._complete += 1
        return written


@lru_cache(maxsize=64)
def _fields(kind: Any) -> tuple[tuple[str, Any], ...] | None:
    """The fields of a dataclass, and the one object that need not be written; None for what is no dataclass."""
    return tuple((field.name, field.default) for field in fields(kind)) if is_dataclass(kind) else None


def _made(plain: dict[str, Any], arrays: Sequence[Array], made: list[Any], makers: Makers) -> Any:
    if "array" in plain:
        return arrays[plain["array"]]
    if "items" in plain:
        return {_frozen(key): _frozen(value) for key, value in plain["items"]}
    if "again" in plain:
        return made[plain["again"]]
    kind = plain.pop("is")
    found = makers[kind](**{name: _frozen(value) for name, value in plain.items()})
    if kind in SHARED:
        made.append(found)
    return found


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if type(value) is list else value


def _arrays(described: list[Any], body: bytearray) -> Iterator[Array]:
    at = 0
    for name, shape in described:
        if name != "bfloat16" and not _NUMERIC.fullmatch(name):
            raise MessageError(f"malformed message: an array of dtype {name!r}")
        dtype = _BFLOAT16 if name == "bfloat16" else np.dtype(name)
        if not all(type(size) is int and size >= 0 for size in shape):
            raise MessageError(f"malformed message: an array of shape {shape!r}")
        array = np.frombuffer(body, dtype, math.prod(shape), at).reshape(shape)
        yield array
        at += array.nbytes + padding(array)
