"""A call in an engine's own words: what a bug report shows to those who have never heard of convcheck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from convcheck.plugin.candidate_errors import RAISED, raised
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Arguments, Conv2dParams

if TYPE_CHECKING:
    from convcheck.plugin.backend import Backend

_KEYWORDS: Final = ("stride", "padding", "dilation", "groups")
_RESULTS: Final = {"grad_input": "x", "grad_weight": "weight", "grad_bias": "bias"}
"""Whose gradient a result is."""


class OwnWordsError(ConvcheckError, RuntimeError):
    """A backend could not say a call in its engine's words, or its process ended meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCall:
    """A call as a script is to make it, on arrays of NumPy's that are there under the names `x`, `weight`, and, where
    the call has them, `bias` and `grad_output`.

    Attributes:
        arguments: the layer, as its caller spells it.
        dtype: of the arrays.
        quantity: the result that the script is about: "output", "grad_input", "grad_weight" or "grad_bias".
        wanted: the operands whose gradients are asked for with it.
        bias: whether there is a bias.
        target: of the backend, path/to/file.py:name or package.module:name.
        arrays: the values, for engines whose models hold those of the weight.
    """

    arguments: Arguments
    dtype: str
    quantity: str
    wanted: tuple[str, ...]
    bias: bool
    target: str
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict, hash=False)

    @property
    def keywords(self) -> str:
        """The layer as keywords of `torch.nn.functional.conv2d`."""
        return ", ".join(f"{name}={getattr(self.arguments, name)!r}" for name in _KEYWORDS)

    @property
    def params(self) -> Conv2dParams:
        """The layer as `Backend.conv2d` gets it: an illegal one is not validated."""
        try:
            return Conv2dParams.of(self.arguments)
        except ConvcheckError:
            return Conv2dParams.unchecked(self.arguments)

    @property
    def result(self) -> int:
        """Where the gradient that the script is about stands among those of all operands.

        Raises:
            ValueError: it is about the output.
        """
        if self.quantity not in _RESULTS:
            raise ValueError(f"the script is about the {self.quantity}; expected one of {tuple(_RESULTS)}")
        return self.operands.index(_RESULTS[self.quantity])

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the arrays of the layer."""
        return ("x", "weight", "bias") if self.bias else ("x", "weight")


def said_by(backend: Backend, call: ScriptCall) -> tuple[str, ...]:
    """What a backend says of a call; none where it has no words for it.

    Raises:
        OwnWordsError: it raised, or returned something else than lines.
    """
    try:
        lines = tuple(backend.script_lines(call))
    except RAISED as error:
        raise OwnWordsError(f"script_lines raised {raised(error)}") from error
    if not all(isinstance(line, str) for line in lines):
        raise OwnWordsError(f"script_lines returned {lines!r}; expected lines of text")
    return lines


def torch_script_lines(
    call: ScriptCall,
    function: str,
    *,
    head: Sequence[str] = (),
    device: str = "cpu",
    then: Sequence[str] = (),
    x: str = "x",
    more: str = "",
) -> tuple[str, ...]:
    """Lines that call a function on torch's tensors, and leave the result that the script is about in `got`.

    Args:
        call: what is called.
        function: an expression for what has the signature of `torch.nn.functional.conv2d`.
        head: imports of what the expression names, and settings.
        device: where the tensors lie.
        then: what is done to the tensors once they are made.
        x: an expression for the input.
        more: further arguments.
    """
    backward = call.quantity != "output"
    moved = "" if device == "cpu" else f".to({device!r})"
    reads = "torch.tensor({0}.astype(np.float32)).bfloat16()" if call.dtype == "bfloat16" else "torch.tensor({0})"
    names = (*call.operands, *(["grad_output"] if backward else []))
    lines = ["import torch", *head, *(f"{name} = {reads.format(name)}{moved}" for name in names), *then]
    called = f"{function}({x}, weight, {'bias' if call.bias else 'None'}, {call.keywords}{more})"
    back = f"{'.float()' if call.dtype == 'bfloat16' else ''}{'.cpu()' if moved else ''}.numpy()"
    if not backward:
        return (*lines, f"got = {called}{back}")
    wanted = [name for name in call.wanted if name in call.operands]
    return (
        *lines,
        *(f"{name}.requires_grad_()" for name in wanted),
        f"grads = torch.autograd.grad({called}, [{', '.join(wanted)}], grad_output)",
        f"got = grads[{wanted.index(_RESULTS[call.quantity])}]{back}",
    )


def function_lines(call: ScriptCall, library: str, *, modes: bool) -> tuple[str, ...]:
    """Lines that import a plain function and call it; none where no script can name it, or make its arrays.

    Args:
        call: what is called.
        library: whose arrays it takes.
        modes: whether it has a parameter of the name padding_mode.
    """
    location, _, name = call.target.rpartition(":")
    head = _imported(location, name)
    more = f", padding_mode={call.arguments.padding_mode!r}" if modes else ""
    if not head or library not in ("numpy", "any", "torch"):
        return ()
    if library == "torch":
        return torch_script_lines(call, name, head=head, more=more)
    return (*head, f"got = np.asarray({name}(x, weight, {'bias' if call.bias else 'None'}, {call.keywords}{more}))")


def _imported(location: str, name: str) -> tuple[str, ...]:
    """The import of a function; none where it has no such name."""
    path = Path(location)
    module = path.stem if path.suffix == ".py" else location
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        return ()
    line = f"from {module} import {name}"
    return ("import sys", f"sys.path.insert(0, {str(path.parent)!r})", line) if path.suffix == ".py" else (line,)
