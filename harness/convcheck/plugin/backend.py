"""The contract of a backend: what convcheck calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Operand
from convcheck.model.capabilities import Capabilities
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.own_words import ScriptCall
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class UnavailableError(ConvcheckError, RuntimeError):
    """Raised by a backend's constructor, or its module, where its device or engine is absent; the message says why."""


def plain_array(native: Any) -> Array:
    """A result that has to be an array of NumPy's, and of no subclass.

    Raises:
        TypeError: it is something else.
    """
    if type(native) is not np.ndarray:
        raise TypeError(f"returned a {type(native).__name__}; expected a numpy.ndarray")
    return native


class Gradients(NamedTuple):
    """What `conv2d_backward` returns; `bias` is None where the layer has none, as is what nobody asked for."""

    input: Any
    weight: Any
    bias: Any | None


class DoubleGradients(NamedTuple):
    """What `conv2d_double_backward` returns: gradients with respect to grad_output, x and weight."""

    grad_output: Any
    input: Any
    weight: Any


@runtime_checkable
class Module(Protocol):
    """What `make_module` returns: a layer with its parameters, callable on an input."""

    weight: Any
    bias: Any | None

    def __call__(self, x: Any, /) -> Any:
        """The output."""


class Backend:
    """Base class of backends: an implementation of Conv2d, as convcheck sees it.

    Subclass it and write `conv2d`; write the rest where your implementation has it and say so in
    `capabilities`. The constructor needs no arguments; it raises `UnavailableError` where the device or
    engine is absent. Its keywords with a default, annotated as bool, int, float, str or a Literal, are options that a
    user may set: `name?threads=2&baked=yes`. Instances live in a worker process for many calls.

    Attributes:
        name: the name on the command line and in reports.
        capabilities: what is supported.
    """

    name: str
    capabilities: Capabilities

    @classmethod
    def preload(cls) -> None:
        """Do once what an engine takes long for at its first call, such as making kernels; by default nothing.

        Each worker of a campaign is a fork of a process in which this was called, so none of them takes that long. It
        starts no thread that stays: a process with several cannot be forked, and is started anew each time.
        """

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output (N, O, oh, ow), or (O, oh, ow) for an unbatched x, in the dtype of x.

        Args:
            x: (N, C, H, W) or (C, H, W), as `to_native` gave it.
            weight: (O, C/groups, kh, kw).
            bias: (O,) or None.
            params: the layer; `params.arguments` has the spelling of the caller. Where it is illegal
                (then it is not validated), or does not fit the tensors, raise any Python exception.
        """
        raise NotImplementedError

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients of the output, weighted by `grad_output`, with respect to x, weight and bias."""
        raise NotImplementedError

    def conv2d_partial_backward(
        self,
        wanted: tuple[Operand, ...],
        grad_output: Any,
        x: Any,
        weight: Any,
        bias: Any | None,
        params: Conv2dParams,
    ) -> Gradients:
        """The gradients with respect to some operands alone, None in place of the others.

        Args:
            wanted: names of the operands, "x", "weight" and "bias", in this order; no bias where the layer has none.
            grad_output: shaped as the output.
            x: the input.
            weight: the weight.
            bias: the bias or None.
            params: the layer.
        """
        raise NotImplementedError

    def recorded(self, params: Conv2dParams) -> AbstractContextManager[Callable[..., Any]]:
        """A function of (x, weight, bias) whose output torch's autograd records, for as long as the context lasts.

        convcheck differentiates it in the context, in every way in which torch does: for some operands alone, into
        gradients that are there already, twice, and without gradients at all. It takes out= as well where the backend
        declares the transform of this name.
        """
        raise NotImplementedError

    def conv2d_double_backward(
        self,
        grad_grad_input: Any,
        grad_grad_weight: Any,
        grad_grad_bias: Any | None,
        grad_output: Any,
        x: Any,
        weight: Any,
        bias: Any | None,
        params: Conv2dParams,
    ) -> DoubleGradients:
        """The gradients of ⟨ggx, gx⟩ + ⟨ggw, gw⟩ + ⟨ggb, gb⟩, where gx, gw and gb are the results of `conv2d_backward`.

        Args:
            grad_grad_input: ggx, shaped as x.
            grad_grad_weight: ggw, shaped as weight.
            grad_grad_bias: ggb, shaped as bias; None without one.
            grad_output: shaped as the output.
            x: the input.
            weight: the weight.
            bias: the bias or None; no result depends on its values.
            params: the layer.
        """
        raise NotImplementedError

    def make_module(self, **constructor_arguments: Any) -> Module:
        """A layer built from keyword arguments of `torch.nn.Conv2d`, freshly initialised.

        `dtype`, the name of the parameters' dtype, comes as a keyword as well.
        """
        raise NotImplementedError

    def to_native(self, array: Array) -> Any:
        """What `conv2d` takes, from a NumPy array in the layout of the case; by default the array itself."""
        return array

    def to_numpy(self, native: Any) -> Array:
        """The NumPy array of a result; by default the result itself, which must be one.

        Raises:
            TypeError: the result is not of the type that the backend promises.
        """
        return plain_array(native)

    def all_to_numpy(self, natives: Sequence[Any]) -> Sequence[Array]:
        """The arrays of several results, of which the same holds; by default one after the other.

        Where each would be a transfer from a device, `Accelerator.arrays` makes it one for all.
        """
        return [self.to_numpy(native) for native in natives]

    def accelerator(self) -> Accelerator | None:
        """The device that it computes on, so that convcheck places tensors there; None where `to_native` does.

        With it, what lies around and between the elements of a tensor is watched on the device as it is in the memory
        of the host, and an error after which the device computes nothing more ends the worker.
        """
        return None

    def versions(self) -> dict[str, str]:
        """Versions and settings that a reader of a report needs to repeat a result; the engine's own comes first."""
        return {}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:  # noqa: ARG002
        """Lines of Python that make a call in the engine's own words, for bug reports; none where it has no such words.

        They find NumPy's arrays, and `np`, and leave the array of the result in `got`; imports stand first.
        `torch_script_lines` writes them for functions on torch's tensors.

        Args:
            call: the layer, the names of its arrays, and the result that is asked for.
        """
        return ()
