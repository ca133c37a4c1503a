"""Emulations of every class, on layers of different lengths, and what the errors say about them."""

import itertools
from dataclasses import replace
from functools import cache

import ml_dtypes
import numpy as np
import pytest

from altered import Altered
from convcheck import Capabilities
from convcheck.evaluation.variant_backends import ProductVariant
from convcheck.evaluation.variants import pairwise, sequential, variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.precision_sampling import sample_precision
from convcheck.model.profiles import (
    BF16_ACC,
    FP16_ACC,
    FP16_IN_FP32_ACC,
    FP32_STRICT,
    FP64_STRICT,
    TF32_INPUTS,
    WINOGRAD_F4,
)
from convcheck.model.token import read
from convcheck.numerics.precision import PrecisionClass, Ratios, classify, drift
from convcheck.oracles.support.trial import Trial, plain_key
from convcheck_backends import TorchCpu

LAYERS = (
    "v1,x=2x1x14x13,out=3,k=3,p=1",
    "v1,x=2x4x9x14,out=2,k=3,p=1,g=2,bias=false",
    "v1,x=2x8x14x10,out=3,k=3,p=1",
    "v1,x=2x3x15x12,out=4,k=2,s=2",
    "v1,x=2x16x12x13,out=3,k=2x3,p=1,s=1x2",
    "v1,x=2x16x11x9,out=16,k=2,d=2",
)


def nearest(bits):
    def rounded(a):
        mantissa, exponent = np.frexp(a.astype(np.float64))
        return np.ldexp(np.rint(mantissa * 2.0**bits), exponent - bits).astype(np.float32)

    return rounded


def truncated(bits):
    def rounded(a):
        mantissa, exponent = np.frexp(a.astype(np.float64))
        return np.ldexp(np.trunc(mantissa * 2.0**bits), exponent - bits).astype(np.float32)

    return rounded


def products(product=np.matmul, dtype="float32", **options):
    return lambda: ProductVariant(product, Capabilities(dtypes=(dtype,), gradients=True), **options)


CLASSES = {
    "sequential": (products(sequential), PrecisionClass.FLOAT32),
    "pairwise": (products(pairwise), PrecisionClass.FLOAT32),
    "matrix product": (products(), PrecisionClass.FLOAT32),
    "tf32": (products(prepare=nearest(11)), PrecisionClass.TF32),
    "tf32 truncated": (products(prepare=truncated(11)), PrecisionClass.TF32_TRUNCATED),
    "bfloat16": (products(prepare=nearest(8)), PrecisionClass.BFLOAT16),
    "bfloat16 truncated": (products(prepare=truncated(8)), PrecisionClass.BFLOAT16_TRUNCATED),
    "float16 sums": (products(sequential, accumulator=np.float16), PrecisionClass.FLOAT16_SUMS),
    "bfloat16 sums": (products(sequential, accumulator=ml_dtypes.bfloat16), PrecisionClass.BFLOAT16_SUMS),
    "float64": (products(dtype="float64"), PrecisionClass.FLOAT64),
    "float64 in float32": (products(dtype="float64", accumulator=np.float32), PrecisionClass.FLOAT32),
    "float16 in float32": (products(dtype="float16"), PrecisionClass.FLOAT32),
    "float16 in float16": (products(sequential, "float16", accumulator=np.float16), PrecisionClass.FLOAT16_SUMS),
    "bfloat16 in float32": (products(dtype="bfloat16"), PrecisionClass.FLOAT32),
    "bfloat16 in bfloat16": (
        products(sequential, "bfloat16", accumulator=ml_dtypes.bfloat16),
        PrecisionClass.BFLOAT16_SUMS,
    ),
    "winograd-f2": (variant("winograd-f2").backend, PrecisionClass.WINOGRAD_F2),
    "winograd-f4": (variant("winograd-f4").backend, PrecisionClass.WINOGRAD_F4),
    "winograd-f6": (variant("winograd-f6").backend, PrecisionClass.WINOGRAD_F6),
    "fft": (variant("fft").backend, PrecisionClass.FFT),
}


def observed(build, seeds, quantity="output"):
    host = InProcessCandidate(build)
    dtype = host.capabilities.dtypes[0]
    found = []
    for layer, regime, seed in itertools.product(LAYERS, ("reals", "wide"), seeds):
        trial = Trial(read(f"{layer},dtype={dtype},values={regime},seed={seed}"), host.capabilities)
        with np.errstate(all="ignore"):
            outcomes = {
                name: host.call(call) for name, call in trial.calls.items() if name == plain_key("reals", quantity)
            }
        found += [r for r in sample_precision(trial.with_outcomes(outcomes)) if r.quantity == quantity]
    return found


@cache
def output_of(name, first):
    return observed(CLASSES[name][0], range(first, first + 3))


@pytest.mark.parametrize("first", [0, 100, 200])
@pytest.mark.parametrize("name", CLASSES)
def test_each_class_is_told_from_its_errors(name, first):
    assert classify(output_of(name, first)) is CLASSES[name][1]


@pytest.mark.parametrize("name", ["sequential", "tf32", "bfloat16 truncated", "float16 sums"])
def test_gradients_tell_their_class_too(name):
    build, expected = CLASSES[name]
    assert classify(observed(build, range(4), "grad_input")) is expected
    # sums over all windows are long, so that no short ones tell rounded sums from rounded operands
    assert classify(observed(build, range(4), "grad_weight")) in (expected, None)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_torch_computes_as_it_declares(dtype):
    class Torch(TorchCpu):
        capabilities = Capabilities(dtypes=(dtype,), gradients=True, profiles=TorchCpu.capabilities.profiles)

    found = classify(observed(Torch, range(3)))
    assert found is (PrecisionClass.FLOAT64 if dtype == "float64" else PrecisionClass.FLOAT32)
    assert drift(Torch.capabilities.profile(dtype, "output"), found) == ""


def test_the_median_of_rounded_operands_is_the_predicted_one():
    for name, bits, factor in (("tf32", 11, 0.405), ("bfloat16", 8, 0.405), ("tf32 truncated", 11, 1.054)):
        values = [t for r in output_of(name, 0) if r.regime == "reals" for t in r.values]
        assert np.median(values) == pytest.approx(factor * 2.0 ** (24 - bits), rel=0.2)


def test_little_data_tell_nothing():
    few = output_of("tf32", 0)[:3]
    assert classify([]) is None
    assert classify(few) is None
    assert classify([Ratios("float32", "output", 9, "wide", False, (1.0,) * 64)] * 20) is None


def test_coarser_than_declared_is_drift():
    cls = PrecisionClass
    assert drift(FP32_STRICT, cls.TF32) == "declared fp32-strict, behaves like tf32 or float16 operands"
    assert drift(FP16_IN_FP32_ACC, cls.FLOAT16_SUMS) == "declared fp16-in-fp32-acc, behaves like float16 sums"
    assert drift(FP64_STRICT, cls.FLOAT32)
    assert drift(FP32_STRICT, cls.WINOGRAD_F2)
    assert drift(TF32_INPUTS, cls.BFLOAT16)
    assert drift(FP16_ACC, cls.BFLOAT16_SUMS)


def test_what_is_as_good_as_declared_or_better_is_none():
    cls = PrecisionClass
    for profile, found in (
        (FP32_STRICT, cls.FLOAT32),
        (FP32_STRICT, cls.FLOAT64),
        (FP32_STRICT, None),
        (TF32_INPUTS, cls.TF32_TRUNCATED),
        (TF32_INPUTS, cls.FLOAT32),
        (WINOGRAD_F4, cls.WINOGRAD_F6),
        (FP16_ACC, cls.FLOAT16_SUMS),
        (BF16_ACC, cls.BFLOAT16_SUMS),
        (FP64_STRICT, cls.FLOAT64),
    ):
        assert drift(profile, found) == ""


def test_sparse_and_repeated_data_are_left_out():
    host = InProcessCandidate(products())
    for token in (f"{LAYERS[0]},nonzeros=2", f"{LAYERS[0]},layout=expanded", f"{LAYERS[0]},values=positive"):
        trial = Trial(read(token), host.capabilities)
        assert not list(sample_precision(trial.with_outcomes({n: host.call(c) for n, c in trial.calls.items()})))


def test_errors_beyond_every_bound_are_of_no_class():
    """Whatever else is said of them, they are no rounding errors."""
    told = output_of("tf32", 0)
    assert classify([*told[:-1], replace(told[-1], beyond=True)]) is None


def test_an_error_of_many_bounds_is_beyond_and_a_rounding_error_is_not():
    def sampled(change):
        candidate = InProcessCandidate(lambda: Altered(change))
        trial = Trial(read("v1,x=2x4x7x6,out=6,k=3"), candidate.capabilities)
        return [
            r.beyond for r in sample_precision(trial.with_outcomes(answers(candidate, trial))) if r.quantity == "output"
        ]

    assert sampled(lambda a: a * np.float32(1e20)) == [True]
    assert sampled(lambda a: a + np.float32(1e9)) == [True]
    assert sampled(lambda a: a * np.float32(1.001)) == [False]


def answers(candidate, trial):
    return dict(zip(trial.calls, candidate.call_all(tuple(trial.calls.values())), strict=True))
