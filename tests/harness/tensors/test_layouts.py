import ml_dtypes
import numpy as np
import pytest

from convcheck import LAYOUTS
from convcheck.calls import Tensor
from convcheck.tensors.guarded import guarded
from convcheck.tensors.layouts import lay_out
from convcheck.tensors.regions import heap

DTYPES = ("float16", ml_dtypes.bfloat16, "float32", "float64", "complex64", "complex128")
SHAPES = ((2, 3, 4, 5), (3, 4, 5), (1, 1, 1, 1), (4,), (0, 3, 4, 5))
EXPECTED_STRIDES = {
    "contiguous": (60, 20, 5, 1),
    "channels_last": (60, 1, 15, 3),
    "sliced": (6 * 7 * 8, 7 * 8, 8, 1),
    "transposed": (60, 20, 1, 4),
    "expanded": (0, 20, 5, 1),
    "reversed": (60, 20, -5, -1),
}


def drawn(shape, dtype, layout="expanded"):
    values = np.random.default_rng(0).integers(-9, 10, shape).astype(dtype)
    return np.ascontiguousarray(np.broadcast_to(values[:1], shape)) if layout == "expanded" and values.size else values


@pytest.mark.parametrize("allocate", [heap, guarded])
@pytest.mark.parametrize("memory", ["heap", "guard_after", "guard_before", "read_only"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_holds_the_values_wherever_it_lies(layout, memory, allocate):
    for dtype in DTYPES:
        for shape in SHAPES:
            values = drawn(shape, dtype, layout)
            array, region = lay_out(Tensor(values, layout, memory), allocate)
            assert array.shape == shape
            assert array.dtype == values.dtype
            assert array.tobytes() == values.tobytes()
            assert not array.size or np.shares_memory(array, region.content)
            assert array.ctypes.data % array.dtype.itemsize == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_its_strides(layout):
    array, _ = lay_out(Tensor(drawn((2, 3, 4, 5), "float32"), layout), heap)
    assert tuple(stride // 4 for stride in array.strides) == EXPECTED_STRIDES[layout]


@pytest.mark.parametrize("allocate", [heap, guarded])
@pytest.mark.parametrize("memory", ["guard_after", "guard_before"])
def test_a_tensor_is_surrounded_by_nan_or_by_large_numbers(memory, allocate):
    for dtype in DTYPES:
        for layout in ("contiguous", "sliced"):
            values = drawn((2, 3, 4, 5), dtype)
            array, region = lay_out(Tensor(values, layout, memory), allocate)
            if not region.whole.nbytes > values.nbytes:
                continue
            array[...] = 0
            around = region.whole.view(values.dtype)
            around = np.abs(around[around != 0].astype(np.complex128))
            assert len(around)
            if memory == "guard_after":
                assert np.isnan(around).all()
            else:
                assert (np.isfinite(around) & (around > 1e4)).all()
