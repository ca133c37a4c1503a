"""Special values: NaN and ±Inf stand where IEEE 754 arithmetic puts them, and nowhere else.

Which class an element has follows from counting: a NaN term or infinities of both signs give NaN, an
infinite term gives its sign. The counts are convolutions of 0/1 masks, so no non-finite arithmetic is
needed to form them. A zero of the padding times a non-finite weight is left open: implementations that
multiply it (0·Inf = NaN) and those that skip it are both legal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.diagnosis.location import locate
from convcheck.oracles.compare import compare_bounded
from convcheck.oracles.exercised import exercised
from convcheck.oracles.expected import Expected
from convcheck.oracles.trial import REALS, Trial
from convcheck.tensors.values import Values
from convcheck.verdicts import Evidence, Status, Verdict
from convcheck_reference.convolution import apply, im2col

NAME = "special"

Array = NDArray[Any]
_FINITE, _NAN, _PLUS, _MINUS = 0, 1, 2, 3
_WORDS = ("a finite number", "NaN", "+Inf", "-Inf")


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
    got = trial.returned(REALS, "output")
    if got is None or got.size == 0:
        return
    expected, open_ = classify(trial)
    found = _classes(got)
    value, bound = _finite_part(trial)
    # where a sum may overflow, an infinity is legal
    judged = ~open_ & ((expected != _FINITE) | np.isfinite(bound))
    wrong = judged & (found != expected)
    if wrong.any():
        yield _failure(clauses, got, expected, found, wrong, judged)
        return
    finite = judged & (expected == _FINITE)
    compared = compare_bounded(got, value, np.where(finite, bound, np.inf))
    if compared.status is not Status.PASS:
        reason = "elements that no special value reaches are wrong"
        clauses = ("C2D-PURE-2", *clauses) if compared.status is Status.UNWRITTEN else clauses
        yield Verdict(NAME, "output", compared.status, clauses, reason, compared.margin, compared.evidence)
    elif not judged.any():
        yield Verdict(NAME, "output", Status.VACUOUS, clauses, "every element is left open by the standard")
    else:
        yield Verdict(NAME, "output", Status.PASS, clauses, margin=compared.margin)


def expected_by_position(trial: Trial) -> tuple[Array, Array]:
    """The output with its NaN and ±Inf, and each element's tolerance: infinite where it is not judged."""
    classes, open_ = classify(trial)
    value, bound = _finite_part(trial)
    finite = classes == _FINITE
    marked = np.select([classes == _NAN, classes == _PLUS, classes == _MINUS], [np.nan, np.inf, -np.inf], value)
    return marked, np.where(open_, np.inf, np.where(finite, bound, 0.0))


def classify(trial: Trial) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """The class of every output element, and where it is left open."""
    case, values = trial.case, trial.reals
    x, weight = (a.astype(np.float64) for a in (values.x, values.weight))
    params = case.params

    def count(x_mask: Array, weight_mask: Array) -> Array:
        columns = im2col(x_mask.astype(np.float64), params)
        return apply(weight_mask.astype(np.float64), columns, params).reshape(case.output_shape)

    plus_x, minus_x, plus_w, minus_w = x == np.inf, x == -np.inf, weight == np.inf, weight == -np.inf
    nan = count(np.isnan(x), np.ones_like(weight)) + count(np.ones_like(x), np.isnan(weight))
    nan += count(np.isinf(x), weight == 0) + count(x == 0, np.isinf(weight))
    plus = count(plus_x, weight > 0) + count(minus_x, weight < 0)
    plus += count(x > 0, plus_w) + count(x < 0, minus_w)
    minus = count(plus_x, weight < 0) + count(minus_x, weight > 0)
    minus += count(x > 0, minus_w) + count(x < 0, plus_w)
    classes = np.select([(nan > 0) | ((plus > 0) & (minus > 0)), plus > 0, minus > 0], [_NAN, _PLUS, _MINUS], _FINITE)
    return classes, _padding_meets_nonfinite(trial)


def _finite_part(trial: Trial) -> tuple[Array, Array]:
    """Value and bound of the output with zeros for the special values."""
    drawn, case = trial.reals, trial.case
    clean = Values(_finite(drawn.x), _finite(drawn.weight), drawn.bias, drawn.grad_output)
    reference = Expected(case, clean)
    bound = reference.bound("output", trial.capabilities.profile(case.dtype, "output"))
    value = reference.sum("output").value
    return value, np.full(value.shape, np.inf) if bound is None else bound


def _padding_meets_nonfinite(trial: Trial) -> NDArray[np.bool_]:
    """Where a zero of the padding meets a non-finite weight."""
    case = trial.case
    weight = (~np.isfinite(trial.reals.weight.astype(np.float64))).astype(np.float64)
    padding = 1.0 - im2col(np.ones(case.input_shape), case.params)
    met: NDArray[np.bool_] = apply(weight, padding, case.params).reshape(case.output_shape) > 0
    return met


def _classes(array: Array) -> NDArray[np.int_]:
    wide = array.astype(np.float64)
    return np.select([np.isnan(wide), wide == np.inf, wide == -np.inf], [_NAN, _PLUS, _MINUS], _FINITE)


def _finite(array: Array) -> Array:
    return np.where(np.isfinite(array.astype(np.float64)), array, np.zeros((), array.dtype))


def _failure(
    clauses: tuple[str, ...],
    got: Array,
    expected: NDArray[np.int_],
    found: NDArray[np.int_],
    wrong: NDArray[np.bool_],
    judged: NDArray[np.bool_],
) -> Verdict:
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    about_nan = _NAN in (expected[at], found[at])
    first = "C2D-SPECIAL-1" if about_nan else "C2D-SPECIAL-2"
    evidence = Evidence(
        at,
        expected=_WORDS[expected[at]],
        got=f"{float(got[at]):.9g}",
        wrong=int(wrong.sum()),
        total=int(judged.sum()),
        location=locate(wrong, judged),
    )
    ordered = (first, *(c for c in clauses if c != first))
    reason = f"expected {_WORDS[expected[at]]}, got {_WORDS[found[at]]}"
    return Verdict(NAME, "output", Status.FAIL, ordered, reason, evidence=evidence)
