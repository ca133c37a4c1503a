"""What crosses the border to a candidate: calls on the way in, outcomes on the way back.

Everything here is plain data, so that a call can be made in this process or in any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from convcheck.model.case import Layout
from convcheck.model.sanitizers import Sanitizer
from convcheck_reference.params import Arguments


class Operation(StrEnum):
    """What a call asks of the candidate."""

    FORWARD = "forward"
    BACKWARD = "backward"
    DOUBLE_BACKWARD = "double backward"
    MODULE = "module"


Buffers: TypeAlias = Literal["fresh", "reused"]
"""Whether a call's tensors lie in new memory, or are written into the buffers of the call before it.

Either way the very `Tensor` that stood under its name in the call before stays where it is, unless the candidate
has a copy of its own: backward gets what forward got.

Reused: a tensor of the same name, shape, dtype, layout and place as in the call before takes over its memory, its
address and the native object made of it, where that shares the memory. What the contents were does not
matter to a candidate without hidden state.
"""


Launch: TypeAlias = Literal["direct", "stream", "graph"]
"""How a call is put to a device.

direct: on the stream that is current anyway. stream: on another one, where the contents of its tensors are written
behind other work, so that what does not wait for that stream finds what was there before. graph: captured in a graph
on the contents of the call before it, and replayed on its own. Where there is no such device, directly.
"""


Memory: TypeAlias = Literal["heap", "guard_after", "guard_before", "read_only"]
"""Where a tensor lies, and what surrounds it.

heap: between bytes that make NaN. guard_after, guard_before: in pages that can only be read while the
candidate runs, right before or right after a page that cannot be touched; what is left of the tensor's
own pages, and the gaps of a sliced layout, hold NaN for guard_after and large finite numbers for
guard_before. read_only: in pages that can only be read, with accessible ones around them.

Only a worker process has such pages, because a candidate that strays dies; elsewhere tensors lie on the
heap, with the same bytes around them.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """The values of a tensor, C-contiguous, and how the candidate gets them.

    Attributes:
        values: for an expanded tensor they are equal along the first axis, for a broadcast one they are all 1.
        layout: the strides.
        memory: where it lies.
    """

    values: NDArray[Any]
    layout: Layout = "contiguous"
    memory: Memory = "heap"


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
        launch: how it is put to a device.
    """

    operation: Operation
    arguments: Arguments
    tensors: Mapping[str, Tensor]
    dtype: str = "float32"
    buffers: Buffers = "fresh"
    launch: Launch = "direct"


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """The candidate returned.

    Attributes:
        arrays: results by name: output for FORWARD; grad_input, grad_weight, grad_bias for BACKWARD
            (grad_bias is None for a layer without bias); grad_grad_output, grad_input and grad_weight for
            DOUBLE_BACKWARD; weight, bias and output for MODULE.
        malformed: results that are no plain arrays, with what is wrong, by name.
        mutated: names of the tensors whose bytes the candidate changed.
        spilled: names of the tensors around which bytes have changed, or between whose elements.
        overwritten: names of results that have changed since an earlier call returned them.
        aliased: results that share memory with a tensor of the call, with one another or with the last
            result of an earlier call: "output with x".
        copied: names of the tensors of which the candidate has a copy of its own (on a device, say), so
            that nothing is known about what it does around them.
        poisoned: whether all new memory of the size of a result held poison when the call began, or before the first of
            those at the same time did.
        called: convolutions of other people that the candidate called; None where nobody looked.
    """

    arrays: Mapping[str, NDArray[Any] | None]
    malformed: Mapping[str, str] = field(default_factory=dict)
    mutated: tuple[str, ...] = ()
    spilled: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    aliased: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    poisoned: bool = False
    called: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """The candidate raised a Python exception."""

    kind: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Died:
    """The candidate's process ended during the call.

    Attributes:
        how: the signal or exit status.
        stderr: the end of what it printed.
        fault: what it did to memory, where its death depends on where the tensors lie: "it wrote to x".
        on_device: whether it was ended because its device computed nothing more.
    """

    how: str
    stderr: str = ""
    fault: str = ""
    on_device: bool = False

    @property
    def ended(self) -> str:
        """What happened, in words."""
        if self.on_device:
            return f"crashed on the device: {self.how}"
        return f"the candidate's process ended: {self.how}"


@dataclass(frozen=True, slots=True)
class Hung:
    """The candidate did not return within `limit` seconds."""

    limit: float


@dataclass(frozen=True, slots=True)
class Sanitized:
    """The call was made under a sanitizer; whatever else came of it, an ordinary call shows as well.

    Attributes:
        sanitizer: which.
        reports: what it reported meanwhile, each in a line.
        unseen: why nothing is known where it reported nothing; empty for a call that came back.
    """

    sanitizer: Sanitizer
    reports: tuple[str, ...] = ()
    unseen: str = ""


Outcome: TypeAlias = Returned | Raised | Died | Hung | Sanitized
