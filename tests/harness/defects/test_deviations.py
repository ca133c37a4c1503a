"""The algebra itself."""

import ml_dtypes
import numpy as np
import pytest

from convcheck.defects.deviations import EVERYWHERE, accumulated, both, gives, leaves, operand, reads, rounded
from convcheck.defects.problem import Axis, compute, problem
from convcheck.judging.blocks import generate
from convcheck.model.capabilities import Capabilities
from convcheck.model.profiles import QUANTITIES
from convcheck.tensors.values import integer_values
from convcheck_reference import Conv2dParams, conv2d, conv2d_grad_bias, conv2d_grad_input, conv2d_grad_weight

CAPABILITIES = Capabilities(gradients=True)


def small():
    drawn = generate(CAPABILITIES, run_seed=2, block=0, size=120)
    legal = [c for c in drawn if c.violation is None and c.entry == "function"]
    return [c for c in legal if c.params.multiply_adds(c.input_shape) <= 50_000]


def test_a_problem_without_deviation_is_the_reference():
    for case in small():
        v = integer_values(case, {q: CAPABILITIES.profile(case.dtype, q) for q in QUANTITIES})
        posed = problem(v.x, v.weight, v.bias, case.params, v.grad_output)
        expected = (
            conv2d(v.x, v.weight, v.bias, case.params),
            conv2d_grad_input(v.grad_output, v.weight, case.params, case.input_shape),
            conv2d_grad_weight(v.grad_output, v.x, case.params),
            conv2d_grad_bias(v.grad_output),
        )
        for quantity, wanted in zip(QUANTITIES, expected, strict=True):
            assert np.array_equal(compute(posed, quantity).reshape(wanted.shape), wanted), (quantity, case.token)


def posed(**layer):
    params = Conv2dParams(**{"in_channels": 1, "out_channels": 1, "kernel_size": 3, "bias": False, **layer})
    rng = np.random.default_rng(0)
    x, weight = rng.integers(1, 9, (1, 1, 6, 7)).astype(float), rng.integers(1, 9, params.weight_shape).astype(float)
    grad = rng.integers(1, 9, params.output_shape(x.shape)).astype(float)
    return problem(x, weight, None, params, grad)


def test_a_changed_axis_changes_output_and_gradients_alike():
    undilated = reads(
        columns=lambda axis, _: Axis(*(1 if n == "dilation" else getattr(axis, n) for n in Axis.__slots__)),
        on=EVERYWHERE,
    )
    deviating, wanted = undilated(compute), posed(dilation=(1, 2))
    output, grad_input = (deviating(wanted, q) for q in ("output", "grad_input"))
    # the adjoint identity holds for a defect that is wrong consistently
    assert (output * wanted.grad_output).sum() == (grad_input * wanted.x).sum()
    assert not np.array_equal(output, compute(wanted, "output"))


def test_deviations_compose_in_order():
    doubled = gives(lambda a, _: 2 * a)
    blank = leaves(lambda _: (..., 0))
    shifted = gives(lambda a, _: a + 1)
    result = both(doubled, blank, shifted)(compute)(posed(), "output")
    assert (result[..., 0] == 1).all()
    assert np.array_equal(result[..., 1:], 2 * compute(posed(), "output")[..., 1:] + 1)


def test_an_absent_bias_stays_absent():
    deviating = operand("bias", lambda b, _: b + 1)(compute)
    assert np.array_equal(deviating(posed(), "output"), compute(posed(), "output"))


@pytest.mark.parametrize(("name", "bits"), [("tf32", 11), ("bfloat16", 8), ("float16", 11), ("float32", 24)])
def test_rounding_is_to_nearest_even(name, bits):
    unit = 2.0 ** (1 - bits)
    values = np.array([1 + unit / 2, 1 + 3 * unit / 2, 1 + unit / 2 + unit / 64, -1 - 3 * unit / 2])
    assert rounded(values, name).tolist() == [1.0, 1 + 2 * unit, 1 + unit, -1 - 2 * unit]
    assert np.isnan(rounded(np.array([np.nan]), name)).all()


def test_partial_sums_are_rounded():
    a, b = np.full((1, 300), 1.0), np.full((300, 1), 1.0)
    # 257 needs nine bits: bfloat16 stays at 256
    assert accumulated(1, "bfloat16")(a, b) == float(np.float32(ml_dtypes.bfloat16(256)))
    assert accumulated(300, "bfloat16")(a, b) == 300.0
