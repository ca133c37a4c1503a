import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck.model.profiles import (
    BF16_ACC,
    BF16_IN_FP32_ACC,
    FP16_ACC,
    FP16_IN_FP32_ACC,
    FP32_STRICT,
    FP64_STRICT,
    TF32_INPUTS,
)
from convcheck.numerics.limits import integer_limit, within_dtype

ACCUMULATORS = {FP16_ACC: np.float16, BF16_ACC: ml_dtypes.bfloat16, FP32_STRICT: np.float32}


@pytest.mark.parametrize(
    ("profile", "dtype", "limit"),
    [
        (FP32_STRICT, "float32", 2**24),
        (FP64_STRICT, "float64", 2**53),
        (BF16_IN_FP32_ACC, "bfloat16", 2**24),
        (FP16_IN_FP32_ACC, "float16", 2**24),  # what the accumulator holds, far beyond the largest float16
        (FP16_ACC, "float16", 2**11),
        (BF16_ACC, "bfloat16", 2**8),
        (TF32_INPUTS, "float32", 2**22),  # two bits of head-room where sums are truncated
        (FP32_STRICT, "complex64", 2**22),  # (re + im)·(re + im)
    ],
)
def test_the_limit_of_every_promise(profile, dtype, limit):
    assert integer_limit(profile, dtype) == limit


@pytest.mark.parametrize(("profile", "dtype"), ACCUMULATORS.items(), ids=lambda item: getattr(item, "name", ""))
@settings(deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 30))
def test_sums_within_the_limit_are_exact_in_any_order(profile, dtype, seed, count):
    limit = integer_limit(profile, "float32")
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, limit, count, endpoint=True))
    terms = np.diff(cuts, prepend=0) * rng.choice([-1, 1], count)
    total = dtype(0)
    for term in rng.permutation(terms):
        total = total + dtype(term)
    assert int(total) == terms.sum()


@pytest.mark.parametrize(("profile", "dtype"), ACCUMULATORS.items(), ids=lambda item: getattr(item, "name", ""))
def test_one_above_the_limit_is_lost(profile, dtype):
    limit = integer_limit(profile, "float32")
    assert dtype(limit) == limit
    assert dtype(limit) + dtype(1) == limit


@pytest.mark.parametrize(
    ("profile", "dtype", "limit"),
    [
        (FP16_IN_FP32_ACC, "float16", 2**11),
        (BF16_IN_FP32_ACC, "bfloat16", 2**8),
        (FP32_STRICT, "float32", 2**24),
        (BF16_ACC, "float32", 2**8),  # rounding results to more bits changes nothing
    ],
)
def test_sums_of_results_are_sized_for_the_narrower_of_dtype_and_accumulator(profile, dtype, limit):
    assert integer_limit(within_dtype(profile, dtype), dtype) == limit
