"""What torch can be asked of a function whose outputs autograd records, besides its output and its gradients.

torch is imported by the first call, as in `convcheck.plugin.torch_bridge`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from convcheck.model.calls import OPERANDS, Mode, Operand
from convcheck.plugin.backend import Gradients, Module
from convcheck.plugin.torch_bridge import as_leaves, gradients_of, is_recorded, requiring_grad

Leaves: TypeAlias = Mapping[Operand, Any]

SECOND: Final = -2
"""How many times the first pass's grad_output that of a second one is: the sum of both is exact, and no pass's own."""


def in_mode(mode: Mode, function: Callable[..., Any], tensors: Mapping[str, Any]) -> tuple[Any, ...]:
    """The results of a function of (x, weight, bias), asked in one of torch's ways, in the order of a call's results.

    Args:
        mode: any but Mode.USUAL.
        function: gives the output, as autograd records it.
        tensors: of the call, by name.

    Raises:
        RuntimeError: as `torch_bridge.differentiate`, or the function does not go through a transform.
        TypeError: tensors on the meta device give something else, or what is given as out= is not returned.
    """
    operands = (tensors["x"], tensors["weight"], tensors.get("bias"))
    if mode in _FORWARD:
        return (_FORWARD[mode](function, as_leaves(operands)),)
    if mode in _BACKWARD:
        return _BACKWARD[mode](function, as_leaves(operands), tensors["grad_output"])
    if mode is Mode.JVP:
        return _jvp(function, operands, tuple(tensors.get(f"tangent_{name}") for name in OPERANDS))
    return _TRANSFORMED[mode](function, operands)


def gradients_of_module(module: Module, x: Any, grad_output: Any, wanted: Sequence[Operand]) -> Gradients:
    """The gradients that a backward pass leaves in the input and the parameters of a new module.

    Args:
        module: a layer on torch's tensors.
        x: its input.
        grad_output: shaped as its output.
        wanted: of what; the rest requires no gradient. Zero for what the output does not depend on, and for
            parameters that do not require one by themselves.

    Returns:
        None for what is not wanted, and for parameters that are computed from others, which no pass leaves any in.
    """
    import torch  # noqa: PLC0415

    tensors: dict[Operand, Any] = {"x": x.detach(), "weight": module.weight, "bias": module.bias}
    leaves = {name: tensor for name, tensor in tensors.items() if tensor is not None and tensor.is_leaf}
    for name, leaf in leaves.items():
        # parameters require one from the start: what has to be told to is not trained
        leaf.requires_grad_(name in wanted and (name == "x" or leaf.requires_grad))
    output = module(leaves["x"])
    asked = {name: leaf for name, leaf in leaves.items() if name in wanted}
    if is_recorded(output) or not _records(module, leaves):
        output.backward(grad_output)
    return gradients_of({n: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for n, leaf in asked.items()})


def _records(module: Module, leaves: Leaves) -> bool:
    """Whether autograd records a module of which all leaves require gradients."""
    for leaf in leaves.values():
        leaf.requires_grad_()
    return is_recorded(module(leaves["x"]))


def _recorded(function: Callable[..., Any], leaves: Leaves) -> Any:
    return function(*leaves.values())


def _no_grad(function: Callable[..., Any], leaves: Leaves) -> Any:
    import torch  # noqa: PLC0415

    with torch.no_grad():
        return function(*leaves.values())


def _inference(function: Callable[..., Any], leaves: Leaves) -> Any:
    import torch  # noqa: PLC0415

    with torch.inference_mode():
        output = function(*leaves.values())
    return output.clone() if type(output) is torch.Tensor else output  # what reads it does so outside of that mode


def _accumulated(function: Callable[..., Any], leaves: Leaves, grad_output: Any) -> tuple[Any, ...]:
    """The gradients of two outputs, added up by torch where the first ones already are."""
    import torch  # noqa: PLC0415

    inputs = requiring_grad(leaves)
    for weight in (grad_output, SECOND * grad_output):
        function(*leaves.values()).backward(weight)
    return gradients_of({n: torch.zeros_like(one) if one.grad is None else one.grad for n, one in inputs.items()})


def _retained(function: Callable[..., Any], leaves: Leaves, grad_output: Any) -> tuple[Any, ...]:
    """The gradients of one output in two passes, added up when both are there: a pass may not change the other's."""
    import torch  # noqa: PLC0415

    inputs, output = requiring_grad(leaves), function(*leaves.values())
    first = torch.autograd.grad(output, list(inputs.values()), grad_output, retain_graph=True, materialize_grads=True)
    second = torch.autograd.grad(output, list(inputs.values()), SECOND * grad_output, materialize_grads=True)
    return gradients_of({name: a + b for name, a, b in zip(inputs, first, second, strict=True)})


def _interleaved(function: Callable[..., Any], leaves: Leaves, grad_output: Any) -> tuple[Any, ...]:
    """The gradients of an output, less those of a later one of negated operands that is differentiated before it.

    Gradients of x and weight are negated there. That of the bias is not, which hangs on grad_output alone: there it is
    that which is negated.
    """
    import torch  # noqa: PLC0415

    x, weight, bias = (None if leaf is None else -leaf.detach() for leaf in leaves.values())
    negated = as_leaves((x, weight, bias))
    output, later = function(*leaves.values()), function(*negated.values())
    inputs = requiring_grad(leaves)
    second = torch.autograd.grad(later, list(requiring_grad(negated).values()), grad_output, materialize_grads=True)
    first = torch.autograd.grad(output, list(inputs.values()), grad_output, materialize_grads=True)
    return gradients_of({n: a + b if n == "bias" else a - b for n, a, b in zip(inputs, first, second, strict=True)})


def _vmap(function: Callable[..., Any], operands: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    """The outputs of two slices: the operands, and the same with x and bias negated."""
    import torch  # noqa: PLC0415

    x, weight, bias = operands
    slices = [torch.stack([x, -x]), torch.stack([weight, weight]), None if bias is None else torch.stack([bias, -bias])]
    along = tuple(None if t is None else 0 for t in slices)
    output, negated = torch.func.vmap(function, along)(*slices)
    return output.clone(), negated.clone()


def _jvp(function: Callable[..., Any], operands: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, ...]:
    """The output, and its derivative along the tangents of the operands that are there."""
    import torch  # noqa: PLC0415

    def of_present(*present: Any) -> Any:
        return function(*present, *operands[len(present) :])

    given = 3 if operands[2] is not None else 2
    output, tangent, *_ = torch.func.jvp(of_present, operands[:given], tangents[:given])
    return output, tangent


def _meta(function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Zeros of the shape and dtype of the output of tensors without values."""
    import torch  # noqa: PLC0415

    output = function(*(t if t is None else t.detach().to("meta") for t in operands))
    if type(output) is not torch.Tensor or output.device.type != "meta":
        raise TypeError(
            f"of tensors on the meta device came a {type(output).__name__}; expected a tensor on the meta device"
        )
    return (torch.zeros(output.shape, dtype=output.dtype, device=operands[0].device),)


def _autocast(function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """The output where float32 is computed with in bfloat16."""
    import torch  # noqa: PLC0415

    with torch.autocast(operands[0].device.type, dtype=torch.bfloat16):
        return (function(*operands),)


def _out(function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """A dense tensor and every second column of another, each given to be written to, and the columns between."""
    import torch  # noqa: PLC0415

    usual = function(*operands)
    dense = torch.full_like(usual, torch.nan, memory_format=torch.contiguous_format)
    wide = torch.full((*usual.shape[:-1], 2 * usual.shape[-1]), torch.nan, dtype=usual.dtype, device=usual.device)
    for out in (dense, wide[..., ::2]):
        returned = function(*operands, out=out)
        if type(returned) is not torch.Tensor or _lies(returned) != _lies(out):
            raise TypeError(f"given out=, a {type(returned).__name__} of other memory came; expected what was given")
    return dense, wide[..., ::2].clone(), wide[..., 1::2].clone()


def _lies(tensor: Any) -> tuple[Any, ...]:
    return tensor.data_ptr(), tensor.shape, tensor.stride()


_FORWARD: Final[Mapping[Mode, Callable[[Callable[..., Any], Leaves], Any]]] = {
    Mode.RECORDED: _recorded,
    Mode.NO_GRAD: _no_grad,
    Mode.INFERENCE: _inference,
}
_BACKWARD: Final[Mapping[Mode, Callable[[Callable[..., Any], Leaves, Any], tuple[Any, ...]]]] = {
    Mode.ACCUMULATED: _accumulated,
    Mode.RETAINED: _retained,
    Mode.INTERLEAVED: _interleaved,
}
_TRANSFORMED: Final[Mapping[Mode, Callable[[Callable[..., Any], tuple[Any, Any, Any]], tuple[Any, ...]]]] = {
    Mode.VMAP: _vmap,
    Mode.META: _meta,
    Mode.AUTOCAST: _autocast,
    Mode.OUT: _out,
}
