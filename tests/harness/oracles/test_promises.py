"""What each property of a profile makes of the oracles: who keeps the promise passes, and no defect hides behind it."""

import numpy as np
import pytest

from altered import CASE, Altered, failing, verdicts
from convcheck import Capabilities, Gradients, Profile, Status
from convcheck.evaluation.cudnn_like import CudnnLike
from convcheck.evaluation.variants import variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.model.profiles import Algorithm
from convcheck.model.token import read
from convcheck.numerics.bounds import error_bound
from convcheck.oracles import Trial
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.compare import compare_between
from convcheck_backends import NumpyBackend
from convcheck_reference.formats import FLOAT16

TWICE, ONCE = Profile(rounds_before_bias=True), Profile()
HALF = f"{CASE},dtype=float16"
SEEDS = [f"{HALF},seed={seed}" for seed in range(4)]


def promising(backend, *dtypes, **properties):
    backend.capabilities = Capabilities(
        dtypes=dtypes or ("float32",),
        gradients=True,
        profiles=dict.fromkeys(dtypes or ("float32",), Profile(**properties)),
    )
    return backend


class RoundsTwice(NumpyBackend):
    """The sum is rounded before the bias is added, by a function of one's own, and the result is rounded again."""

    def __init__(self, rounded=lambda a: a, bias_of=lambda b: b):
        self.rounded, self.bias_of = rounded, bias_of

    def conv2d(self, x, weight, bias, params):
        before = self.rounded(super().conv2d(x, weight, None, params))
        return before if bias is None else before + self.bias_of(bias)[:, None, None]


def test_both_ways_to_round_differ_on_these_cases():
    for token in SEEDS:
        trial = Trial(read(token), Capabilities(dtypes=("float16",)))
        found = [trial.expected_integers.integers("output", p).astype(np.float16) for p in (ONCE, TWICE)]
        assert (found[0] != found[1]).any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("seed", range(3))
def test_two_roundings_pass_where_they_are_promised_and_fail_where_they_are_not(dtype, seed):
    token = f"{CASE},dtype={dtype},seed={seed}"
    assert not failing(promising(RoundsTwice(), dtype, rounds_before_bias=True), token)
    assert ("exact", "output", Status.FAIL) in failing(promising(RoundsTwice(), dtype), token)


def test_who_may_round_twice_may_round_once():
    assert not failing(promising(NumpyBackend(), "float16", rounds_before_bias=True), SEEDS[0])


@pytest.mark.parametrize(
    "wrong",
    [
        RoundsTwice(rounded=lambda a: np.nextafter(a, np.float16(0))),
        RoundsTwice(bias_of=np.zeros_like),
        RoundsTwice(bias_of=lambda b: b + b.dtype.type(1)),
        RoundsTwice(bias_of=lambda b: np.roll(b, 1)),
    ],
    ids=["truncated", "no bias", "bias off by one", "bias of another channel"],
)
def test_a_defect_fails_where_two_roundings_are_promised(wrong):
    backend = promising(wrong, "float16", rounds_before_bias=True)
    assert ("exact", "output", Status.FAIL) in failing(backend, SEEDS[0])


def test_where_the_bias_cancels_the_sum_the_bound_is_that_of_the_first_rounding():
    value, before = np.array([0.0]), np.array([1.0 + 2.0**-11])
    bound = error_bound(ONCE, FLOAT16, 1, 2 * before, value, operands=(1.0, 1.0), before_bias=before)[0]
    assert 2.0**-11 < bound < 1.01 * 2.0**-11


@pytest.mark.parametrize("regime", ["reals", "wide", "positive", "cancelling", "subnormal", "large", "overflow"])
def test_reals_are_within_the_bound_of_two_roundings(regime):
    for seed in range(6):
        token = f"{CASE},dtype=float16,values={regime},seed={seed}"
        assert not failing(promising(RoundsTwice(), "float16", rounds_before_bias=True), token, only=("bounded",))


def test_cudnn_raises_no_alarm_under_the_promises_of_its_paths():
    host = InProcessCandidate(variant("cudnn-like").backend)
    for seed in (1, 2):
        assert not judge_block(host, generate(host.capabilities, run_seed=seed, block=0, size=60), 0).failures


@pytest.mark.parametrize(
    ("token", "rounded"),
    [
        (f"{HALF}", TWICE),
        ("v1,x=2x4x7x6,out=4,k=3,g=4,dtype=float16", ONCE),
        ("v1,x=2x4x7x6,out=4,k=3,g=4,dtype=float16,layout=channels_last", TWICE),
    ],
)
def test_cudnn_rounds_as_was_measured(token, rounded):
    host = InProcessCandidate(CudnnLike)
    trial = Trial(read(token), host.capabilities)
    trial = trial.with_outcomes(dict(zip(trial.calls, host.call_all(tuple(trial.calls.values())), strict=True)))
    got = trial.returned("integers", "output")
    found = {p: compare_integers(got, trial.expected_integers, "output", p).status for p in (ONCE, TWICE)}
    assert found[rounded] is Status.PASS


class ScalesOperands(NumpyBackend):
    """Rounds both operands once more, so that integers come out nearly exact."""

    def conv2d(self, x, weight, bias, params):
        by = np.float32(1.1)
        out = super().conv2d(x.astype(np.float32) * by, weight.astype(np.float32) / by, None, params)
        return (out if bias is None else out + bias.astype(np.float32)[:, None, None]).astype(x.dtype)


class DropsOneProduct(ScalesOperands):
    def conv2d(self, x, weight, bias, params):
        kept = weight.copy()
        kept[-1, -1, -1, -1] = 0
        return super().conv2d(x, kept, bias, params)


INEXACT = "v1,x=2x8x7x6,out=6,k=3x2,s=1,p=1x0,g=2"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_integers_that_need_not_be_exact(dtype):
    tokens = [f"{INEXACT},dtype={dtype},seed={seed}" for seed in range(6)]
    for token in tokens:
        assert not failing(promising(ScalesOperands(), dtype, exact=False), token, only=("exact", "bounded"))
        wrong = failing(promising(DropsOneProduct(), dtype, exact=False), token, only=("exact",))
        assert ("exact", "output", Status.FAIL) in wrong
    if dtype == "float32":
        assert any(failing(promising(ScalesOperands(), dtype), token, only=("exact",)) for token in tokens)


def test_nan_is_between_no_numbers():
    got = np.array([np.nan, 1.0, 2.0], np.float16)
    found = compare_between(got, np.zeros(3), np.full(3, 1.5), np.array([True, True, False]))
    assert found.status is Status.FAIL
    assert found.evidence.index == (0,)


class MultipliesZeros(NumpyBackend):
    """Fills channels up with zeros of the other groups: what is not finite in any channel shows as NaN in all of them."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias, params) + (x * np.float32(0)).sum(axis=(-3, -2, -1), keepdims=True)

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        found = super().conv2d_backward(grad_output, x, weight, bias, params)
        zero = (grad_output * np.float32(0)).sum()
        return Gradients(found.input + zero, found.weight + zero, None if bias is None else found.bias + zero)


def caught(make, case=CASE, **properties):
    tokens = (f"{case}{values},seed={seed}" for values in (",values=special", "") for seed in range(6))
    return {f[:2] for token in tokens for f in failing(promising(make(), **properties), token, ("special", "taint"))}


def test_nan_from_zeros_passes_where_it_is_promised_and_fails_where_it_is_not():
    assert {o for o, _ in caught(MultipliesZeros)} == {"special", "taint"}
    assert not caught(MultipliesZeros, spreads_nan=True)


@pytest.mark.parametrize(
    "change",
    [
        np.nan_to_num,
        lambda a: np.where(np.isinf(a), -a, a),
        lambda a: np.where(np.isinf(a), np.float32(3e38), a),
        lambda a: np.where(np.isnan(a), np.float32(np.inf), a),
        lambda a: np.where(np.isfinite(a), a + np.float32(1), a),
    ],
    ids=["NaN lost", "sign", "clamped", "NaN made infinite", "finite part wrong"],
)
def test_a_defect_in_what_is_not_finite_fails_where_nan_from_zeros_is_promised(change):
    assert caught(lambda: Altered(change), spreads_nan=True)


def spread(a):
    return a if np.isfinite(a).all() else np.full_like(a, np.nan)


@pytest.mark.parametrize("algorithm", [Algorithm.FFT, Algorithm.WINOGRAD_F4])
def test_transforms_may_spread_what_is_not_finite_and_never_lose_it(algorithm):
    square = "v1,x=1x2x6x5,out=3,k=3,p=1"
    assert not caught(lambda: Altered(spread), square, algorithm=algorithm)
    assert {o for o, _ in caught(lambda: Altered(np.nan_to_num), square, algorithm=algorithm)} == {"special", "taint"}


def test_finite_data_give_no_nan_whatever_is_promised():
    backend = promising(Altered(lambda a: np.where(a == a.max(), np.float32(np.nan), a)), spreads_nan=True)
    assert ("exact", "output", Status.FAIL) in failing(backend)


def test_not_repeatable_is_judged_in_all_but_repetition():
    backend = promising(NumpyBackend(), repeatable=False)
    assert not failing(backend)
    assert Status.NOT_APPLICABLE in {v.status for v in verdicts(backend, CASE, ("bitwise",))}
