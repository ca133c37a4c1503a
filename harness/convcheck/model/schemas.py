"""Data from outside as dataclasses, no field of which goes unread."""

from __future__ import annotations

from functools import cache
from types import GenericAlias
from typing import Any


def adapter(of_type: Any, *, strict: bool) -> Any:
    """What validates lists of a dataclass, and refuses fields that it has not.

    Args:
        of_type: the dataclass.
        strict: whether a value of another type is refused where it could be converted.
    """
    return _made(of_type, strict)


@cache
def _made(of_type: Any, strict: bool) -> Any:
    from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415  (it takes long to import, and few processes need it)

    # of a list, whose configuration holds for what is in it; that of a dataclass cannot be given from outside
    several: Any = GenericAlias(list, (of_type,))
    return TypeAdapter(several, config=ConfigDict(strict=strict, extra="forbid"))
