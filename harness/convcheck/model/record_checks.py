"""What the types of a record do not say: cases can be read, clauses exist, arrays are as large as they say."""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from math import isfinite, prod
from typing import Any, Final

import numpy as np

from convcheck.model.diagnosis import HeatMap
from convcheck.model.history import read_history
from convcheck.model.levels import LevelCount
from convcheck.model.passes import PassCount
from convcheck.model.reach import NAMES, ReachCount
from convcheck.model.record import BackendRecord, Count, Finding
from convcheck.model.reproduction import PackedArray, Reproduction
from convcheck.model.token import read
from convcheck_reference.clauses import clause
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES

MOST_BYTES: Final = 1 << 30
"""Of an array in a record."""


class RecordFieldError(ConvcheckError, ValueError):
    """A value of a record that cannot be; the message names the field, and what was expected."""


def check(item: Any) -> None:
    """Refuse what would stop whoever renders it.

    Args:
        item: a backend, count, level, coverage, finding or reach of a record.

    Raises:
        RecordFieldError: see there.
    """
    for field, checked, value in _values(item):
        try:
            checked(value)
        except ConvcheckError as error:
            raise RecordFieldError(f"field {field}: {error}") from error


_Value = tuple[str, Callable[[Any], object], Any]


def _values(item: Any) -> Iterator[_Value]:
    """The fields to look at, with what looks at each."""
    match item:
        case Finding():
            yield "clause", clause, item.clause
            yield from (("verdict.clauses", clause, name) for name in item.verdict.clauses)
            yield from _of_reproduction(item.reproduction)
            where = item.diagnosis.localization
            yield from (("diagnosis.localization.maps", _check_map, each) for each in (where.maps if where else ()))
        case Count() | PassCount() if item.clause:
            yield "clause", clause, item.clause
        case LevelCount() if item.error_clause:
            yield "error_clause", clause, item.error_clause
        case ReachCount():
            yield "quantity", _check_quantity, item.quantity
        case BackendRecord():
            yield from (("seconds", _check_time, value) for value in item.seconds.values())


def _of_reproduction(found: Reproduction) -> Iterator[_Value]:
    tokens = {"token": found.token, "first_failing_case": found.first_failing_case}
    yield from ((f"reproduction.{name}", read, token) for name, token in tokens.items() if token)
    yield from (("reproduction.setup_cases", read, token) for token in found.setup_cases)
    if found.history:
        yield "reproduction.history", read_history, found.history
    if found.call is None:
        return
    arrays = {f"tensors.{name}.values": tensor.values for name, tensor in found.call.tensors.items()}
    yield from ((f"reproduction.call.{name}", check_array, array) for name, array in arrays.items())
    for name, result in (("expected", found.call.expected), ("tolerance", found.call.tolerance)):
        if result is not None:
            yield f"reproduction.call.{name}", check_array, result


def check_array(packed: PackedArray) -> None:
    """Refuse an array of another dtype or size than it says, or of more than `MOST_BYTES`.

    Raises:
        RecordFieldError: see there.
    """
    try:
        dtype = np.dtype(DTYPES.get(packed.dtype) or packed.dtype)
    except (TypeError, ValueError) as error:
        raise RecordFieldError(f"dtype {packed.dtype!r} is none of NumPy's") from error
    if packed.dtype not in DTYPES and (dtype.kind not in "biufc" or dtype.name != packed.dtype):
        raise RecordFieldError(f"dtype {packed.dtype!r} is no dtype of numbers")
    if any(size < 0 for size in packed.shape) or (size := prod(packed.shape) * dtype.itemsize) > MOST_BYTES:
        raise RecordFieldError(f"shape {packed.shape}; expected sizes of at least 0, and {MOST_BYTES:,} bytes at most")
    try:
        # never more than it should be, whatever it says
        found = len(zlib.decompressobj().decompress(b64decode(packed.data, validate=True), size + 1))
    except (ValueError, zlib.error) as error:
        raise RecordFieldError(f"data cannot be unpacked: {error}") from error
    if found != size:
        raise RecordFieldError(f"data is not {packed.dtype} of shape {packed.shape}, which is {size:,} bytes")


def _check_map(found: HeatMap) -> None:
    rows = found.shares
    if not rows or any(not 0 <= share <= 1 for row in rows for share in row):
        raise RecordFieldError("shares; expected at least one row of numbers from 0 to 1")


def _check_quantity(name: str) -> None:
    if name not in NAMES:
        raise RecordFieldError(f"{name!r} is nothing that cases reach far in; expected one of {', '.join(NAMES)}")


def _check_time(seconds: float) -> None:
    if not isfinite(seconds):
        raise RecordFieldError(f"{seconds} is no time")
