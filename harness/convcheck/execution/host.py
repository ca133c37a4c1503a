"""The host: makes calls of a backend in the process that it runs in, and watches what they do to memory."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from convcheck.backend import Backend
from convcheck.calls import Call, Operation, Outcome, Raised, Returned
from convcheck.capabilities import Capabilities
from convcheck.execution.inputs import Inputs
from convcheck.execution.results import Results
from convcheck.tensors.poison import poison_free_memory
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams

_RESULTS = {
    Operation.FORWARD: ("output",),
    Operation.BACKWARD: ("grad_input", "grad_weight", "grad_bias"),
    Operation.MODULE: ("weight", "bias", "output"),
}


class Host:
    """A candidate in this process. A crash of the backend is a crash of this process.

    Args:
        load: makes a fresh backend; called again by `restart`.
    """

    def __init__(self, load: Callable[[], Backend]) -> None:
        self._load = load
        self.restart()

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._backend.name

    @property
    def capabilities(self) -> Capabilities:
        """What the backend says it supports."""
        return self._backend.capabilities

    @property
    def versions(self) -> Mapping[str, str]:
        """The backend's versions and settings."""
        return self._backend.versions()

    def restart(self) -> None:
        """Load the backend anew; state in its modules stays, as in any one process."""
        self._backend = self._load()
        self._inputs, self._results = Inputs(), Results()

    def close(self) -> None:
        """Nothing to release."""

    def call(self, call: Call) -> Returned | Raised:
        """Make one call: inputs in their layouts, poisoned free memory, and a look at the memory after."""
        backend = self._backend
        try:
            # warnings are the candidate's own business, whatever this process makes of them
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                native = self._inputs.place(call, backend)
                _poison(call)
                results = self._invoke(call, native)
        except Exception as error:  # noqa: BLE001  (whatever a candidate raises is an outcome)
            return Raised(type(error).__name__, str(error), traceback.format_exc(limit=-8))
        overwritten = self._results.overwritten(backend)
        returned = self._results.collect(backend, dict(zip(_RESULTS[call.operation], results, strict=False)))
        return replace(returned, mutated=self._inputs.mutated(), overwritten=overwritten)

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other."""
        return [self.call(call) for call in calls]

    def _invoke(self, call: Call, native: dict[str, Any]) -> tuple[Any, ...]:
        """The backend's results in the order of `_RESULTS`."""
        backend = self._backend
        if call.operation is Operation.MODULE:
            spelled = {name: getattr(call.arguments, name) for name in call.arguments.__slots__}
            module = backend.make_module(**spelled, dtype=call.dtype)
            return module.weight, module.bias, module(native["x"])
        try:
            params = Conv2dParams.of(call.arguments)
        except ConvcheckError:
            params = Conv2dParams.unchecked(call.arguments)
        x, weight, bias = native["x"], native["weight"], native.get("bias")
        if call.operation is Operation.FORWARD:
            return (backend.conv2d(x, weight, bias, params),)
        return tuple(backend.conv2d_backward(native["grad_output"], x, weight, bias, params))


def _poison(call: Call) -> None:
    dtype = DTYPES[call.dtype]
    with suppress(ConvcheckError, TypeError):
        shape = Conv2dParams.of(call.arguments).output_shape(call.tensors["x"].values.shape)
        poison_free_memory(dtype, int(np.prod(shape)))
        if call.operation is Operation.BACKWARD:
            poison_free_memory(dtype, call.tensors["x"].values.size)
            poison_free_memory(dtype, call.tensors["weight"].values.size)
