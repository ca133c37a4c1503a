"""A call that only has to be made, and what comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from convcheck.execution.inputs import Inputs
from convcheck.execution.messages import cut
from convcheck.model.calls import Call, Raised

Result: TypeAlias = tuple[Any, ...] | Raised
"""A backend's results, or what it raised."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A call whose tensors lie in memory.

    Attributes:
        call: what to make.
        inputs: its tensors.
        make: makes it.
        poisoned: whether new memory holds poison.
    """

    call: Call
    inputs: Inputs
    make: Callable[[], Result]
    poisoned: bool = False


def raised(error: BaseException) -> Raised:
    """What the candidate raised, as it can be sent: its text may be endless, or raise in its turn."""
    try:
        message = str(error)
    except BaseException as another:  # noqa: BLE001  (the candidate's own code)
        message = f"(its text raises {type(another).__name__})"
    return Raised(type(error).__name__, cut(message), cut("".join(traceback.format_exception(error, limit=-8))))
