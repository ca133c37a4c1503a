import numpy as np
import pytest

from convcheck import REGIMES, Capabilities
from convcheck.judging.blocks import generate
from convcheck.model.profiles import BF16_ACC, QUANTITIES
from convcheck.model.token import read
from convcheck.numerics.limits import integer_limit, within_dtype
from convcheck.tensors.second_order import second_order_integers, second_order_reals
from convcheck_reference import conv2d_double_backward

CAPABILITIES = Capabilities(
    dtypes=("float32", "float16", "bfloat16"), gradients=True, profiles={"bfloat16": BF16_ACC}, layouts=("contiguous",)
)
NAMES = ("grad_output", "grad_input", "grad_weight")


def promised(case):
    return {quantity: CAPABILITIES.profile(case.dtype, quantity) for quantity in QUANTITIES}


def tensors(drawn):
    layer = drawn.layer
    return (
        drawn.grad_grad_input, drawn.grad_grad_weight, drawn.grad_grad_bias, layer.grad_output, layer.x, layer.weight,
    )  # fmt: skip


@pytest.fixture(scope="module")
def small():
    drawn = generate(CAPABILITIES, run_seed=3, block=0, size=250)
    legal = [case for case in drawn if case.violation is None and case.entry == "function"]
    return [case for case in legal if case.params.multiply_adds(case.input_shape) <= 50_000]


def test_every_sum_of_the_integers_is_exact_in_accumulator_and_dtype(small):
    assert {case.dtype for case in small} == set(CAPABILITIES.dtypes)
    for case in small:
        operands = [
            None if a is None else np.abs(a.astype(np.int64))
            for a in tensors(second_order_integers(case, promised(case)))
        ]
        limit = integer_limit(within_dtype(CAPABILITIES.profile(case.dtype, "output"), case.dtype), case.dtype)
        for name, sums in zip(NAMES, conv2d_double_backward(*operands, case.params), strict=True):
            assert sums.max(initial=0) <= limit, (name, case.token)


def test_the_integers_of_a_wide_accumulator_are_all_but_dense():
    case = read("v1,x=2x3x6x5,out=4,k=3")
    drawn = second_order_integers(case, promised(case))
    for array in tensors(drawn):
        assert np.array_equal(array, np.trunc(array))
        assert np.count_nonzero(array) > 0.9 * array.size


def test_what_differentiates_is_another_draw_than_the_layer():
    for drawn in (second_order_integers, lambda case, _: second_order_reals(case)):
        case = read("v1,x=2x3x6x5,out=4,k=3")
        found = drawn(case, promised(case))
        assert not np.array_equal(found.grad_grad_input, found.layer.x)
        assert not np.array_equal(found.grad_grad_weight, found.layer.weight)


@pytest.mark.parametrize("regime", REGIMES)
def test_no_regime_makes_products_of_three_overflow(regime):
    case = read(f"v1,x=2x3x6x5,out=4,k=3,values={regime}")
    for array in tensors(second_order_reals(case)):
        assert np.abs(array).max() < 10
        assert 0.5 < array.std() < 2 or array.ndim == 1


def test_a_layer_without_bias_has_no_gradient_of_its_gradient():
    case = read("v1,x=2x3x6x5,out=4,k=3,bias=false")
    assert second_order_reals(case).grad_grad_bias is None
    assert second_order_integers(case, promised(case)).grad_grad_bias is None
