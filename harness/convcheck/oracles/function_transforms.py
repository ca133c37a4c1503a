"""Transforms of a function that a backend declares: on exact integers, but for the meta device, which has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Mode, Operation, Returned, Tensor
from convcheck.model.profiles import Profile
from convcheck.model.transforms import Transform
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.double_backward import SecondOrderExpected, second_order
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.compare import Comparison, compare_exact
from convcheck.oracles.support.own_call import Asked, integer_call, judge_own, worst
from convcheck.oracles.support.trial import INTEGERS, Trial
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.values import Values

NAME = "function-transforms"
_HALF: Final = "bfloat16"
"""What autocast casts to here: the one dtype that it has on every device."""


def calls(trial: Trial) -> Mapping[str, Call]:
    """The forward call of the case on integers through each transform that is declared."""
    once = integer_call(trial, "output")
    if once is None or trial.case.batch == 0:
        return {}
    through = {t: replace(once, mode=t.mode) for t in trial.capabilities.transforms}
    if Transform.JVP in through:
        through[Transform.JVP] = _with_tangents(trial)
    if Transform.AUTOCAST in through and not _autocasts(trial):
        del through[Transform.AUTOCAST]
    if Transform.AUTOCAST in through:
        through[Transform.AUTOCAST] = _in_float32(trial)
    return {str(transform): call for transform, call in through.items()}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge what came through each transform (clauses C2D-TRANSFORM-1 to -5)."""
    for transform in trial.capabilities.transforms:
        yield from _JUDGES[transform](trial)


def _judge_vmap(trial: Trial) -> Iterator[Verdict]:
    """Both slices: as the case itself, and −1 times that."""
    clause, profile = Transform.VMAP.clause, trial.capabilities.promised(trial.case, "output")
    asked = Asked(NAME, clause, "a slice of the output through vmap")
    if not _exact(trial, profile):
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, (clause,), _not_exact(profile))
        return
    expected = trial.expected_integers

    def negated(got: NDArray[Any]) -> Comparison:
        return compare_exact(got, -expected.sum("output").value, expected.exact("output", profile))

    vmap = str(Transform.VMAP)
    yield from worst(
        [
            judge_own(trial, vmap, "output", asked),
            judge_own(trial, vmap, "output", asked, negated, "negated"),
        ]
    )


def _judge_jvp(trial: Trial) -> Iterator[Verdict]:
    """The tangent, which is what a double backward calls grad_grad_output; the output beside it shows elsewhere."""
    clause, profile = Transform.JVP.clause, trial.capabilities.promised(trial.case, "output")
    if not _exact(trial, profile):
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, (clause,), _not_exact(profile))
        return
    asked = Asked(NAME, clause, "the tangent of the output")
    verdict = judge_own(trial, str(Transform.JVP), "output", asked, partial(_tangent, trial, profile), "tangent")
    if verdict is not None:
        yield verdict


def _tangent(trial: Trial, profile: Profile, got: NDArray[Any]) -> Comparison:
    expected = SecondOrderExpected.of(trial.case, trial.once(second_order, INTEGERS))
    return compare_exact(got, expected.sum("output").value, expected.exact("output", profile, trial.case.dtype))


def _judge_meta(trial: Trial) -> Iterator[Verdict]:
    """Shape and dtype."""
    outcome, clause = trial.outcome(NAME, str(Transform.META)), Transform.META.clause
    if not isinstance(outcome, Returned):
        return
    wrong = fault(outcome, "output", trial.shape("output"), trial.case.dtype)
    if wrong:
        yield misshapen(NAME, "output", (clause,), "the output on the meta device", wrong, trial.shape("output"))
    else:
        yield Verdict(NAME, "output", Status.PASS, (clause,))


def _judge_autocast(trial: Trial) -> Iterator[Verdict]:
    """As the same layer in bfloat16, whose integers float32 has as well: whether operands are rounded shows nowhere."""
    if not _autocasts(trial):
        return
    half, clause = _in_half(trial), Transform.AUTOCAST.clause
    profile = half.capabilities.promised(half.case, "output")
    if not _exact(half, profile):
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, (clause,), _not_exact(profile))
        return
    asked = Asked(NAME, clause, f"the output within autocast to {_HALF}, which has to be of that,")
    verdict = judge_own(half, str(Transform.AUTOCAST), "output", asked)
    if verdict is not None:
        yield verdict


def _judge_out(trial: Trial) -> Iterator[Verdict]:
    """A dense tensor and one with gaps that were given; the gaps held NaN, and have to."""
    clause, profile = Transform.OUT.clause, trial.capabilities.promised(trial.case, "output")
    if not _exact(trial, profile):
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, (clause,), _not_exact(profile))
        return
    name, outcome = str(Transform.OUT), trial.outcome(NAME, str(Transform.OUT))
    between = outcome.arrays.get("between") if isinstance(outcome, Returned) else None
    if between is not None and not np.isnan(between).all():
        reason = "given out= with gaps, it writes into them"
        yield Verdict(NAME, "output", Status.FAIL, (clause,), reason)
        return
    dense = Asked(NAME, clause, "what was given as out=")
    spaced = Asked(NAME, clause, "what was given as out=, with gaps,")
    yield from worst(
        [
            judge_own(trial, name, "output", dense),
            judge_own(trial, name, "output", spaced, result="spaced"),
        ]
    )


def _autocasts(trial: Trial) -> bool:
    """Whether autocast does something to the case: float64 is left alone, and narrower dtypes are cast already."""
    return trial.case.dtype == "float32"


def _in_half(trial: Trial) -> Trial:
    """The trial in the dtype of autocast."""
    return Trial(replace(trial.case, dtype=_HALF), trial.capabilities, trial.outcomes)


def _in_float32(trial: Trial) -> Call:
    values = _in_half(trial).integers
    x, weight, grad = (a.astype(np.float32) for a in (values.x, values.weight, values.grad_output))
    bias = None if values.bias is None else values.bias.astype(np.float32)
    return replace(trial.call(Operation.FORWARD, Values(x, weight, bias, grad)), mode=Mode.AUTOCAST)


def _with_tangents(trial: Trial) -> Call:
    values = trial.once(second_order, INTEGERS)
    call = trial.call(Operation.FORWARD, values.layer)
    tangents = {"x": values.grad_grad_input, "weight": values.grad_grad_weight, "bias": values.grad_grad_bias}
    given = {f"tangent_{n}": Tensor(t, call.tensors[n].layout) for n, t in tangents.items() if t is not None}
    return replace(call, tensors={**call.tensors, **given}, mode=Mode.JVP)


def _exact(trial: Trial, profile: Profile) -> bool:
    return profile.exact_integers and trial.expected_integers.is_direct("output", profile)


def _not_exact(profile: Profile) -> str:
    return f"integers are not exact under profile {profile.name}"


_JUDGES: Final = {
    Transform.VMAP: _judge_vmap,
    Transform.JVP: _judge_jvp,
    Transform.META: _judge_meta,
    Transform.AUTOCAST: _judge_autocast,
    Transform.OUT: _judge_out,
}

ORACLE: Final = Oracle(NAME, judge, calls, every=8, priority=Priority.OWN_CALLS)
