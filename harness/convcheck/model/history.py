"""A history: calls of one candidate, one after the other in the same buffers, as a person reads and repeats them.

A step is written as the token of its case, and after an ``@`` what the token does not say:
``v1,x=1x1x3x3,out=1,k=1,seed=4@weight=2,backward`` is the backward pass with the x of seed 4, and with the bias and
grad_output of the same, but with the weight of seed 2. ``@times=50`` is that call fifty times, one right after the
other. Calls that several threads make at the same time are one step,
with an ``&`` between them. A history is its steps with spaces between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from convcheck.model.calls import Operation
from convcheck.model.case import Case
from convcheck.model.token import TokenError, read, read_count
from convcheck_reference.errors import ConvcheckError

MARK: Final = "@"
"""Between the token of a step's case and the rest; no token of a legal case has one."""

AT_ONCE: Final = "&"
"""Between the calls of a step that several threads make at the same time; no token has one."""

MOST_AT_ONCE: Final = 64
"""Calls that are made at the same time, each from a thread of its own."""

MOST_CALLS: Final = 1_000_000
"""Of a history in all: those of convcheck's own have 60,000."""

_BACKWARD: Final = "backward"
_TIMES: Final = "times"

TensorName: TypeAlias = Literal["weight", "bias", "grad_output"]
"""The tensors whose data a step names besides its case, whose seed is that of x."""

_NAMES: Final[tuple[TensorName, ...]] = ("weight", "bias", "grad_output")


class HistoryError(ConvcheckError, ValueError):
    """A history that cannot be read."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a history, or those that several threads make at the same time.

    Attributes:
        case: the layer, input size, dtype and layouts; its seed is that of x. A legal case that enters by the function.
        weight: the seed of the weight.
        bias: the seed of the bias, even where the layer has none: it comes back with the bias.
        grad_output: the seed of grad_output, even in a forward pass.
        operation: forward or backward.
        beside: the calls that other threads make meanwhile, none of which has any beside it.
        times: how often the call is made, one right after the other; of calls at the same time each is made as often as
            any other.
    """

    case: Case
    weight: int
    bias: int
    grad_output: int
    operation: Operation = Operation.FORWARD
    beside: tuple[Step, ...] = ()
    times: int = 1

    @classmethod
    def of(cls, case: Case, operation: Operation = Operation.FORWARD) -> Step:
        """The call of a case whose tensors are all of its own seed."""
        return cls(case, case.seed, case.seed, case.seed, operation)

    @property
    def seeds(self) -> tuple[int, int, int, int]:
        """The seeds of x, weight, bias and grad_output."""
        return self.case.seed, self.weight, self.bias, self.grad_output

    @property
    def calls(self) -> tuple[Step, ...]:
        """The call of each thread, as a step of its own."""
        return (replace(self, beside=()), *self.beside) if self.beside else (self,)

    @classmethod
    def at_once(cls, calls: Sequence[Step]) -> Step:
        """Calls that as many threads make at the same time."""
        first, *others = calls
        return replace(first, beside=tuple(others))

    def of_data(self, seed: int) -> Step:
        """The same call with all of its data drawn from one seed."""
        return Step.of(replace(self.case, seed=seed), self.operation)

    def of_layer(self, case: Case) -> Step:
        """The same operation on another layer, size or dtype, its data drawn from the same seeds."""
        return replace(self, case=replace(case, seed=self.case.seed))

    def __str__(self) -> str:
        """As `read_step` reads it."""
        return AT_ONCE.join(map(_written, self.calls))


def _written(call: Step) -> str:
    others = {name: getattr(call, name) for name in _NAMES if getattr(call, name) != call.case.seed}
    rest = [f"{name}={seed}" for name, seed in others.items()]
    rest += [_BACKWARD] if call.operation is Operation.BACKWARD else []
    rest += [f"{_TIMES}={call.times}"] if call.times != 1 else []
    return call.case.token + (MARK + ",".join(rest) if rest else "")


History: TypeAlias = tuple[Step, ...]
"""Calls in their order; the first meets a fresh candidate."""


def has_threads(history: History) -> bool:
    """Whether some of its calls are made at the same time."""
    return any(step.beside for step in history)


def write(history: History) -> str:
    """A history in one line; `read_history` gives an equal one back."""
    return " ".join(map(str, history))


def read_history(text: str) -> History:
    """The history that a line describes.

    Raises:
        HistoryError: there is no step, or one of them cannot be a step; the message says which, and what is expected.
    """
    steps = tuple(map(read_step, text.split()))
    if not steps:
        raise HistoryError(
            f"{text!r} has no step; expected cases with spaces between them, such as 'v1,x=1x1x3x3,out=1,k=1'"
        )
    calls = sum(call.times for step in steps for call in step.calls)
    if calls > MOST_CALLS:
        raise HistoryError(f"a history of {calls:,} calls; expected at most {MOST_CALLS:,}")
    return steps


def read_step(text: str) -> Step:
    """The step that a text describes.

    Raises:
        HistoryError: a token cannot be read, its case is illegal or of a module, or what follows is unknown; or there
            are more threads than `MOST_AT_ONCE`.
    """
    calls = text.split(AT_ONCE)
    if len(calls) > MOST_AT_ONCE:
        raise HistoryError(f"a step of {len(calls):,} calls at the same time; expected at most {MOST_AT_ONCE}")
    return Step.at_once(list(map(_read_call, calls)))


def _read_call(text: str) -> Step:
    token, mark, rest = text.partition(MARK)
    try:
        case = read(token)
    except TokenError as error:
        raise HistoryError(f"in the step {text!r}: {error}") from error
    if case.violation is not None:
        raise HistoryError(f"the step {text!r} is illegal: {case.violation}; a history has legal calls only")
    if case.entry != "function":
        raise HistoryError(f"the step {text!r} enters by a {case.entry}; a history calls the function")
    return _with_rest(Step.of(case), rest.split(",") if mark else [], text)


def _with_rest(step: Step, parts: list[str], text: str) -> Step:
    found: dict[str, int | Operation] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if part == _BACKWARD:
            name, given = "operation", Operation.BACKWARD
        elif name in (*_NAMES, _TIMES) and value.isdecimal() and _count(name, value) >= (name == _TIMES):
            given = _count(name, value)  # type: ignore[assignment]
        else:
            expected = ", ".join([*(f"{name}=SEED" for name in _NAMES), f"{_TIMES}=NUMBER"])
            raise HistoryError(f"{part!r} in the step {text!r} is unknown; expected some of {expected} and {_BACKWARD}")
        if name in found:
            raise HistoryError(f"{part!r} is said twice in the step {text!r}; once is expected")
        found[name] = given
    return replace(step, **found)  # type: ignore[arg-type]


def _count(name: str, value: str) -> int:
    try:
        return read_count(name, value)
    except TokenError as error:
        raise HistoryError(f"a step's {error}") from error


def in_words(history: History) -> tuple[str, ...]:
    """What each step is, in words: the first by its layer, every other by what sets it apart from the one before.

    Of calls at the same time the first is told so, and those of the other threads by what sets them apart from it.
    """
    first, *_ = history
    words = [f"{_what(first)} {first.operation}{_times(first)}{_beside(first)}"]
    for number, (before, step) in enumerate(pairwise(history), 1):
        again = history.index(step) + 1
        if again <= number:
            words.append(f"the same call as number {again}" if again < number else "the same call again")
        else:
            words.append((", ".join(_changes(before, step)) or "the same call again") + _times(step) + _beside(step))
    return tuple(words)


def _times(step: Step) -> str:
    return f", {step.times} times" if step.times != 1 else ""


def _beside(step: Step) -> str:
    """What the other threads of a step do, in words; empty if there are none."""
    if not step.beside:
        return ""
    others = " and ".join(", ".join(_changes(step, other)) or "the same call" for other in step.beside)
    return f", from {len(step.calls)} threads at once, beside it: {others}"


def _what(step: Step) -> str:
    return f"{step.case.arguments} on {step.case.input_shape}, {step.case.dtype},"


_TRAITS: Final[tuple[tuple[str, Callable[[Step], object]], ...]] = (
    ("input", lambda step: step.case.input_shape),
    ("dtype", lambda step: step.case.dtype),
    ("layouts", lambda step: ", ".join(step.case.layout_of.values())),
)


def _changes(before: Step, step: Step) -> list[str]:
    changed = [
        f"{name}={getattr(step.case.arguments, name)!r}"
        for name in step.case.arguments.__slots__
        if getattr(step.case.arguments, name) != getattr(before.case.arguments, name)
    ]
    if len(changed) > 2:  # another layer altogether
        return [f"{_what(step)} {step.operation}"]
    changed += [f"{name} {value(step)}" for name, value in _TRAITS if value(step) != value(before)]
    named = zip(("x", *_NAMES), before.seeds, step.seeds, strict=True)
    data = [name for name, old, new in named if old != new and _has(step, name)]
    if data:
        changed.append(f"other contents of {' and '.join(data)}")
    return [*changed, *([str(step.operation)] if step.operation is not before.operation else [])]


def _has(step: Step, name: str) -> bool:
    """Whether the call has a tensor."""
    if name == "bias":
        return bool(step.case.arguments.bias)
    return name != "grad_output" or step.operation is Operation.BACKWARD
