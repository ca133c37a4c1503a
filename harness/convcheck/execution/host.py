"""The host: makes calls of a backend in the process that it runs in, and watches what they do to memory."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from convcheck.backend import Backend
from convcheck.calls import Call, Operation, Outcome, Raised, Returned
from convcheck.capabilities import Capabilities
from convcheck.tensors.layouts import lay_out, unchanged
from convcheck.tensors.poison import poison_free_memory
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams

_RESULTS = {
    Operation.FORWARD: ("output",),
    Operation.BACKWARD: ("grad_input", "grad_weight", "grad_bias"),
    Operation.DOUBLE_BACKWARD: ("grad_grad_output", "grad_input", "grad_weight"),
    Operation.MODULE: ("weight", "bias", "output"),
}


class Host:
    """A candidate in this process. A crash of the backend is a crash of this process.

    Args:
        load: makes a fresh backend; called again by `restart`.
    """

    def __init__(self, load: Callable[[], Backend]) -> None:
        self._load = load
        self._backend = load()

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

    def close(self) -> None:
        """Nothing to release."""

    def call(self, call: Call) -> Outcome:
        """Make one call: fresh inputs in their layouts, poisoned free memory, and a look at the inputs after."""
        arrays = {name: lay_out(tensor) for name, tensor in call.tensors.items()}
        _poison(call)
        try:
            # warnings are the candidate's own business, whatever this process makes of them
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                results = self._invoke(call, {n: self._backend.to_native(a) for n, a in arrays.items()})
        except Exception as error:  # noqa: BLE001  (whatever a candidate raises is an outcome)
            return Raised(type(error).__name__, str(error), traceback.format_exc(limit=-8))
        outcome = self._collect(call, results)
        mutated = tuple(n for n, array in arrays.items() if not unchanged(array, call.tensors[n]))
        return Returned(outcome.arrays, outcome.malformed, mutated)

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
        if call.operation is Operation.DOUBLE_BACKWARD:
            outer = (native["grad_grad_input"], native["grad_grad_weight"], native.get("grad_grad_bias"))
            return tuple(backend.conv2d_double_backward(*outer, native["grad_output"], x, weight, bias, params))
        return tuple(backend.conv2d_backward(native["grad_output"], x, weight, bias, params))

    def _collect(self, call: Call, results: tuple[Any, ...]) -> Returned:
        arrays: dict[str, Any] = {}
        malformed: dict[str, str] = {}
        for name, result in zip(_RESULTS[call.operation], results, strict=False):
            if result is None:
                arrays[name] = None
                continue
            try:
                array = self._backend.to_numpy(result)
                # a copy: the candidate may write to its result again
                arrays[name] = np.array(array, order="C", copy=True)
            except Exception as error:  # noqa: BLE001  (as above)
                arrays[name] = None
                malformed[name] = f"{type(error).__name__}: {error}"
        return Returned(arrays, malformed)


def _poison(call: Call) -> None:
    dtype = DTYPES[call.dtype]
    with suppress(ConvcheckError, TypeError):
        shape = Conv2dParams.of(call.arguments).output_shape(call.tensors["x"].values.shape)
        poison_free_memory(dtype, int(np.prod(shape)))
        if call.operation in (Operation.BACKWARD, Operation.DOUBLE_BACKWARD):
            poison_free_memory(dtype, call.tensors["x"].values.size)
            poison_free_memory(dtype, call.tensors["weight"].values.size)
