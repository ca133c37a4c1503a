"""The bridge to torch: tensors on the memory of arrays, the way back, and gradients by autograd.

torch is imported by the first call, so a backend that needs none of it does not load it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import OPERANDS, Operand
from convcheck.model.capabilities import CapabilityError
from convcheck.plugin.backend import DoubleGradients, Gradients
from convcheck_reference.formats import DTYPES


def preload_autograd() -> None:
    """Import what torch's autograd imports at its first call, if torch is imported.

    `torch.autograd.grad` imports a module with sympy behind it, some 500 modules, which takes most of a second: a fork
    of this process has them.
    """
    if "torch" in sys.modules:
        with suppress(ImportError):
            import_module("torch.fx.experimental.symbolic_shapes")


def absence(device: str) -> str:
    """Why torch cannot use a device on this machine, or is not there; empty if it can.

    Args:
        device: as torch spells it: "cpu", "cuda", "cuda:1", "xpu", "mps".

    Raises:
        CapabilityError: torch knows no such device, or tensors there hold no values.
    """
    try:
        import torch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "torch":  # torch is there, and what it needs is not
            raise
        return "needs torch, which is not installed: pip install torch"
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise CapabilityError(f"device={device!r} is no device of torch {torch.__version__}: {error}") from error
    if wanted.type == "meta":
        raise CapabilityError("device='meta': tensors there hold no values to judge; name a device that computes")
    if wanted.type == "cpu":
        return ""
    module = getattr(torch, wanted.type, None)
    if module is None or not module.is_available():
        return f"no {wanted.type.upper()} device: torch {torch.__version__} sees none on this machine"
    count = module.device_count()
    if (wanted.index or 0) >= count:
        return f"no device {device}: torch {torch.__version__} sees {count} of {wanted.type.upper()} on this machine"
    return ""


def to_torch(array: NDArray[Any], device: str = "cpu") -> Any:
    """A torch tensor of `array`: on its memory, strides included, or a copy on another device.

    Where the array is a view of flat memory, so is the tensor: its storage is all of that. bfloat16 is reinterpreted.

    Args:
        array: of any dtype that torch has.
        device: where the tensor lies.

    Raises:
        ValueError: a stride is negative, which torch's tensors cannot have.
        TypeError: torch, or the device, has no such dtype.
    """
    import torch  # noqa: PLC0415

    # NumPy has no bfloat16 of its own, so torch takes the bits
    kind = np.dtype(np.int16) if array.dtype == DTYPES["bfloat16"] else array.dtype
    memory = _memory(array, kind)
    if memory is None:
        tensor = torch.from_numpy(array.view(kind))
    else:
        offset = (_address(array) - _address(memory)) // kind.itemsize
        strides = [stride // kind.itemsize for stride in array.strides]
        tensor = torch.from_numpy(memory).as_strided(array.shape, strides, offset)
    if kind != array.dtype:
        tensor = tensor.view(torch.bfloat16)
    return tensor if device == "cpu" else tensor.to(device)


def from_torch(tensor: Any, device: str | None = None) -> NDArray[Any]:
    """The array of a plain dense torch tensor, or of a parameter; on its memory where that is the CPU's.

    Args:
        tensor: what a candidate returned.
        device: where it has to lie, "cuda" for any of that type; by default anywhere.

    Raises:
        TypeError: it is something else, or lies elsewhere.
    """
    import torch  # noqa: PLC0415

    tensor = plain_tensor(tensor, device)
    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.detach().view(torch.int16).numpy(force=True).view(DTYPES["bfloat16"]))
    return np.asarray(tensor.numpy(force=True))


def plain_tensor(tensor: Any, device: str | None = None) -> Any:
    """What a candidate returned, if it is a plain torch tensor or a parameter.

    Args:
        tensor: what a candidate returned.
        device: where it has to lie, "cuda" for any of that type; by default anywhere.

    Raises:
        TypeError: it is something else, or lies elsewhere.
    """
    import torch  # noqa: PLC0415

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):  # others may compute what they hold when somebody looks
        raise TypeError(f"returned a {type(tensor).__name__}; expected a torch.Tensor")
    if device is not None and not _lies_on(tensor.device, _device(device)):
        raise TypeError(f"returned a tensor on {tensor.device}; expected {device}")
    return tensor


def current(device: str) -> AbstractContextManager[Any]:
    """Makes a device that has a number the current one of this thread: kernels are launched on that."""
    import torch  # noqa: PLC0415

    wanted = torch.device(device)
    select = getattr(getattr(torch, wanted.type, None), "device", None)
    chosen: AbstractContextManager[Any] = nullcontext() if wanted.index is None or select is None else select(wanted)
    return chosen


def versions(device: str) -> dict[str, str]:
    """The version of torch and, on a device with a name, its name and the version of what drives it."""
    import torch  # noqa: PLC0415

    wanted = torch.device(device)
    named = getattr(getattr(torch, wanted.type, None), "get_device_name", None)
    found = {"torch": str(torch.__version__)}
    if wanted.type == "cuda":
        found["cuda"] = str(torch.version.cuda or torch.version.hip)
    return found if named is None else {**found, "device": f"{device}, {named(wanted)}"}


def differentiate(
    function: Callable[..., Any],
    tensors: tuple[Any, Any, Any],
    grad_output: Any,
    wanted: Sequence[Operand] = OPERANDS,
) -> Gradients:
    """The gradients of a function of (x, weight, bias), by torch's autograd.

    They are zero for a tensor on which the output does not depend, or not in a way that autograd records.

    Args:
        function: gives the output.
        tensors: x, weight, and bias or None.
        grad_output: shaped as the output.
        wanted: of which of the tensors; the others require no gradient, and get None.

    Raises:
        RuntimeError: autograd records nothing of the function.
    """
    import torch  # noqa: PLC0415

    leaves = as_leaves(tensors, wanted)
    output = function(*leaves.values())
    inputs = requiring_grad(leaves)
    if not is_recorded(output) and is_recorded(function(*as_leaves(tensors).values())):
        return gradients_of({name: torch.zeros_like(one) for name, one in inputs.items()})
    found = torch.autograd.grad(output, list(inputs.values()), grad_output, materialize_grads=True)
    return gradients_of(dict(zip(inputs, found, strict=True)))


def differentiate_twice(
    function: Callable[..., Any], tensors: tuple[Any, Any, Any], grad_output: Any, grad_grads: tuple[Any, Any, Any]
) -> DoubleGradients:
    """The gradients of the gradients of a function of (x, weight, bias), by torch's autograd.

    Args:
        function: gives the output.
        tensors: x, weight, and bias or None.
        grad_output: shaped as the output.
        grad_grads: weights of the gradients, shaped as `tensors`; None where the bias is.

    Raises:
        RuntimeError: as `differentiate`; or the gradients cannot be differentiated again.
    """
    import torch  # noqa: PLC0415

    leaves = as_leaves(tensors)
    inputs, output = list(requiring_grad(leaves).values()), function(*leaves.values())
    outer = grad_output.detach().requires_grad_()
    found = torch.autograd.grad(output, inputs, outer, create_graph=True, materialize_grads=True)
    # a gradient that is zero because the output does not depend on its tensor depends on nothing either
    weighted = list(zip(found, (t for t in grad_grads if t is not None), strict=True))
    recorded = [(gradient, weight) for gradient, weight in weighted if gradient.requires_grad]
    gradients, weights = zip(*(recorded or weighted), strict=True)
    # on an empty batch nothing depends on x: its gradient is zero; elsewhere nothing of the kind was recorded
    empty = tensors[0].numel() == 0
    second = torch.autograd.grad(gradients, (outer, *inputs[:2]), weights, materialize_grads=empty)
    return DoubleGradients(*second)


def as_leaves(tensors: tuple[Any, Any, Any], wanted: Sequence[Operand] = OPERANDS) -> dict[Operand, Any]:
    """The tensors by name as leaves of a graph of their own; those of which gradients are wanted require them."""
    named = zip(OPERANDS, tensors, strict=True)
    return {name: t if t is None else t.detach().requires_grad_(name in wanted) for name, t in named}


def is_recorded(output: Any) -> bool:
    """Whether autograd recorded how an output came about."""
    return bool(getattr(output, "requires_grad", False))


def requiring_grad(leaves: Mapping[Operand, Any]) -> dict[Operand, Any]:
    """Those of the leaves that require gradients."""
    return {name: leaf for name, leaf in leaves.items() if leaf is not None and leaf.requires_grad}


def gradients_of(found: Mapping[Operand, Any]) -> Gradients:
    """Gradients by operand, None for the others."""
    return Gradients(*map(found.get, OPERANDS))


@cache
def _device(name: str) -> Any:
    import torch  # noqa: PLC0415

    return torch.device(name)


def _memory(array: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any] | None:
    """The flat memory that an array is a view of, as elements of a kind; None where torch cannot say so of a view."""
    base = array.base
    if (
        not isinstance(base, np.ndarray)
        or base.dtype != np.uint8
        or base.ndim != 1
        or min(array.strides, default=0) < 0
    ):
        return None
    whole = base.nbytes % kind.itemsize == 0 and (_address(array) - _address(base)) % kind.itemsize == 0
    return base.view(kind) if whole and base.flags.c_contiguous else None


def _address(array: NDArray[Any]) -> int:
    address, _ = array.__array_interface__["data"]
    return int(address)


def _lies_on(device: Any, wanted: Any) -> bool:
    # a tensor on the CPU has no number, one on "cuda" has
    return bool(device == wanted or (device.type == wanted.type and wanted.index in (None, device.index or 0)))
