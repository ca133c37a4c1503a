"""Asking a candidate for the outputs that a relation needs, and judging whether they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation, Returned, Tensor
from convcheck.model.case import Case
from convcheck.model.profiles import Profile
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.metamorphic.relation import Layer, Relation
from convcheck.oracles.support.compare import compare_exact
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import INTEGERS, Trial
from convcheck.oracles.support.vacuity import too_few_judged, vacuous
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.layouts import conformed
from convcheck_reference.formats import component_format

Array = NDArray[Any]

BUDGET: Final = 300_000
"""Multiply-adds of all images together, above which a case is left to the other oracles."""

_PREFIX: Final = "metamorphic-"


def oracle_name(relation: Relation) -> str:
    """The oracle of a relation, as verdicts name it."""
    return _PREFIX + relation.name


def calls(relation: Relation, trial: Trial) -> Mapping[str, Call]:
    """One forward call for each image; none where the relation says nothing, or the candidate does not declare it."""
    found = images(relation, trial)
    return {} if found is None else {str(at): _call(trial.case, image) for at, image in enumerate(found)}


def judge(relation: Relation, trial: Trial) -> Iterator[Verdict]:
    """Judge whether the output of the exact regime is what the relation makes of its images' outputs."""
    got = trial.returned(INTEGERS, "output")
    found = None if got is None or got.size == 0 else images(relation, trial)
    if got is None or found is None:
        return
    name, clauses = oracle_name(relation), _clauses(relation, trial.case)
    outputs: list[Array] = []
    for at, image in enumerate(found):
        outcome = trial.outcome(name, str(at))
        if not isinstance(outcome, Returned):
            return
        shape = image.params.output_shape(image.x.shape)
        wrong = fault(outcome, "output", shape, trial.case.dtype)
        if wrong:
            what = f"the output of {image.arguments} on {image.x.shape}"
            yield misshapen(name, "output", clauses, what, wrong, shape)
            return
        outputs.append(np.asarray(outcome.arrays["output"]))
    yield _verdict(relation, trial, got, found, tuple(outputs))


def layer_of(trial: Trial) -> Layer:
    """The case's layer on the integers of the exact regime."""
    values = trial.integers
    return Layer(trial.case.arguments, values.x, values.weight, values.bias)


def images(relation: Relation, trial: Trial) -> tuple[Layer, ...] | None:
    """The images that the candidate can be asked for; None where the relation does not apply to the case."""
    return trial.once(_images, relation)


def _images(trial: Trial, relation: Relation) -> tuple[Layer, ...] | None:
    if not trial.capabilities.promised(trial.case, "output").exact_integers or trial.case.batch == 0:
        return None
    found = relation.images(layer_of(trial))
    if (
        found is None
        or not all(profile.exact_integers for profile in _promised(trial, found))
        or sum(image.multiply_adds for image in found) > BUDGET
    ):
        return None
    if any(trial.capabilities.unsupported(_case(trial.case, image)) for image in found):
        return None
    # what lies expanded along a batch has no equal entries along the channels
    layout_x, layout_weight, _ = trial.case.layouts
    tensors = [(t, layout) for image in found for t, layout in ((image.x, layout_x), (image.weight, layout_weight))]
    return found if all(np.array_equal(t, conformed(t, layout)) for t, layout in tensors) else None


def exact(relation: Relation, trial: Trial, found: tuple[Layer, ...]) -> NDArray[np.bool_]:
    """Which elements the relation holds for exactly.

    Those that are exact under every promise in question, as images may be on other paths; where outputs are added up,
    or rounded before the bias is added, those that were not rounded.
    """
    expected, dtype = trial.expected_integers, trial.case.dtype
    profiles = (trial.capabilities.promised(trial.case, "output"), *_promised(trial, found))
    judged = np.ones(trial.case.output_shape, np.bool_)
    for profile in dict.fromkeys(profiles):
        judged &= expected.exact("output", profile)
    limit = 2 ** component_format(dtype).precision
    rounded = relation.adds or any(profile.rounds_before_bias for profile in profiles)
    if rounded and not expected.sum("output").stays_below(limit):
        judged &= expected.sum("output").gauge <= limit
    return judged


def _promised(trial: Trial, found: tuple[Layer, ...]) -> tuple[Profile, ...]:
    return tuple(trial.capabilities.promised(_case(trial.case, image), "output") for image in found)


def _verdict(
    relation: Relation, trial: Trial, got: Array, found: tuple[Layer, ...], outputs: tuple[Array, ...]
) -> Verdict:
    with np.errstate(invalid="ignore"):  # wrong outputs may be infinite
        predicted = relation.predict(layer_of(trial), outputs)
    wide = predicted.astype(np.complex128 if predicted.dtype.kind == "c" else np.float64)
    name, clauses = oracle_name(relation), _clauses(relation, trial.case)
    compared = compare_exact(got, wide, exact(relation, trial, found))
    if compared.status is Status.PASS:
        expected = trial.expected_integers.sum("output")
        empty = too_few_judged(compared.judged, got.size) or vacuous(expected, "output", trial.case)
        return Verdict(name, "output", Status.VACUOUS if empty else Status.PASS, clauses, empty)
    reason = f"it does not hold that {relation.statement}"
    return Verdict(name, "output", compared.status, clauses, reason, evidence=compared.evidence)


def _clauses(relation: Relation, case: Case) -> tuple[str, ...]:
    """What the case exercises, what the relation is about first."""
    found = exercised(case)
    about = [clause for clause in relation.clauses if clause in found]
    return (*about, *(clause for clause in found if clause not in about), "C2D-ARITH-1")


def _case(case: Case, image: Layer) -> Case:
    return Case(image.arguments, image.x.shape, case.dtype, layouts=case.layouts)


def _call(case: Case, image: Layer) -> Call:
    layout_x, layout_weight, _ = case.layouts
    tensors = {
        "x": Tensor(np.ascontiguousarray(image.x), layout_x),
        "weight": Tensor(np.ascontiguousarray(image.weight), layout_weight),
    }
    if image.bias is not None:
        tensors["bias"] = Tensor(np.ascontiguousarray(image.bias))
    return Call(Operation.FORWARD, image.arguments, tensors, case.dtype)
