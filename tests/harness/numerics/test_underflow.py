import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from altered import failing
from convcheck.model.profiles import STRICT
from convcheck.numerics.bounds import underflow
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


def test_what_is_cut_loses_up_to_a_whole_spacing_and_what_is_rounded_half_of_one():
    x, weight = (6.728614836148474e-40, -1.0776419593181784e-39), (0.6102712154388428, -0.2183474600315094)
    spacing = Fraction(2) ** -149
    products = [Fraction(a) * Fraction(b) for a, b in zip(x, weight, strict=True)]
    lost = float(sum(product - math.floor(product / spacing) * spacing for product in products))
    rounded, cut = (
        underflow(replace(STRICT["float32"], truncating=truncating), FORMATS["float32"], 2, (1.0, 1.0))
        for truncating in (False, True)
    )
    assert rounded < lost <= cut
