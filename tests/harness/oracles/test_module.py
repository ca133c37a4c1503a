import numpy as np
import pytest

from altered import failing
from convcheck import Status
from convcheck_backends import NumpyBackend

TOKEN = "v1,x=2x8x7x6,out=16,k=3,entry=module"


def changed(change):
    class Changed(NumpyBackend):
        def make_module(self, **arguments):
            module = super().make_module(**arguments)
            change(module)
            return module

    return Changed()


def scale(module):
    module.weight = module.weight * module.weight.dtype.type(2)


def constant(module):
    module.weight = np.full_like(module.weight, 0.01)


def half(module):
    module.weight = np.abs(module.weight)


def transpose(module):
    module.weight = module.weight.swapaxes(0, 1).copy()


def no_bias(module):
    module.bias = None


def double(module):
    module.weight = module.weight.astype(np.float64)


@pytest.mark.parametrize("change", [scale, constant, half, transpose, no_bias, double])
def test_wrong_parameters_fail(change):
    assert failing(changed(change), TOKEN)


def test_a_module_that_ignores_its_weight_fails():
    class Ignores(NumpyBackend):
        def make_module(self, **arguments):
            module, other = super().make_module(**arguments), super().make_module(**arguments)
            module.weight = other.weight + 0

            class Wrapped:
                weight, bias = other.weight, module.bias

                def __call__(self, x):
                    return other(x) + 1

            return Wrapped()

    assert ("module", "module", Status.FAIL) in failing(Ignores(), TOKEN)


@pytest.mark.parametrize("seed", range(5))
def test_a_documented_initialisation_passes(seed):
    assert not failing(NumpyBackend(), f"{TOKEN},seed={seed}")
