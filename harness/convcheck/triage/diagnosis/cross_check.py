"""The cross-check of the reference: who is wrong where candidate and reference disagree, by evidence without either.

The loop-by-loop formulation shares no code with the reference, and metamorphic relations need no formulation
at all: each side's outputs have to agree with one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Returned
from convcheck.model.case import Case
from convcheck.numerics.limits import integer_limit, output_limit
from convcheck.oracles import extra_calls, metamorphic
from convcheck.oracles.metamorphic import RELATIONS, Layer, Relation, images, layer_of, oracle_name
from convcheck.oracles.support.transforms import magnitude
from convcheck.oracles.support.trial import INTEGERS, Trial
from convcheck.oracles.support.wellformed import fault
from convcheck.triage.probe import Probe
from convcheck_reference.convolution import conv2d
from convcheck_reference.formats import DTYPES, component_format
from convcheck_reference.naive import naive_conv2d

Array = NDArray[Any]
Convolve: TypeAlias = Callable[[Layer], Array]
"""The output of a layer, unrounded."""

MOST_LOOPS: Final = 100_000
"""Multiply-adds that are worth writing out loop by loop, each of which takes a microsecond or two."""

_LOOPS: Final = "written out loop by loop, the layer gives"
_VERDICTS: Final = {
    (False, True): f"The candidate is wrong: {_LOOPS} what the reference gives",
    (True, False): f"The reference is wrong: {_LOOPS} what the candidate gives",
    (False, False): f"Both are wrong: {_LOOPS} something else",
    (True, True): f"Neither is wrong on integers: {_LOOPS} the same",
}
"""By whether the candidate is right, and the reference."""


def reference(layer: Layer) -> Array:
    """The output by the reference."""
    return conv2d(_wide(layer.x), _wide(layer.weight), _wide(layer.bias), layer.params)


def loops(layer: Layer) -> Array:
    """The output by the second formulation, one multiply-add at a time."""
    x, weight, bias = _wide(layer.x), _wide(layer.weight), _wide(layer.bias)
    if x.ndim == 4:
        return naive_conv2d(x, weight, bias, layer.params)
    return np.asarray(naive_conv2d(x[None], weight, bias, layer.params)[0])


def cross_checked(probe: Probe, case: Case) -> str:
    """Who is wrong about the output of a legal case, by the loops and the metamorphic relations.

    Empty for a module, and if no calls are left.
    """
    trial = probe.blank(case)
    if case.violation is not None or case.entry == "module" or probe.calls_left <= 0:
        return ""
    trial = probe.made(trial, {**trial.calls, **extra_calls(trial, metamorphic.ORACLES)})
    output = trial.returned(INTEGERS, "output")
    return "" if output is None else cross_check(output, trial)


def cross_check(candidate_output: Array, trial: Trial, convolve: Convolve = reference) -> str:
    """Which side is wrong about the output on integers, and what says so, in a sentence.

    Args:
        candidate_output: for the exact regime, in the shape and dtype of the contract.
        trial: of a legal case that enters by the function. Where the calls of the metamorphic oracles have
            been made (`extra_calls`), the candidate's outcomes are judged as well.
        convolve: the reference.
    """
    layer = layer_of(trial)
    by_loops = layer.multiply_adds <= MOST_LOOPS
    gauge = (loops if by_loops else convolve)(_magnitudes(layer))
    of_reference = list(_of_reference(trial, layer, convolve))
    of_candidate = list(_of_candidate(trial, layer, candidate_output, gauge))
    relations = f"{_told('the candidate', of_candidate)}; {_told('the reference', of_reference)}"
    if not by_loops:
        return f"{_by_relations(of_candidate, of_reference)} (the layer is too large for loops): {relations}."
    truth, exact = loops(layer), gauge <= _limit(trial)
    sides = (candidate_output, convolve(layer))
    right = [bool((_rounded(side, trial) == _rounded(truth, trial))[exact].all()) for side in sides]
    return f"{_VERDICTS[right[0], right[1]]}; {relations}."


def _by_relations(of_candidate: list[tuple[str, bool]], of_reference: list[tuple[str, bool]]) -> str:
    candidate, reference_ = (all(kept for _, kept in found) for found in (of_candidate, of_reference))
    if candidate == reference_:
        return "Undecided" if candidate else "Both are wrong"
    return "The candidate is wrong" if reference_ else "The reference is wrong"


def _told(side: str, found: list[tuple[str, bool]]) -> str:
    if not found:
        return f"no relation was asked of {side}"
    broken = [name for name, kept in found if not kept]
    if not broken:
        return f"{side} keeps all {len(found)} relations that apply"
    return f"{side} breaks {len(broken)} of {len(found)} relations ({', '.join(broken)})"


def _of_reference(trial: Trial, layer: Layer, convolve: Convolve) -> Iterator[tuple[str, bool]]:
    output = convolve(layer)
    for relation in RELATIONS:
        found = images(relation, trial)
        if found is not None:
            # nothing is rounded here, so every relation holds for every element
            predicted = relation.predict(layer, tuple(convolve(image) for image in found))
            yield relation.name, bool((predicted == output).all())


def _of_candidate(trial: Trial, layer: Layer, output: Array, gauge: Array) -> Iterator[tuple[str, bool]]:
    for relation in RELATIONS:
        found = images(relation, trial)
        outputs = None if found is None else _outputs(relation, trial, found)
        if outputs is None:
            continue
        with np.errstate(invalid="ignore"):  # wrong outputs may be infinite
            predicted = _rounded(relation.predict(layer, outputs), trial)
        unrounded = 2 ** component_format(trial.case.dtype).precision
        exact = gauge <= (min(_limit(trial), unrounded) if relation.adds else _limit(trial))
        yield relation.name, bool((predicted == output)[exact].all())


def _outputs(relation: Relation, trial: Trial, found: tuple[Layer, ...]) -> tuple[Array, ...] | None:
    """The candidate's outputs for the images; None unless all came back, well-formed."""
    outputs = []
    for at, image in enumerate(found):
        outcome = trial.outcome(oracle_name(relation), str(at))
        shape = image.params.output_shape(image.x.shape)
        if not isinstance(outcome, Returned) or fault(outcome, "output", shape, trial.case.dtype):
            return None
        outputs.append(np.asarray(outcome.arrays["output"]))
    return tuple(outputs)


def _rounded(output: Array, trial: Trial) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):  # wrong outputs may be anything
        return output.astype(DTYPES[trial.case.dtype])


def _limit(trial: Trial) -> int:
    """Up to where sums are exact; what is compared is rounded to the dtype on both sides."""
    profile = trial.capabilities.promised(trial.case, "output")
    limit = output_limit if profile.rounds_before_bias else integer_limit
    return limit(profile, trial.case.dtype)


def _wide(array: Array | None) -> Any:
    """In the widest dtype of its kind; None stays None."""
    if array is None:
        return None
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _magnitudes(layer: Layer) -> Layer:
    bias = None if layer.bias is None else magnitude(layer.bias)
    return replace(layer, x=magnitude(layer.x), weight=magnitude(layer.weight), bias=bias)
