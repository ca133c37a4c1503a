"""Special values: NaN and ±Inf stand where IEEE 754 arithmetic puts them, and nowhere else.

A zero of the padding times a non-finite weight is left open: implementations that multiply it
(0·Inf = NaN) and those that skip it are both legal. Under a profile that spreads NaN, every NaN is. Transforms may put
what is not finite anywhere, but what reads it is not finite either: a sum with it never is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.levels import Level
from convcheck.model.profiles import Profile, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.numerics import nonfinite
from convcheck.numerics.gauges import spreads
from convcheck.numerics.nonfinite import FINITE, NAN, WORDS, Classes
from convcheck.oracles.oracle import AtScale, Expectation, Oracle, Priority
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.error_level import flushing, level_of_error
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.localization import locate
from convcheck.oracles.support.products import counts, meets_padding
from convcheck.oracles.support.trial import REALS, Trial, plain_key
from convcheck.tensors.values import Values

NAME = "special"

Array = NDArray[Any]


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output of the special regime by position (clauses C2D-SPECIAL-1 and -2)."""
    case = trial.case
    if case.regime != "special" or case.violation is not None or case.entry == "module":
        return
    clauses = ("C2D-SPECIAL-1", "C2D-SPECIAL-2", *exercised(case))
    if case.dtype.startswith("complex"):
        reason = "complex products of non-finite values are not specified"
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, clauses, reason)
        return
    profile = trial.capabilities.promised(case, "output")
    spread = spreads(profile, "output", case.params)
    got = trial.returned(REALS, "output")
    if got is None or got.size == 0:
        return
    expected, open_ = classify(trial)
    if spread:
        lost = misplaced(NAME, "output", clauses, got, expected, survives(got, expected, open_))
        yield lost or Verdict(NAME, "output", Status.NOT_APPLICABLE, clauses, spread)
        return
    clean = _finite_part(trial)
    found, bound = clean.sum("output"), _bound(clean, profile)
    # where a sum may overflow, an infinity is legal
    judged = ~open_ & ((expected != FINITE) | np.isfinite(bound))
    failure = misplaced(NAME, "output", clauses, got, expected, judged)
    if failure is not None:
        yield failure
        return
    finite = judged & (expected == FINITE)
    bound = np.where(finite, bound, np.inf)
    compared = compare_bounded(got, found.value, bound)
    if compared.status is not Status.PASS:
        reason = "elements that no special value reaches are wrong"
        clauses = ("C2D-PURE-2", *clauses) if compared.status is Status.UNWRITTEN else clauses
        # what lacks digits here lacks them without special values, too
        level = level_of_error(got, found, bound, _bound(clean, flushing(profile)), case.regime)
        yield Verdict(NAME, "output", compared.status, clauses, reason, compared.margin, compared.evidence, level)
    elif not judged.any():
        yield Verdict(NAME, "output", Status.VACUOUS, clauses, "every element is left open by the standard")
    else:
        yield Verdict(NAME, "output", Status.PASS, clauses, margin=compared.margin)


def expectation(trial: Trial, _quantity: Quantity = "output") -> Expectation:
    """The output with its NaN and ±Inf, and each element's tolerance; of complex ones nothing is judged."""
    key = plain_key(REALS, "output")
    if trial.case.dtype.startswith("complex"):
        shape = trial.case.output_shape
        return Expectation(key, np.zeros(shape, np.complex128), np.full(shape, np.inf))
    classes, open_ = classify(trial)
    clean, profile = _finite_part(trial), trial.capabilities.promised(trial.case, "output")
    value, bound = clean.sum("output").value, _bound(clean, profile)
    finite = classes == FINITE
    tolerance = np.where(open_, np.inf, np.where(finite, bound, 0.0))
    return Expectation(key, nonfinite.marked(value, classes), tolerance)


def classify(trial: Trial) -> tuple[Classes, NDArray[np.bool_]]:
    """The class of every output element, and where it is left open."""
    case, values = trial.case, trial.reals
    found = nonfinite.classify(values.x, values.weight, counts(case, "output"), case.output_shape)
    if values.bias is not None:
        found = nonfinite.summed(found, nonfinite.classes(values.bias)[:, None, None])
    open_ = meets_padding(case, "output", ~np.isfinite(values.weight.astype(np.float64)))
    got = trial.returned(REALS, "output")
    if got is not None and trial.capabilities.promised(case, "output").spreads_nan:
        # a product of a zero that is not there adds NaN, and nothing else
        open_ = open_ | np.isnan(got)
    return found, open_


def _finite_part(trial: Trial) -> Expected:
    """The reference with zeros for the special values."""
    drawn = trial.reals
    bias = None if drawn.bias is None else _finite(drawn.bias)
    return Expected(trial.case, Values(_finite(drawn.x), _finite(drawn.weight), bias, drawn.grad_output))


def _bound(clean: Expected, profile: Profile) -> Array:
    bound = clean.bound("output", profile)
    return np.full(clean.sum("output").value.shape, np.inf) if bound is None else bound


def _finite(array: Array) -> Array:
    return np.where(np.isfinite(array.astype(np.float64)), array, np.zeros((), array.dtype))


def survives(got: Array, expected: Classes, open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The finite elements that may not be so where a transform spreads what is not finite: it never loses it."""
    return np.asarray(~open_ & (expected != FINITE) & np.isfinite(got))


def misplaced(
    oracle: str,
    quantity: Quantity,
    clauses: tuple[str, ...],
    got: Array,
    expected: Classes,
    judged: NDArray[np.bool_],
) -> Verdict | None:
    """The failure of a result whose NaN and ±Inf do not stand where `expected` has them; None if they do."""
    found = nonfinite.classes(got)
    wrong = judged & (found != expected)
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    about_nan = NAN in (expected[at], found[at])
    first = "C2D-SPECIAL-1" if about_nan else "C2D-SPECIAL-2"
    evidence = Evidence(
        at,
        expected=WORDS[expected[at]],
        got=f"{float(got[at]):.9g}",
        wrong=int(wrong.sum()),
        total=int(judged.sum()),
        location=locate(wrong, judged),
    )
    ordered = (first, *(c for c in clauses if c != first))
    reason = f"expected {WORDS[expected[at]]}, got {WORDS[found[at]]}"
    return Verdict(oracle, quantity, Status.FAIL, ordered, reason, evidence=evidence)


ORACLE: Final = Oracle(
    NAME,
    judge,
    level=Level.IEEE,
    priority=Priority.SPECIAL_VALUES,
    draws=12,  # special values are few, and not everywhere
    expectation=expectation,
    at_scale=AtScale.SLICES,
)
