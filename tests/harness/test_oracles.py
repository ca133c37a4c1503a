"""Both sides of every oracle: a seeded defect that it catches, a legal variant that it passes."""

import numpy as np
import pytest

from convcheck import Backend, Capabilities, Gradients, Status
from convcheck.execution import Host
from convcheck.execution.judging import judge_case
from convcheck.registry import load
from convcheck.token import read
from convcheck.verdicts import FAILURES
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams

CASE = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"


class Altered(NumpyBackend):
    """The reference, with one result altered after the fact."""

    def __init__(self, output=lambda a: a, gradients=lambda g: g):
        self.output, self.gradients = output, gradients

    def conv2d(self, x, weight, bias, params):
        return self.output(super().conv2d(x, weight, bias, params))

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        return self.gradients(super().conv2d_backward(grad_output, x, weight, bias, params))


def failing(backend, token=CASE):
    verdicts, _, _ = judge_case(Host(lambda: backend), read(token))
    return {(v.oracle, v.quantity, v.status) for v in verdicts if v.status in FAILURES}


def off_by(amount):
    def change(a):
        a = a.copy()
        a.reshape(-1)[-1] += a.dtype.type(amount)
        return a

    return change


@pytest.mark.parametrize("regime", ["reals", "wide", "positive", "cancelling", "large", "special", "subnormal"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64"])
def test_the_reference_passes(dtype, regime):
    assert not failing(Altered(), f"{CASE},dtype={dtype},values={regime}")


def test_exact_and_bounded_catch_one_wrong_element():
    found = failing(Altered(off_by(1)))
    assert ("exact", "output", Status.FAIL) in found
    assert ("bounded", "output", Status.FAIL) in found


@pytest.mark.parametrize("at", range(3))
def test_gradients_and_the_adjoint_catch_one_wrong_element(at):
    found = failing(Altered(gradients=lambda g: Gradients(*(off_by(1)(a) if i == at else a for i, a in enumerate(g)))))
    name = ("grad_input", "grad_weight", "grad_bias")[at]
    assert ("gradients-exact", name, Status.FAIL) in found
    assert ("gradients-bounded", name, Status.FAIL) in found
    assert ("adjoint", "adjoint", Status.FAIL) in found


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros_like,
        lambda a: np.full_like(a, np.nan),
        lambda a: a[..., :-1],
        lambda a: a.astype(np.float64),
        lambda a: a.tolist(),
        np.ma.masked_array,
        lambda a: None,
    ],
    ids=["zeros", "nan", "shape", "dtype", "list", "subclass", "none"],
)
def test_a_result_that_says_nothing_never_passes(wrong):
    assert failing(Altered(wrong))


def test_contract_catches_a_changed_input():
    class Mutating(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            result = super().conv2d(x, weight, bias, params)
            x.reshape(-1)[0] += 1
            return result

    assert ("contract", "inputs", Status.FAIL) in failing(Mutating())


def test_special_catches_a_swallowed_nan():
    token = f"{CASE},values=special"
    assert any(o == "special" for o, _, _ in failing(Altered(np.nan_to_num), token))


@pytest.mark.parametrize(
    "token", ["v1,x=1x2x4x4,out=2,k=3,s=0", "v1,x=1x3x4x4,out=4,k=1,g=2", f"{CASE},flaw=bias_shape"]
)
def test_parity_catches_what_is_wrongly_accepted(token):
    class Lenient(Backend):
        name = "lenient"
        capabilities = Capabilities()

        def conv2d(self, x, weight, bias, params):
            return x

    assert failing(Lenient(), token) == {("parity", "call", Status.WRONGLY_ACCEPTED)}
    assert not failing(Altered(), token)


def test_parity_catches_what_is_wrongly_refused():
    class Strict(Altered):
        def conv2d(self, x, weight, bias, params):
            if params.groups > 1:
                raise NotImplementedError("groups")
            return super().conv2d(x, weight, bias, params)

    assert ("parity", "call", Status.WRONGLY_REFUSED) in failing(Strict())


def test_module_catches_another_initialisation():
    class Doubled(NumpyBackend):
        def make_module(self, **arguments):
            module = super().make_module(**arguments)
            module.weight = module.weight * module.weight.dtype.type(2)
            return module

    token = "v1,x=2x8x7x6,out=16,k=3,entry=module"
    assert ("module", "module", Status.FAIL) in failing(Doubled(), token)
    assert not failing(NumpyBackend(), token)


def test_another_order_of_summation_passes():
    class Reordered(NumpyBackend):
        """float32 sums, one tap at a time, from the last to the first."""

        capabilities = Capabilities()

        def conv2d(self, x, weight, bias, params):
            params = Conv2dParams.of(params.arguments)
            out = np.zeros(params.output_shape(x.shape), x.dtype)
            if bias is not None:
                out += bias[:, None, None]
            for at in reversed(list(np.ndindex(weight.shape[1:]))):
                tap = np.zeros_like(weight)
                tap[(slice(None), *at)] = weight[(slice(None), *at)]
                out += super().conv2d(x, tap, None, params)
            return out

    for seed in range(20):
        assert not failing(Reordered(), f"v1,x=2x8x6x5,out=4,k=3,values=positive,seed={seed}")


def test_a_case_that_could_not_tell_is_vacuous():
    verdicts, _, _ = judge_case(Host(lambda: load("numpy")), read("v1,x=1x1x1x1,out=1,k=1,p=4,bias=false"))
    assert {v.status for v in verdicts if v.oracle in ("exact", "bounded")} == {Status.VACUOUS}
