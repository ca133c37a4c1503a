import numpy as np

from altered import CASE, Altered, failing

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
