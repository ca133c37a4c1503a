"""What crosses the border to a candidate: calls on the way in, outcomes on the way back.

Everything here is plain data, so that a call can be made in this process or in any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from convcheck.case import Layout
from convcheck_reference.params import Arguments


class Operation(StrEnum):
    """What a call asks of the candidate."""

    FORWARD = "forward"
    BACKWARD = "backward"
    DOUBLE_BACKWARD = "double backward"
    MODULE = "module"


Buffers: TypeAlias = Literal["fresh", "reused"]
"""Whether a call's tensors lie in new memory, or are written into the buffers of the call before it.

Reused: a tensor of the same name, shape, dtype and layout as in the call before takes over its memory, its
address and the native object made of it, where that shares the memory. What the contents were does not
matter to a candidate without hidden state.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """The values of a tensor, C-contiguous, and the layout in which the candidate gets them.

    An expanded tensor's values are equal along the first axis, those of a broadcast tensor are all 1.
    """

    values: NDArray[Any]
    layout: Layout = "contiguous"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of the candidate.

    Attributes:
        operation: what to call.
        arguments: the layer, as spelled.
        tensors: by name: x, weight, bias (absent for a layer without one), and for BACKWARD grad_output;
            for DOUBLE_BACKWARD grad_grad_input, grad_grad_weight and grad_grad_bias as well. A MODULE call
            has x only.
        dtype: of the parameters of a module.
        buffers: where the tensors lie.
    """

    operation: Operation
    arguments: Arguments
    tensors: Mapping[str, Tensor]
    dtype: str = "float32"
    buffers: Buffers = "fresh"


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """The candidate returned.

    Attributes:
        arrays: results by name: output for FORWARD; grad_input, grad_weight, grad_bias for BACKWARD
            (grad_bias is None for a layer without bias); grad_grad_output, grad_input and grad_weight for
            DOUBLE_BACKWARD; weight, bias and output for MODULE.
        malformed: results that are no plain arrays, with what is wrong, by name.
        mutated: names of the tensors whose bytes the candidate changed.
        overwritten: names of results of the call before that have changed since it returned them.
    """

    arrays: Mapping[str, NDArray[Any] | None]
    malformed: Mapping[str, str] = field(default_factory=dict)
    mutated: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """The candidate raised a Python exception."""

    kind: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Died:
    """The candidate's process ended during the call; `how` names the signal or exit status."""

    how: str
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Hung:
    """The candidate did not return within `limit` seconds."""

    limit: float


Outcome: TypeAlias = Returned | Raised | Died | Hung
