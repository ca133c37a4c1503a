"""The search: Hypothesis generates, mutates and climbs on its own, steered by what the candidate did.

Three figures steer it (`hypothesis.target`; Löscher and Sagonas, "Targeted property-based testing", 2017): how far
results are from right, how unusual that is, and how large the layer is. The cases depend on the candidate
therefore; with the same candidate, seed and release of Hypothesis they are the same in any process.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from hypothesis import Phase, reject, target

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.verdicts import FAILURES, Verdict
from convcheck.numerics.bounds import usual_margin
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.strategies.cases import chosen_cases
from convcheck.strategies.draws import from_key
from convcheck.strategies.engine import own_settings, run
from convcheck_reference.formats import component_format

_LEAST: Final = 2.0**-20
"""Errors below this share of the usual one are no error at all."""

_ENOUGH: Final = 8
"""Errors after which it is known what is usual."""

_SPARE: Final = 10
"""Examples of a run that makes up for some that came again: its own first ones may be among those, too."""

_USUAL_WORK: Final = 2.0**12
"""Multiplications of a usual layer: about the median of what is drawn freely."""

_COST_OF_WORK: Final = 2.0
"""Octaves of reach that an octave of more work costs: as many as larger images add, in height of input and output."""


def search(
    judge: Callable[[Case], Sequence[Verdict]],
    capabilities: Capabilities,
    dtypes: tuple[str, ...] | None = None,
    *,
    run_seed: int,
    number: int,
    size: int,
) -> None:
    """Let Hypothesis search for failures, `size` distinct cases.

    A failing case steers nothing and ends nothing: the search goes on along the edge of what passes.

    Args:
        judge: gives the verdicts on a case, and keeps them.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes.
        run_seed: of the whole run.
        number: of the search in the run.
        size: number of cases.

    Raises:
        Exception: what judging raises.
    """
    steering = Steering(capabilities)
    seen: dict[Case, tuple[int, ...]] = {}

    def test(chosen: tuple[Case, tuple[int, ...]]) -> None:
        case, choices = chosen
        if seen.get(case, choices) != choices:
            reject()  # not one of the `size`: Hypothesis varies choices that make no difference to a case, too
        # the same choices come again now and then, and the same has to come of them
        if case not in seen and len(seen) < size:
            seen[case] = choices
            steering.steer(case, judge(case))

    key = from_key(f"search {run_seed} {number}")
    before = -1
    while before < len(seen) < size:  # what came again is not one of the `size` either
        before = len(seen)
        run(
            chosen_cases(capabilities, dtypes),
            test,
            own_settings(
                backend="hypothesis",
                max_examples=size - before + (_SPARE if before else 0),
                phases=(Phase.generate, Phase.target),
            ),
            key=key(0, 2**64),
        )


class Steering:
    """Tells Hypothesis how far each case went, and so where to go on.

    Args:
        capabilities: of the candidate.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._seen: dict[str, list[float]] = defaultdict(list)

    def steer(self, case: Case, verdicts: Sequence[Verdict]) -> None:
        """Put the figures of a legal case that passes to Hypothesis; a failing one steers nothing."""
        if case.violation is not None or any(v.status in FAILURES for v in verdicts):
            return
        errors = _errors(self._capabilities, case, verdicts)
        if errors:
            target(max(errors.values()), label="error, in octaves of the usual rounding")
            target(max(self._novelty(key, error) for key, error in errors.items()), label="novelty, in octaves")
        target(reach(case), label="reach, in octaves")

    def _novelty(self, key: str, error: float) -> float:
        """Octaves between an error and the median of those before; 0 until it is known what is usual."""
        seen = self._seen[key]
        novelty = abs(error - median(seen)) if len(seen) >= _ENOUGH else 0.0
        seen.append(error)
        return novelty


def reach(case: Case) -> float:
    """How far a legal layer goes out without more work than a usual one, in octaves.

    The quantities that a kernel may branch on are added up as logarithms to base 2, and what the layer's
    multiplications exceed the usual by is taken off: the search is to look at wide, deep, large-strided layers
    each in turn, and at no time at layers that are all of it and take as long as ten others.
    """
    params = case.params
    in_channels, *_ = case.input_shape[-3:]
    outputs, taps = math.prod(case.output_shape), math.prod(params.kernel_size)
    work = outputs * taps * (in_channels // params.groups)
    if work == 0:
        return 0.0  # an empty batch costs nothing, however large the rest, and shows next to nothing
    quantities = (
        *case.input_shape,
        *case.output_shape[-3:],
        *params.kernel_size,
        *params.stride,
        *params.dilation,
        *(1 + max(pads) for pads in params.padding),
        params.groups,
    )
    octaves = sum(math.log2(max(1, quantity)) for quantity in quantities)
    return octaves - _COST_OF_WORK * math.log2(max(1.0, work / _USUAL_WORK))


def _errors(capabilities: Capabilities, case: Case, verdicts: Sequence[Verdict]) -> dict[str, float]:
    """By dtype and quantity, log2 of the largest error over what is usual: alike for all layers of a right kernel."""
    found: dict[str, float] = {}
    for quantity, n in reduction_lengths(case.params, case.input_shape).items():
        margins = [v.margin for v in verdicts if v.quantity == quantity and v.margin is not None]
        if margins and math.isfinite(max(margins)):
            usual = usual_margin(capabilities.promised(case, quantity), component_format(case.dtype), n)
            found[f"{case.dtype} {quantity}"] = math.log2(max(_LEAST, max(margins) / usual))
    return found
