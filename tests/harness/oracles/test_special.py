import numpy as np

from altered import CASE, Altered, failing
from convcheck.model.token import read
from convcheck.tensors.values import real_values
from convcheck_backends import NumpyBackend

TOKENS = [f"{CASE},values=special,seed={seed}" for seed in range(6)]


def caught(change):
    return any(oracle == "special" for token in TOKENS for oracle, _, _ in failing(Altered(change), token))


def test_a_swallowed_nan_fails():
    assert caught(np.nan_to_num)


def test_a_nan_where_none_belongs_fails():
    assert caught(lambda a: np.where(np.arange(a.size).reshape(a.shape) == a.size - 1, a.dtype.type(np.nan), a))


def test_an_infinity_of_the_wrong_sign_fails():
    assert caught(lambda a: np.where(np.isinf(a), -a, a))


def test_a_clamped_infinity_fails():
    assert caught(lambda a: np.clip(a, -3e38, 3e38))


def test_what_ieee_arithmetic_gives_passes():
    assert not any(failing(Altered(), token) for token in TOKENS)


class SkippingBias(NumpyBackend):
    """Adds a bias where it is above or below zero, which NaN is not; or where it is finite."""

    def __init__(self, infinite=True):
        self._infinite = infinite

    def conv2d(self, x, weight, bias, params):
        if bias is not None:
            bias = np.where(np.isnan(bias) if self._infinite else ~np.isfinite(bias), bias.dtype.type(0), bias)
        return super().conv2d(x, weight, bias, params)


def test_a_special_bias_that_is_skipped_fails_and_one_that_is_added_passes():
    tokens = [f"{CASE},values=special,seed={seed}" for seed in range(40)]
    special = [token for token in tokens if not np.isfinite(real_values(read(token)).bias).all()]
    assert 3 <= len(special) <= 15
    for infinite in (True, False):
        found = [entry for token in special for entry in failing(SkippingBias(infinite), token)]
        assert "special" in {oracle for oracle, _, _ in found}
    assert not any(failing(Altered(), token) for token in special)
