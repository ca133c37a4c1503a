import numpy as np
import pytest

from altered import failing
from convcheck_backends import TorchCpu
from convcheck_reference.formats import FORMATS


def test_half_a_spacing_of_float64_is_not_lost():
    assert FORMATS["float64"].underflow_error > 0
    assert FORMATS["float32"].underflow_error == np.ldexp(1.0, -150)


@pytest.mark.parametrize("dtype", ["float64", "complex128", "complex64", "float32"])
@pytest.mark.parametrize("seed", range(12))
def test_subnormal_sums_that_round_otherwise_than_the_reference_pass(dtype, seed):
    token = f"v1,x=2x2x3x4,out=2,k=3x1,bias=false,dtype={dtype},values=subnormal,seed={seed}"
    assert not failing(TorchCpu(), token, only=("bounded", "gradients-exact", "gradients-bounded"))
