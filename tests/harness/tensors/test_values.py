import numpy as np
import pytest

from convcheck import REGIMES
from convcheck.profiles import QUANTITIES, STRICT
from convcheck.tensors.values import integer_values, real_values
from convcheck.token import read


@pytest.mark.parametrize("x", ["0x4x6x5", "1x4x6x5", "5x4x6x5", "4x6x5"])
@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_has_values_for_every_input(regime, x):
    case = read(f"v1,x={x},out=6,k=3,g=2,values={regime}")
    values = real_values(case)
    assert values.x.shape == case.input_shape
    assert values.grad_output.shape == case.output_shape
    assert values.x.dtype == np.float32


def test_a_mixed_batch_has_images_of_four_kinds():
    x = real_values(read("v1,x=5x3x6x5,out=2,k=3,values=mixed,seed=3")).x
    nonzeros = [np.count_nonzero(image) for image in x]
    assert nonzeros == [90, 0, 90, 1, 90]
    spans = [np.ptp(np.log2(np.abs(image[image != 0]))) for image in x[[0, 2]]]
    assert spans[1] > 14


def test_every_regime_and_the_integers_draw_from_streams_of_their_own():
    # reals in the first image of both: the same distribution, other numbers
    drawn = [real_values(read(f"v1,x=1x3x6x5,out=2,k=3,values={regime}")).weight for regime in ("reals", "mixed")]
    assert not np.array_equal(*drawn)


def test_integers_do_not_depend_on_the_regime():
    profiles = dict.fromkeys(QUANTITIES, STRICT["float32"])
    drawn = [integer_values(read(f"v1,x=1x3x6x5,out=2,k=3,values={r}"), profiles).x for r in REGIMES]
    assert all(np.array_equal(drawn[0], other) for other in drawn)
