from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.model.profiles import FP32_STRICT, TF32_INPUTS, WINOGRAD_F4, Profile
from convcheck.model.token import read
from convcheck.numerics.operand_rounding import operand_errors
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.legal_aggregate import RANDOM_SIGNS, legal_aggregate
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.values import real_values
from convcheck_reference import conv2d, conv2d_grad_input, conv2d_grad_weight
from convcheck_reference.formats import FLOAT32

TOKEN = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"
NEAREST = Profile(input_rounding=2.0**-11, input_precision=11)


def legal(token, quantity="output", profile=TF32_INPUTS):
    case = read(token)
    trial = Trial(case, Capabilities(dtypes=(case.dtype,), gradients=True))
    return legal_aggregate(case, trial.reals, trial.expected_reals, quantity, profile)


def results(case, x, weight, grad):
    yield "output", conv2d(x, weight, None, case.params)
    yield "grad_input", conv2d_grad_input(grad, weight, case.params, x.shape)
    yield "grad_weight", conv2d_grad_weight(grad, x, case.params)


def test_the_squares_are_those_of_what_each_product_may_be_off():
    case = read(TOKEN)
    values = real_values(case)
    x, weight, grad = (np.abs(a.astype(np.float64)) for a in (values.x, values.weight, values.grad_output))
    tiny = replace(TF32_INPUTS, accumulator="float64", truncating=False)
    # a product at a time: the square of a difference of products is the sum of three squares of operands
    up = [a + operand_errors(a, TF32_INPUTS, FLOAT32) for a in (x, weight, grad)]
    wanted = {
        quantity: larger - 2.0 * mixed + plain
        for (quantity, larger), (_, mixed), (_, plain) in zip(
            results(case, *(a**2 for a in up)),
            results(case, *(a * b for a, b in zip(up, (x, weight, grad), strict=True))),
            results(case, x**2, weight**2, grad**2),
            strict=True,
        )
    }
    for quantity, right in wanted.items():
        found = legal_aggregate(case, values, Expected(case, values), quantity, tiny)
        judged = np.isfinite(found.scale)
        assert judged.mean() > 0.8
        np.testing.assert_allclose(found.scale[judged] ** 2, right[judged], rtol=1e-3)


@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight"])
def test_the_more_elements_there_are_the_less_room_chance_has(quantity):
    found = [legal(f"v1,x={n}x{4 * n}x{n}x{n},out={4 * n},k=1,bias=false", quantity, NEAREST) for n in (2, 4, 12)]
    room = [each.most for each in found]
    assert room == sorted(room, reverse=True)
    assert room[-1] < 2
    assert room[0] > 2.5


@pytest.mark.parametrize("regime", ["reals", "wide", "large", "overflow"])
def test_signs_say_nothing_of_magnitudes_nor_of_other_signs_in_these_regimes(regime):
    assert regime in RANDOM_SIGNS
    cases = [read(f"v1,x=8x8x12x12,out=16,k=3,values={regime},seed={seed}") for seed in range(6)]
    for name in ("x", "weight", "grad_output"):
        drawn = [np.asarray(getattr(real_values(case), name), np.float64).reshape(-1) for case in cases]
        signs = np.concatenate([np.sign(a) for a in drawn])
        sizes = np.concatenate([np.argsort(np.argsort(np.abs(a))) / len(a) for a in drawn])
        room = 5 / np.sqrt(len(signs))
        assert abs(signs.mean()) < room
        assert abs((signs * (sizes - 0.5)).mean()) < room
        assert all(abs((signs[:-lag] * signs[lag:]).mean()) < room for lag in (1, 2, 12, 144))


@pytest.mark.parametrize(
    "token",
    [
        f"{TOKEN},values=positive",
        f"{TOKEN},values=cancelling",
        f"{TOKEN},values=mixed",
        f"{TOKEN},values=subnormal",
        f"{TOKEN},layout-x=expanded",
        f"{TOKEN},layout-grad=broadcast",
        f"{TOKEN},dtype=complex64",
    ],
)
def test_nothing_is_said_of_data_with_other_signs(token):
    assert legal(token) is None


def test_nothing_is_said_where_a_bound_of_each_element_says_as_much():
    assert legal(TOKEN, profile=FP32_STRICT) is None
    assert legal(TOKEN, "grad_bias") is None
    assert legal("v1,x=2x4x7x6,out=6,k=3", profile=WINOGRAD_F4) is None


def test_copies_of_a_pixel_have_one_sign():
    plain, copied = (f"v1,x=4x2x9x9,out=2,k=3,p=2,bias=false{mode}" for mode in ("", ",mode=circular"))
    assert legal(copied, "grad_input") is None
    # the weights' signs take part in all pixels, those of the image in a window's
    assert legal(copied).most > 1.5 * legal(plain).most
    assert legal(copied, "grad_weight") is not None
