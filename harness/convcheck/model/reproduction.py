"""How a finding is repeated: its case, what has to run before, and the one call that shows it to anybody."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import OPERANDS, Operand
from convcheck.model.case import Layout, Placement
from convcheck_reference.formats import DTYPES


@dataclass(frozen=True, slots=True)
class PackedArray:
    """An array as text, bit for bit.

    Attributes:
        dtype: its name.
        shape: its shape.
        data: its bytes in C order, compressed (zlib), in Base64.
    """

    dtype: str
    shape: tuple[int, ...]
    data: str

    @classmethod
    def of(cls, array: NDArray[Any]) -> PackedArray:
        """Pack an array of numbers."""
        packed = zlib.compress(np.ascontiguousarray(array).tobytes())
        return cls(array.dtype.name, array.shape, base64.b64encode(packed).decode())

    @property
    def array(self) -> NDArray[Any]:
        """The array, on memory of its own."""
        dtype = DTYPES.get(self.dtype) or np.dtype(self.dtype)
        return np.frombuffer(zlib.decompress(base64.b64decode(self.data)), dtype).reshape(self.shape).copy()


@dataclass(frozen=True, slots=True)
class PackedTensor:
    """A tensor of a call: its values, how they lie in memory, and where that lies."""

    values: PackedArray
    layout: Layout
    placement: Placement = "aligned"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneCall:
    """One call of a fresh candidate that shows a finding, with all that is needed to make and to judge it.

    Attributes:
        backward: whether it asks for gradients.
        tensors: by name.
        wanted: the operands whose gradients it asks for.
        expected: the right result; None where the finding is that nothing, or anything, came back.
        tolerance: how far from it each element may be; infinite where it is not judged.
    """

    backward: bool
    tensors: Mapping[str, PackedTensor]
    wanted: tuple[Operand, ...] = OPERANDS
    expected: PackedArray | None = None
    tolerance: PackedArray | None = None


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """How a finding is repeated.

    Attributes:
        token: the smallest case; empty where no case is to blame.
        first_failing_case: the case that first showed it.
        setup_cases: cases to run first in the same process; empty unless the failure depends on them.
        history: the calls that fail, as `convcheck.model.history` writes them, the last of them of this case; empty
            where it is a case that fails.
        reproduced: how many of `attempts` repetitions in a fresh process failed again.
        attempts: repetitions.
        state_dependent: whether the case fails by itself, but not where each of its calls meets a fresh
            candidate, or only there.
        standalone: whether one call shows it on a fresh candidate, without any call before.
        sanitizer: under which it shows, as an option of the command line; empty where it shows by itself.
        call: that call; None where only the case as a whole can be repeated.
        script: file name of the script that makes the call, in the report's folder; empty if there is none.
    """

    token: str = ""
    first_failing_case: str = ""
    setup_cases: tuple[str, ...] = ()
    history: str = ""
    reproduced: int = 0
    attempts: int = 0
    state_dependent: bool = False
    standalone: bool = False
    sanitizer: str = ""
    call: StandaloneCall | None = field(default=None, repr=False)
    script: str = ""
