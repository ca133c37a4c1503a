"""What crosses the border to a candidate: calls on the way in, outcomes on the way back.

Everything here is plain data, so that a call can be made in this process or in any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from numpy.typing import NDArray

from convcheck.model.case import Layout
from convcheck.model.sanitizers import Sanitizer
from convcheck_reference.params import Arguments

Given: TypeAlias = Literal["tensor", "none", "list"]
"""What a candidate gets for a tensor: itself, or None or nested lists of its values, which it has to refuse."""


class Operation(StrEnum):
    """What a call asks of the candidate."""

    FORWARD = "forward"
    BACKWARD = "backward"
    DOUBLE_BACKWARD = "double backward"
    MODULE = "module"
    MODULE_BACKWARD = "module backward"
    MODULE_UPDATED = "module updated"


Operand: TypeAlias = Literal["x", "weight", "bias"]
"""A tensor of the layer, of which a gradient can be asked for."""

OPERANDS: Final[tuple[Operand, ...]] = ("x", "weight", "bias")
"""All of them: what a backward pass asks for, unless told otherwise."""


class Mode(StrEnum):
    """In which of torch's ways an operation is asked of a backend whose functions autograd records.

    USUAL: as `Backend` has it. Forward, on operands that require gradients: RECORDED as in training, NO_GRAD and
    INFERENCE as in evaluation. Backward: ACCUMULATED, the passes of two outputs add up in `.grad`; RETAINED, the
    sum of two passes through one graph; the second pass has −2 times the first one's grad_output, so that −1 times
    the gradients are due, exactly; INTERLEAVED, the difference of those of two outputs, the second of −1 times the
    operands and differentiated first: 2 times the gradients are due. Forward, through a transform of the function:
    VMAP over the operands and others, with x and bias negated; JVP with tangents; META on tensors without values;
    AUTOCAST to bfloat16; OUT into a dense tensor, and into one with gaps. Between the two calls of MODULE_UPDATED,
    parameters are negated IN_PLACE, THROUGH_DATA, which is torch's way around autograd, or REPLACED; in COPIED the
    second is one of a deep copy, after those of the original are negated in place.
    """

    USUAL = "usual"
    RECORDED = "recorded"
    NO_GRAD = "no_grad"
    INFERENCE = "inference_mode"
    ACCUMULATED = "accumulated"
    RETAINED = "retained"
    INTERLEAVED = "interleaved"
    VMAP = "vmap"
    JVP = "jvp"
    META = "meta"
    AUTOCAST = "autocast"
    OUT = "out"
    IN_PLACE = "in place"
    THROUGH_DATA = "through data"
    REPLACED = "replaced"
    COPIED = "copied"


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


Memory: TypeAlias = Literal["heap", "guard_after", "guard_after_aligned", "guard_before", "read_only"]
"""Where a tensor lies, and what surrounds it.

heap: between bytes that make NaN. guard_after, guard_before: in pages that can only be read while the
candidate runs, right before or right after a page that cannot be touched; what is left of the tensor's
own pages, and the gaps of a sliced layout, hold NaN for guard_after and large finite numbers for
guard_before. guard_after_aligned: as guard_after, but so far before the guard that the memory begins at a multiple of
64 bytes, as it does in all others. read_only: in pages that can only be read, with accessible ones around them.

Only a worker process has such pages, because a candidate that strays dies; elsewhere tensors lie on the
heap, with the same bytes around them.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """The values of a tensor, C-contiguous, and how the candidate gets them.

    Attributes:
        values: equal along the axes that the layout repeats, for a broadcast one all 1.
        layout: the strides.
        memory: where it lies.
        given: what the candidate gets.
    """

    values: NDArray[Any]
    layout: Layout = "contiguous"
    memory: Memory = "heap"
    given: Given = "tensor"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of the candidate.

    Attributes:
        operation: what to call.
        arguments: the layer, as spelled.
        tensors: by name: x, weight, bias (absent for a layer without one), and for BACKWARD grad_output;
            for DOUBLE_BACKWARD grad_grad_input, grad_grad_weight and grad_grad_bias as well. MODULE and MODULE_UPDATED
            have x only, MODULE_BACKWARD x and grad_output; for Mode.JVP tangent_x, tangent_weight and tangent_bias as
            well.
        dtype: of the parameters of a module.
        buffers: where the tensors lie.
        wanted: for BACKWARD and MODULE_BACKWARD, the operands whose gradients are asked for; those that the layer
            lacks have none.
        mode: in which of torch's ways it is asked.
        times: how often it is made, one right after the other, with the same tensors; calls of several threads at the
            same time are made once.
        forked: whether a child makes it that the candidate's process forks for it.
        launch: how it is put to a device.
    """

    operation: Operation
    arguments: Arguments
    tensors: Mapping[str, Tensor]
    dtype: str = "float32"
    buffers: Buffers = "fresh"
    wanted: tuple[Operand, ...] = OPERANDS
    mode: Mode = Mode.USUAL
    times: int = 1
    forked: bool = False
    launch: Launch = "direct"


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """The candidate returned.

    Attributes:
        arrays: results by name: output for FORWARD; grad_input, grad_weight, grad_bias for BACKWARD
            (None for what is not asked for, and for the bias of a layer without one); grad_grad_output,
            grad_input and grad_weight for DOUBLE_BACKWARD; weight, bias and output for MODULE, and for
            MODULE_UPDATED as they are in the end; weight, bias and the three gradients for MODULE_BACKWARD; output and
            negated for Mode.VMAP, output and tangent for Mode.JVP, output, spaced
            and between for Mode.OUT.
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
        contiguous: results without gaps in C order.
        channels_last: results of four dimensions without gaps in NHWC order; it may be both.
        others: of a call that is made many times, how many answers have other bits than the first.
        first_other: the number of the first of these, counted from 1; 0 if there is none.
        other: the results of that answer.
        left: what the call has left behind that was not so before: settings of the process, and processes.
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
    contiguous: tuple[str, ...] = ()
    channels_last: tuple[str, ...] = ()
    others: int = 0
    first_other: int = 0
    other: Mapping[str, NDArray[Any] | None] = field(default_factory=dict)
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """The candidate raised a Python exception.

    Attributes:
        kind: the name of its class.
        message: its text.
        traceback: the last calls.
        left: what the call has left behind, as in `Returned`.
    """

    kind: str
    message: str
    traceback: str = ""
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Died:
    """The candidate's process ended during the call.

    Attributes:
        how: the signal or exit status.
        stderr: the end of what it printed.
        fault: what it did to memory, where its death depends on where the tensors lie: "it wrote to x".
        on_device: whether it was ended because its device computed nothing more.
        misbehaved: whether the judge ended it, or its death says nothing about memory.
    """

    how: str
    stderr: str = ""
    fault: str = ""
    on_device: bool = False
    misbehaved: bool = False

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
