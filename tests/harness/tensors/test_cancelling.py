"""Which accumulators the integers of each dtype tell apart, on layers that nothing was fitted to."""

import numpy as np
import pytest

from convcheck.defects.accumulators import blocks, partial_sums, split
from convcheck.defects.problem import compute, problem
from convcheck.model.profiles import QUANTITIES, STRICT, TF32_INPUTS
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.expected import Expected
from convcheck.tensors.integer_sizes import sizes_of
from convcheck.tensors.values import integer_values
from convcheck_reference.formats import DTYPES

LAYERS = ("x=1x96x7x7,out=6,k=3", "x=3x20x9x8,out=24,k=3x2,p=1", "x=4x48x6x6,out=40,k=1", "x=2x32x9x9,out=32,k=3,g=2")
CUTS = (split(2), split(4), split(8), blocks(16))
PROMISES = {
    "float16": ("float16", STRICT["float16"]),
    "bfloat16": ("bfloat16", STRICT["bfloat16"]),
    "float32": ("float32", STRICT["float32"]),
    "tf32": ("float32", TF32_INPUTS),
}
SPARED = {(promise, "grad_bias", "float16") for promise in ("float16", "bfloat16", "tf32")}
SPARED.add(("bfloat16", "grad_bias", "bfloat16"))
"""A bias gradient sums no products: over few pixels it may stay small."""


def judged(dtype, profile, quantity, token, change=None):
    case = read(f"v1,{token},dtype={dtype}")
    values = integer_values(case, dict.fromkeys(QUANTITIES, profile))
    expected = Expected(case, values)
    posed = problem(values.x, values.weight, values.bias, case.params, values.grad_output)
    computed = compute if change is None else change(compute)
    with np.errstate(over="ignore"):
        got = computed(posed, quantity).reshape(expected.sum(quantity).value.shape).astype(DTYPES[dtype])
    return compare_integers(got, expected, quantity, profile)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_partial_sums_in_fewer_bits_than_promised_show(promise, quantity):
    dtype, profile = PROMISES[promise]
    for seed, layer in enumerate(LAYERS):
        token = f"{layer},seed={seed}"
        right = judged(dtype, profile, quantity, token)
        assert right.status is Status.PASS
        for kept in ("float32", "bfloat16", "float16"):
            if (promise, quantity, kept) in SPARED:
                continue
            due = Status.PASS if kept == "float32" else Status.FAIL
            for cut in CUTS:
                found = judged(dtype, profile, quantity, token, partial_sums(cut, kept, on=(quantity,)))
                assert found.status is due, (token, kept)


def test_the_layer_that_hid_half_precision_partial_sums():
    token, profile = "x=1x512x6x6,out=8,k=3", STRICT["float16"]
    assert judged("float16", profile, "output", token, partial_sums(split(2), "float16")).status is Status.FAIL


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_that_cancel_are_small_and_their_gauge_is_not(dtype):
    case = read(f"v1,x=4x64x8x8,out=32,k=3,dtype={dtype}")
    profiles = dict.fromkeys(QUANTITIES, STRICT[dtype])
    expected = Expected(case, integer_values(case, profiles))
    for quantity in ("output", "grad_input", "grad_weight"):
        found = expected.sum(quantity)
        assert expected.exact(quantity, STRICT[dtype]).all()
        assert found.gauge.max() > 2**20
        assert np.abs(found.value).max() < 2**16


@pytest.mark.parametrize(
    "more", ["layout-x=expanded,layout-weight=contiguous,layout-grad=broadcast", "nonzeros=3", "dtype=complex64"]
)
def test_equal_and_few_values_have_nothing_that_cancels(more):
    case = read("v1,x=4x6x8x8,out=4,k=3," + (more if "dtype" in more else f"dtype=float16,{more}"))
    assert not sizes_of(case, dict.fromkeys(QUANTITIES, STRICT[case.dtype])).cancelling


def test_a_bias_is_of_the_size_of_the_sums():
    case = read("v1,x=64x1x12x12,out=1,k=3")
    values = integer_values(case, dict.fromkeys(QUANTITIES, STRICT["float32"]))
    sums = Expected(case, values).sum("output").value - float(values.bias[0])
    assert np.abs(values.bias).max() <= 4 * np.abs(sums).max()
