"""A trial: one case put to one candidate, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from convcheck.model.calls import Buffers, Call, Given, Memory, Operation, Outcome, Returned, Tensor
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case, Flaw, Layout, Placement
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.work import ValueRegime, regimes
from convcheck.oracles.support.expected import Expected
from convcheck.tensors.layouts import conformed
from convcheck.tensors.values import Values, integer_values, real_values
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Shape

Made = TypeVar("Made")

INTEGERS: Final[ValueRegime] = "integers"
REALS: Final[ValueRegime] = "reals"
_BEFORE_GUARD: Final[Mapping[Placement, Memory]] = {"aligned": "guard_after_aligned", "at_end": "guard_after"}
_OTHER_SEED: Final = 0x5EED
_DATA: Final = ("integers", "other_integers", "reals")
_EXPECTED: Final = ("expected_integers", "expected_reals")


class CallKey(NamedTuple):
    """The name of a call in a trial.

    Attributes:
        asked_by: the oracle that asked for it; empty for the calls that every case makes.
        name: which of its calls.
    """

    asked_by: str
    name: str


SINGLE_CALL: Final = CallKey("", "call")
"""The one call of a module, or of a function with something illegal."""


def plain_key(regime: str, quantity: Quantity) -> CallKey:
    """The call of every case that gives a quantity in one value regime."""
    return CallKey("", f"{regime} {'forward' if quantity == 'output' else 'backward'}")


@dataclass(frozen=True)
class Trial:
    """The calls that a case makes of a candidate, and their outcomes.

    Attributes:
        case: the case.
        capabilities: of the candidate.
        outcomes: by the keys of the calls; filled by whoever runs the calls, before any oracle judges.
    """

    case: Case
    capabilities: Capabilities
    outcomes: Mapping[CallKey, Outcome] = field(default_factory=dict)

    @cached_property
    def calls(self) -> dict[CallKey, Call]:
        """The calls in order: integers and reals, forward and backward; one call for the other entries.

        A layer of many elements is mostly called on integers alone.
        """
        if self.case.violation is not None or self.case.entry == "module":
            return {SINGLE_CALL: _single_call(self.case)}
        return {key: call for regime in regimes(self.case) for key, call in self.calls_on(regime).items()}

    def calls_on(self, regime: ValueRegime) -> dict[CallKey, Call]:
        """The calls of a legal function in one value regime, forward and backward; data of the other is not drawn."""
        values = self.integers if regime == INTEGERS else self.reals
        memory: Memory = _BEFORE_GUARD[self.case.placement] if regime == INTEGERS else "guard_before"
        backward = self.call(Operation.BACKWARD, values, memory=memory)
        # the same tensors, which are placed once
        tensors = {name: tensor for name, tensor in backward.tensors.items() if name != "grad_output"}
        calls = {plain_key(regime, "output"): replace(backward, operation=Operation.FORWARD, tensors=tensors)}
        # non-finite gradients are judged by position in the output only
        if self.capabilities.gradients and not (regime == REALS and self.case.regime == "special"):
            calls[plain_key(regime, "grad_input")] = backward
        return calls

    @cached_property
    def integers(self) -> Values:
        """The exact regime's data."""
        return integer_values(self.case, {q: self.capabilities.promised(self.case, q) for q in QUANTITIES})

    @property
    def other_case(self) -> Case:
        """The same case with other data."""
        return replace(self.case, seed=self.case.seed ^ _OTHER_SEED)

    @cached_property
    def other_integers(self) -> Values:
        """Other data of the exact regime, of the same shapes."""
        return integer_values(self.other_case, {q: self.capabilities.promised(self.case, q) for q in QUANTITIES})

    @cached_property
    def reals(self) -> Values:
        """The real-valued data."""
        return real_values(self.case)

    @cached_property
    def expected_integers(self) -> Expected:
        """The reference on the exact regime's data."""
        return Expected(self.case, self.integers)

    @cached_property
    def expected_reals(self) -> Expected:
        """The reference on the real-valued data."""
        return Expected(self.case, self.reals)

    def once(self, make: Callable[..., Made], *given: Hashable) -> Made:
        """What an oracle makes of this trial and of what is given: for its calls, and the same again to judge them."""
        if (make, *given) not in self._made:
            self._made[make, *given] = make(self, *given)
        found: Made = self._made[make, *given]
        return found

    @cached_property
    def _made(self) -> dict[tuple[Hashable, ...], Any]:
        return {}

    def returned(self, regime: str, quantity: Quantity) -> np.ndarray | None:
        """The array that came back for a quantity, if it has the shape and dtype of the contract."""
        return self.array(self.outcomes.get(plain_key(regime, quantity)), quantity)

    def array(self, outcome: Outcome | None, quantity: Quantity) -> np.ndarray | None:
        """The array of a quantity in the outcome of a call, if it has the shape and dtype of the contract."""
        array = outcome.arrays.get(quantity) if isinstance(outcome, Returned) else None
        if array is None or array.shape != self.shape(quantity) or array.dtype != DTYPES[self.case.dtype]:
            return None
        return array

    def poisoned(self, regime: str, quantity: Quantity) -> bool:
        """Whether an element of a quantity that is never written would have shown."""
        outcome = self.outcomes.get(plain_key(regime, quantity))
        return isinstance(outcome, Returned) and outcome.poisoned

    def outcome(self, oracle: str, name: str) -> Outcome | None:
        """The outcome of a call that an oracle asked for under a name of its own; None if it was not made."""
        return self.outcomes.get(CallKey(oracle, name))

    def shape(self, quantity: Quantity) -> tuple[int, ...]:
        """The shape that the contract gives a quantity."""
        if quantity == "output":
            return self.case.output_shape
        if quantity == "grad_input":
            return self.case.input_shape
        return self.case.params.weight_shape if quantity == "grad_weight" else (self.case.params.out_channels,)

    def with_outcomes(self, outcomes: Mapping[CallKey, Outcome]) -> Trial:
        """The same trial after its calls have been made."""
        done = Trial(self.case, self.capabilities, outcomes)
        done.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("case", "capabilities", "outcomes")})
        return done

    def under(self, capabilities: Capabilities) -> Trial:
        """The same calls and outcomes on the same data, to be judged by what somebody else promises."""
        other = Trial(self.case, capabilities, self.outcomes)
        other.__dict__.update({k: v for k, v in self.__dict__.items() if k in _DATA + _EXPECTED})
        return other

    def lean(self) -> Trial:
        """The trial without what the reference made of its data, which is made anew where it is asked for."""
        kept = Trial(self.case, self.capabilities, self.outcomes)
        kept.__dict__.update({k: v for k, v in self.__dict__.items() if k in _DATA})
        return kept

    def call(self, operation: Operation, values: Values, buffers: Buffers = "fresh", memory: Memory = "heap") -> Call:
        """A call of the case's layer on `values`, in the case's layouts."""
        layout_of = self.case.layout_of
        names = ("x", "weight", "bias", *("grad_output",) * (operation is Operation.BACKWARD))
        given = {name: getattr(values, name) for name in names}
        tensors = {name: Tensor(array, layout_of[name], memory) for name, array in given.items() if array is not None}
        return Call(operation, self.case.arguments, tensors, self.case.dtype, buffers)


def _single_call(case: Case) -> Call:
    """The call of a module, or of a function with something illegal."""
    rng = np.random.default_rng([case.seed, 77])
    dtype = DTYPES[case.dtype]

    def tensor(shape: tuple[int, ...], layout: int | None = None) -> Tensor:
        values = rng.standard_normal(shape).astype(dtype)
        chosen: Layout = "contiguous" if layout is None else case.layouts[layout]
        return Tensor(conformed(values, chosen), chosen, _BEFORE_GUARD[case.placement])

    def flawed(name: str, tensor: Tensor) -> Tensor:
        if case.flaw == f"{name}_dtype":
            other = np.float64 if dtype != np.float64 else np.float32
            return replace(tensor, values=tensor.values.astype(other))
        given: dict[str, Given] = {f"{name}_none": "none", f"{name}_list": "list"}
        return replace(tensor, given=given.get(case.flaw, "tensor"))

    shape = _flawed_shape(case, "input", case.input_shape)
    tensors = {"x": flawed("input", tensor(shape, 0 if len(shape) == len(case.input_shape) else None))}
    if case.entry == "module":
        return Call(Operation.MODULE, case.arguments, tensors, case.dtype)
    weight = _plausible_weight_shape(case)
    tensors["weight"] = flawed("weight", tensor(_flawed_shape(case, "weight", weight)))
    if case.arguments.bias:
        tensors["bias"] = flawed("bias", tensor(_flawed_shape(case, "bias", weight[:1])))
    return Call(Operation.FORWARD, case.arguments, tensors, case.dtype)


def _flawed_shape(case: Case, name: str, shape: Shape) -> Shape:
    """The shape that the flaw of a case gives the input, the weight or the bias."""
    shapes: dict[Flaw, Shape] = {
        "input_ndim": shape[-2:],
        "input_ndim_5": ((1,) * 5 + shape)[-5:],
        "input_channels": (*shape[:-3], *(size + 1 for size in shape[-3:-2]), *shape[-2:]),
        "input_channels_few": (*shape[:-3], *(size - 1 for size in shape[-3:-2]), *shape[-2:]),
        "weight_ndim": shape[:-1],
        "weight_channels": (*shape[:1], *(size + 1 for size in shape[1:2]), *shape[2:]),
        "weight_channels_few": (*shape[:1], *(size - 1 for size in shape[1:2]), *shape[2:]),
        "weight_ungrouped": (*shape[:1], case.arguments.in_channels, *shape[2:]),
        "bias_shape": (shape[0] + 1,),
        "bias_few": (shape[0] - 1,),
        "bias_single": (1,),
        "bias_column": (shape[0], 1),
        "bias_planes": (shape[0], 1, 1),
    }
    return shapes.get(case.flaw, shape) if case.flaw.startswith(name) else shape


def _plausible_weight_shape(case: Case) -> tuple[int, ...]:
    """A weight shape for arguments that may be illegal: groups that do not divide are rounded down."""
    spelled = case.arguments
    groups = spelled.groups if isinstance(spelled.groups, int) and spelled.groups > 0 else 1
    kernel = spelled.kernel_size
    kernel = (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)
    return (spelled.out_channels, max(1, spelled.in_channels // groups), *(max(0, k) for k in kernel))
