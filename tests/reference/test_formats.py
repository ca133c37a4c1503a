import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck_reference.formats import DTYPES, FLOAT32, FORMATS, TF32, component_format

REAL = [name for name, dtype in DTYPES.items() if dtype.kind != "c"]


@pytest.mark.parametrize("name", REAL)
def test_the_figures_are_those_of_the_dtype(name):
    fmt, info = FORMATS[name], ml_dtypes.finfo(DTYPES[name])
    assert fmt.precision == info.nmant + 1
    assert fmt.unit_roundoff == float(info.eps) / 2
    assert fmt.smallest_normal == float(info.tiny)
    assert fmt.largest == float(info.max)
    if name != "float64":
        assert fmt.underflow_error == float(info.smallest_subnormal) / 2


@pytest.mark.parametrize("name", REAL)
@settings(deadline=None)
@given(data=st.data())
def test_rounding_to_nearest_stays_within_the_unit_roundoff_and_the_underflow_error(name, data):
    fmt = FORMATS[name]
    value = data.draw(st.floats(-fmt.largest, fmt.largest))
    error = abs(float(np.float64(value).astype(DTYPES[name])) - value)
    assert error <= max(fmt.unit_roundoff * abs(value), fmt.underflow_error)


def test_tf32_has_the_range_of_float32_and_the_bits_of_float16():
    assert (TF32.min_exponent, TF32.max_exponent) == (FLOAT32.min_exponent, FLOAT32.max_exponent)
    assert TF32.precision == FORMATS["float16"].precision


@pytest.mark.parametrize(
    ("dtype", "component"), [("complex64", "float32"), ("complex128", "float64"), *zip(REAL, REAL, strict=True)]
)
def test_a_complex_number_has_two_components_of_half_its_size(dtype, component):
    assert component_format(dtype).name == component


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_has_the_name_that_torch_gives_it(name):
    assert DTYPES[name].name == name
