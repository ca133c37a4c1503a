import numpy as np
import pytest

from altered import Altered, failing
from convcheck import Gradients, Status
from convcheck_backends import NumpyBackend


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros_like,
        lambda a: np.full_like(a, np.nan),
        lambda a: a[..., :-1],
        lambda a: a[..., :0],
        lambda a: a[0],
        lambda a: a.astype(np.float64),
        lambda a: a.tolist(),
        np.ma.masked_array,
        lambda a: None,
    ],
    ids=["zeros", "nan", "shape", "empty", "ndim", "dtype", "list", "subclass", "none"],
)
def test_a_result_that_says_nothing_never_passes(wrong):
    assert failing(Altered(wrong))


@pytest.mark.parametrize("at", range(3))
def test_a_gradient_of_another_shape_fails(at):
    def shorten(gradients):
        return Gradients(*(a[..., :-1] if i == at else a for i, a in enumerate(gradients)))

    name = ("grad_input", "grad_weight", "grad_bias")[at]
    assert ("contract", name, Status.FAIL) in failing(Altered(gradients=shorten))


def test_a_gradient_of_a_bias_that_is_not_there_fails():
    def invented(gradients):
        return gradients._replace(bias=np.zeros(6, np.float32))

    assert ("contract", "grad_bias", Status.FAIL) in failing(
        Altered(gradients=invented), "v1,x=1x2x4x4,out=6,k=3,bias=false"
    )


def test_a_changed_input_fails():
    class Mutating(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            result = super().conv2d(x, weight, bias, params)
            x.reshape(-1)[0] += 1
            return result

    assert ("contract", "inputs", Status.FAIL) in failing(Mutating())


def test_any_memory_order_of_the_result_passes():
    assert not failing(Altered(np.asfortranarray))
    assert not failing(Altered(lambda a: a[..., ::-1].copy()[..., ::-1]))
