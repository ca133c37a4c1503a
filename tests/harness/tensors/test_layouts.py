import ml_dtypes
import numpy as np
import pytest

from convcheck import LAYOUTS, to_torch
from convcheck.model.calls import Tensor
from convcheck.tensors.guarded import GuardedPages
from convcheck.tensors.layouts import conformed, lay_out
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
    "offset": (60, 20, 5, 1),
    "odd_strides": (60, 20, 5, 1),
    "broadcast": (0, 0, 0, 0),
}


def drawn(shape, dtype, layout="expanded"):
    return conformed(np.random.default_rng(0).integers(-9, 10, shape).astype(dtype), layout)


@pytest.mark.parametrize("allocate", [heap, GuardedPages()])
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
    array, _ = lay_out(Tensor(drawn((2, 3, 4, 5), "float32", layout), layout), heap)
    assert tuple(stride // 4 for stride in array.strides) == EXPECTED_STRIDES[layout]


@pytest.mark.parametrize("allocate", [heap, GuardedPages()])
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


@pytest.mark.parametrize("allocate", [heap, GuardedPages()])
@pytest.mark.parametrize("memory", ["heap", "guard_after", "guard_before"])
def test_an_offset_tensor_is_never_aligned_to_two_elements(memory, allocate):
    for shape in ((3, 5), (3, 4), (1,), (2, 3, 4, 5)):
        array, _ = lay_out(Tensor(drawn(shape, "float32"), "offset", memory), allocate)
        assert array.ctypes.data % 8 == 4


def test_axes_without_a_step_have_strides_of_no_dense_tensor():
    array, _ = lay_out(Tensor(drawn((1, 3, 1, 5), "float32"), "odd_strides"), heap)
    assert array.strides == (28, 20, 28, 4)
    empty, _ = lay_out(Tensor(drawn((0, 3, 4, 5), "float32"), "odd_strides"), heap)
    assert empty.strides == (28, 28, 28, 28)


def test_torch_sees_the_strides_of_every_layout():
    for layout in LAYOUTS:
        if layout == "reversed":
            continue
        for shape in SHAPES:
            array, _ = lay_out(Tensor(drawn(shape, ml_dtypes.bfloat16, layout), layout), heap)
            assert to_torch(array).stride() == tuple(stride // 2 for stride in array.strides)
