import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from convcheck.model.reproduction import PackedArray
from convcheck_reference import DTYPES

SHAPES = nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@given(st.data(), st.sampled_from([*DTYPES.values(), np.dtype(np.bool_), np.dtype(np.int64)]), SHAPES)
def test_an_array_comes_back_bit_for_bit(data, dtype, shape):
    """Any bits: NaN with any payload and either zero among them."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = data.draw(st.binary(min_size=size, max_size=size))
    if dtype == np.bool_:
        raw = bytes(byte % 2 for byte in raw)
    array = np.frombuffer(raw, dtype).reshape(shape)
    packed = PackedArray.of(array)
    found = packed.array
    assert (found.dtype, found.shape, found.tobytes()) == (dtype, shape, raw)
    assert PackedArray.of(found) == packed


@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::-1, ::2], lambda a: np.broadcast_to(a[:1], a.shape)])
def test_any_layout_is_packed_in_c_order(view):
    array = view(np.arange(12.0).reshape(3, 4))
    assert np.array_equal(PackedArray.of(array).array, array)


def test_what_is_unpacked_has_memory_of_its_own():
    packed = PackedArray.of(np.zeros(3))
    packed.array[0] = 1
    assert not packed.array.any()
    assert packed.array.flags.writeable


def test_repetitive_data_are_small():
    assert len(PackedArray.of(np.zeros((64, 64))).data) < 100
