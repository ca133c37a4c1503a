"""Which level each failure is of: wrong kernels, each failing at one level, and legal ones at none."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from convcheck import Capabilities, Level, Status, Verdict
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import first_causes, judge_case
from convcheck.model.token import read
from convcheck.oracles import ORACLES, applicable, find
from convcheck.oracles.levels import level_of, level_of_cause, levels_shown
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_backends import NumpyBackend

CASE = read("v1,x=2x3x6x6,out=4,k=3x2,p=1,seed=3")
ILLEGAL = read("v1,x=2x3x6x6,out=4,k=3,s=0")
WHOLE = ("adjoint", "call-tracing", "contract", "double-backward", "exact", "finite-differences", "gradients-exact")
OF_STATE = (
    "bitwise",
    "cache-keys",
    "fork",
    "gradients-accumulated",
    "gradients-interleaved",
    "gradients-retained",
    "module-updates",
    "soak",
    "state",
    "streams",
)
OF_IEEE = ("special", "taint", "overflow")
OF_PRECISION = ("bounded", "gradients-bounded", "aggregated")


def levels(make, case=CASE, names=None) -> Iterator[tuple[str, str]]:
    """(level, oracle) of every failing verdict on a case."""
    oracles = applicable(case) if names is None else [find(name) for name in names]
    verdicts, *_ = judge_case(InProcessCandidate(make), case, oracles)
    assert verdicts
    return {(level_of(case, v), v.oracle) for v in first_causes(verdicts)}


def of(case, **changes):
    return replace(case, **changes)


def altering(alter, **declared):
    """A backend whose output is altered by a function of output and x."""

    class Altering(NumpyBackend):
        capabilities = Capabilities(dtypes=("float32", "float16"), gradients=False, **declared)

        def conv2d(self, x, weight, bias, params):
            return np.asarray(alter(super().conv2d(x, weight, bias, params), x), x.dtype)

    return Altering


def raising(condition):
    def alter(output, x):
        if condition(x):
            raise ValueError("no such values, please")
        return output

    return altering(alter)


def flush(output, x):
    tiny = np.finfo(x.dtype).tiny
    return np.where(np.abs(output) < tiny, 0, output)


def test_every_oracle_has_its_level():
    found = {oracle.name: oracle.level for oracle in ORACLES}
    assert {name for name, level in found.items() if level is Level.STATE} == set(OF_STATE)
    assert {name for name, level in found.items() if level is Level.IEEE} == set(OF_IEEE)
    assert {name for name, level in found.items() if level is Level.PRECISION} == set(OF_PRECISION)
    assert {found[name] for name in WHOLE} == {Level.COMPUTES}


def test_a_right_kernel_fails_at_no_level():
    for regime in ("reals", "special", "subnormal", "overflow", "wide"):
        assert not levels(NumpyBackend, of(CASE, regime=regime))


@pytest.mark.parametrize("regime", ["reals", "special", "subnormal", "overflow"])
def test_a_wrong_integer_is_of_computing_whatever_the_reals(regime):
    def last_column_lost(output, x):
        output[..., -1] = 0
        return output

    assert {level for level, _ in levels(altering(last_column_lost), of(CASE, regime=regime))} == {Level.COMPUTES}


def test_a_wrong_shape_is_of_computing():
    assert levels(altering(lambda output, _: output[..., :-1])) == {(Level.COMPUTES, "contract")}


def test_lost_digits_are_of_precision():
    half = altering(lambda output, _: output.astype(np.float16).astype(output.dtype))
    small = of(CASE, nonzeros=2)  # whose integers float16 holds
    assert levels(half, small, ["bounded"]) == {(Level.PRECISION, "bounded")}


@pytest.mark.parametrize(
    "alter",
    [
        lambda output, _: np.where(output == np.round(output), output, 0),
        lambda output, _: np.where(output == np.round(output), output, np.nan),
        lambda output, _: np.where(output == np.round(output), output, -output),
    ],
    ids=["zero", "nan", "sign"],
)
def test_a_real_result_that_has_no_right_digit_is_of_computing(alter):
    assert levels(altering(alter), names=["exact", "bounded"]) == {(Level.COMPUTES, "bounded")}


def test_lost_digits_near_overflow_are_of_precision_and_an_infinity_of_ieee():
    case = of(CASE, regime="overflow")
    coarse = altering(lambda output, _: (output.view(np.int32) & ~0x1FFF).view(np.float32))
    assert levels(coarse, case, ["bounded"]) == {(Level.PRECISION, "bounded")}
    infinite = altering(lambda output, _: np.where(np.abs(output) > 1e30, np.inf, output))
    assert levels(infinite, case, ["exact", "bounded"]) == {(Level.IEEE, "bounded")}


@pytest.mark.parametrize(("dtype", "regime"), [("float32", "subnormal"), ("float16", "wide")])
def test_flushed_subnormals_are_of_ieee_in_any_regime(dtype, regime):
    single = of(read("v1,x=8x1x8x8,out=1,k=1,bias=false"), dtype=dtype, regime=regime)
    assert levels(altering(flush), single, ["exact", "bounded"]) == {(Level.IEEE, "bounded")}


def test_a_lost_nan_is_of_ieee():
    finite = altering(lambda output, _: np.nan_to_num(output))
    assert levels(finite, of(CASE, regime="special"), ["exact", "special"]) == {(Level.IEEE, "special")}
    assert {level for level, _ in levels(finite, names=["exact", "taint"])} == {Level.IEEE}


def test_lost_digits_beside_nan_are_of_precision():
    coarse = altering(lambda output, _: (output.view(np.int32) & ~0x1FFF).view(np.float32))
    assert levels(coarse, of(CASE, regime="special"), ["special"]) == {(Level.PRECISION, "special")}


def test_a_tap_that_loses_subnormals_is_of_ieee_one_that_loses_digits_of_precision_and_a_wrong_one_of_computing():
    coarse = altering(lambda output, _: (output.view(np.int32) & ~0x1FFF).view(np.float32))
    assert levels(coarse, CASE, ["one-hot"]) == {(Level.PRECISION, "one-hot")}
    assert levels(altering(flush), CASE, ["one-hot"]) == {(Level.IEEE, "one-hot")}
    moved = altering(lambda output, _: np.roll(output, 1, axis=-1))
    assert levels(moved, CASE, ["one-hot"]) == {(Level.COMPUTES, "one-hot")}


def test_a_layer_that_is_refused_for_its_special_values_is_of_ieee():
    special = of(CASE, regime="special")
    assert levels(raising(lambda x: not np.isfinite(x).all()), special, ["parity"]) == {(Level.IEEE, "parity")}
    assert levels(raising(lambda x: True), special, ["parity"]) == {(Level.COMPUTES, "parity")}
    assert levels(raising(lambda x: x.ndim == 4), CASE, ["parity"]) == {(Level.COMPUTES, "parity")}


def test_other_bits_the_second_time_are_of_state():
    class Wavering(NumpyBackend):
        capabilities = Capabilities(dtypes=("float32",), gradients=False)

        def __init__(self):
            super().__init__()
            self._calls = 0

        def conv2d(self, x, weight, bias, params):
            self._calls += 1
            output = super().conv2d(x, weight, bias, params)
            return output if (x == np.round(x)).all() else np.nextafter(output, np.float32(self._calls % 2 * 1e9))

    assert levels(Wavering, names=["exact", "bounded", "bitwise"]) == {(Level.STATE, "bitwise")}


def test_what_is_let_through_is_of_refusing():
    assert levels(partial(FunctionBackend, lenient, "lenient"), ILLEGAL) == {(Level.REFUSES, "parity")}
    assert not levels(NumpyBackend, ILLEGAL)


def lenient(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros((1, 1, 1, 1), np.float32)


def verdict(oracle="exact", status=Status.FAIL, quantity="output", **others):
    return Verdict(oracle, quantity, status, ("C2D-ARITH-1",), **others)


@pytest.mark.parametrize("status", [Status.CRASHED, Status.HUNG, Status.UNWRITTEN])
@pytest.mark.parametrize(
    ("oracle", "level"),
    [("parity", Level.COMPUTES), ("special", Level.COMPUTES), ("bounded", Level.COMPUTES), ("taint", Level.COMPUTES),
     ("state", Level.STATE), ("soak", Level.STATE), ("bitwise", Level.STATE)],
)  # fmt: skip
def test_a_crash_is_of_computing_with_any_values_and_of_state_where_state_is_looked_for(status, oracle, level):
    assert level_of(CASE, verdict(oracle, status, "call")) is level
    assert level_of(of(CASE, regime="special"), verdict(oracle, status, "call")) is level


@pytest.mark.parametrize("status", [Status.CRASHED, Status.HUNG, Status.WRONGLY_ACCEPTED])
def test_whatever_comes_of_illegal_arguments_is_of_refusing(status):
    found = verdict("parity", status, "call")
    assert level_of(ILLEGAL, found) is Level.REFUSES
    assert level_of_cause(ILLEGAL, found, after_others=True, now_and_then=True) is Level.REFUSES


@pytest.mark.parametrize(
    ("found", "after_others", "now_and_then", "level"),
    [
        (verdict(), False, False, Level.COMPUTES),
        (verdict(), True, False, Level.STATE),
        (verdict(), False, True, Level.STATE),
        (verdict("special"), True, False, Level.STATE),
        (verdict("parity", Status.CRASHED, "call"), True, False, Level.STATE),
        (verdict("parity", Status.CRASHED, "call"), False, True, Level.COMPUTES),
        (verdict("bounded", Status.UNWRITTEN), False, True, Level.COMPUTES),
        (verdict("memory", Status.FAIL, "inputs"), False, False, Level.COMPUTES),
    ],
)
def test_what_takes_other_calls_to_fail_is_of_state(found, after_others, now_and_then, level):
    assert level_of_cause(CASE, found, after_others=after_others, now_and_then=now_and_then) is level


@pytest.mark.parametrize(
    ("passed", "case", "levels"),
    [
        (verdict("exact"), CASE, (Level.COMPUTES,)),
        (verdict("bounded"), CASE, (Level.COMPUTES, Level.PRECISION)),
        (verdict("bounded", level=Level.IEEE), CASE, (Level.IEEE,)),
        (verdict("module", quantity="module"), CASE, (Level.COMPUTES,)),
        (verdict("double-backward", level=Level.PRECISION), CASE, (Level.PRECISION,)),
        (verdict("contract"), CASE, ()),
        (verdict("parity", quantity="call"), CASE, ()),
        (verdict("adjoint"), CASE, ()),
        (verdict("parity", quantity="call"), ILLEGAL, (Level.REFUSES,)),
        (verdict("soak"), CASE, (Level.STATE,)),
    ],
)
def test_a_pass_shows_no_more_than_was_compared(passed, case, levels):
    assert levels_shown(case, replace(passed, status=Status.PASS)) == levels
