from itertools import cycle
from typing import get_args

import ml_dtypes
import numpy as np
import pytest

from convcheck import LAYOUTS, to_torch
from convcheck.model.calls import Memory, Tensor
from convcheck.model.strides import Strides, alignment, strides_of
from convcheck.tensors.guarded import GuardedPages
from convcheck.tensors.layouts import conformed, lay_out
from convcheck.tensors.regions import heap

PAGES = GuardedPages()
DTYPES = ("float16", ml_dtypes.bfloat16, "float32", "float64", "complex64", "complex128")
SHAPES = ((2, 3, 4, 5), (3, 4, 5), (1, 1, 1, 1), (4,), (0, 3, 4, 5))
EXPECTED_STRIDES = {
    "contiguous": (60, 20, 5, 1),
    "channels_last": (60, 1, 15, 3),
    "sliced": (6 * 7 * 8, 7 * 8, 8, 1),
    "transposed": (60, 20, 1, 4),
    "expanded": (0, 20, 5, 1),
    "reversed": (60, 20, -5, -1),
    "reversed_channels": (60, -20, 5, 1),
    "reversed_rows": (60, 20, -5, 1),
    "reversed_columns": (60, 20, 5, -1),
    "offset": (60, 20, 5, 1),
    "odd_strides": (60, 20, 5, 1),
    "broadcast": (0, 0, 0, 0),
    "expanded_channels": (20, 0, 5, 1),
    "expanded_rows": (15, 5, 0, 1),
    "expanded_columns": (12, 4, 1, 0),
    "expanded_pixels": (3, 1, 0, 0),
    "step": (120, 20, 5, 1),
    "step_channels": (120, 40, 5, 1),
    "step_rows": (120, 40, 10, 1),
    "step_columns": (120, 40, 10, 2),
    "channel_slice": (120, 20, 5, 1),
    "channels_last_channel_slice": (120, 1, 30, 6),
    "order-2310": (1, 2, 30, 6),
    "order-1230": (1, 40, 10, 2),
    "order-3210": (1, 2, 6, 24),
    "order-0312": (60, 4, 1, 12),
    "channels_last+offset": (60, 1, 15, 3),
    "sliced+offset": (6 * 7 * 8, 7 * 8, 8, 1),
    "channel_slice+offset": (120, 20, 5, 1),
    "channels_last_channel_slice+offset": (120, 1, 30, 6),
}


def drawn(shape, dtype, layout="expanded"):
    return conformed(np.random.default_rng(0).integers(-9, 10, shape).astype(dtype), layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_holds_the_values_wherever_it_lies(layout):
    for dtype, memory, allocate in zip(DTYPES, cycle(get_args(Memory)), cycle([heap, GuardedPages()]), strict=False):
        for shape in SHAPES:
            values = drawn(shape, dtype, layout)
            array, region = lay_out(Tensor(values, layout, memory), allocate)
            assert array.shape == shape
            assert array.dtype == values.dtype
            assert array.tobytes() == values.tobytes()
            assert not array.size or np.shares_memory(array, region.content)
            assert array.ctypes.data % array.dtype.itemsize == 0
            assert array.base.nbytes == region.content.nbytes


def test_every_layout_has_its_strides():
    assert {layout for layout in LAYOUTS if not layout.startswith("order-")} < EXPECTED_STRIDES.keys()
    for layout, strides in EXPECTED_STRIDES.items():
        array, _ = lay_out(Tensor(drawn((2, 3, 4, 5), "float32", layout), layout), heap)
        assert tuple(stride // 4 for stride in array.strides) == strides, layout


def test_every_order_of_the_axes_has_a_layout():
    strides = {
        strides_of((2, 3, 4, 5), layout).steps
        for layout in LAYOUTS
        if 0 < strides_of((2, 3, 4, 5), layout).memory == 120
    }
    assert len({tuple(np.argsort(steps)) for steps in strides}) == 24


def test_an_image_without_a_batch_has_the_order_of_its_axes():
    assert strides_of((3, 4, 5), "order-2310").steps == (1, 15, 3)
    assert strides_of((3, 4, 5), "channels_last").steps == (1, 15, 3)
    assert strides_of((3, 4, 5), "channel_slice") == Strides(120, 20, (20, 5, 1))
    assert strides_of((6,), "order-2310").steps == strides_of((6,), "channel_slice").steps == (1,)
    assert strides_of((6,), "step") == Strides(12, 0, (2,))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_addresses_are_as_aligned_as_said(layout):
    for shape in SHAPES:
        for placement, where in (
            ("aligned", "guard_after_aligned"),
            ("aligned", "guard_before"),
            ("at_end", "guard_after"),
        ):
            for allocate in (heap, PAGES):
                array, _ = lay_out(Tensor(drawn(shape, "float32", layout), layout, where), allocate)
                assert not array.size or array.ctypes.data % alignment(shape, 4, layout, placement) == 0
    assert alignment((2, 3, 4, 5), 4, layout, "aligned") >= 4


def test_sizes_decide_alignment_only_where_memory_ends_at_a_guard():
    shapes = [(1, 1, 3, width) for width in range(1, 30)]
    assert {alignment(shape, 4, "contiguous", "aligned") for shape in shapes} == {64}
    assert {alignment(shape, 4, "channels_last+offset", "aligned") for shape in shapes} == {4}
    assert {alignment(shape, 4, "offset", "at_end") for shape in shapes} == {4}
    assert {alignment(shape, 4, "contiguous", "at_end") for shape in shapes} == {4, 8, 16, 32, 64}


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
        if layout.startswith("reversed"):
            continue
        for shape in SHAPES:
            array, _ = lay_out(Tensor(drawn(shape, ml_dtypes.bfloat16, layout), layout), heap)
            tensor, view = to_torch(array), strides_of(shape, layout)
            assert tensor.stride() == view.steps
            assert (tensor.data_ptr(), tensor.storage_offset()) == (
                array.ctypes.data if array.size else tensor.data_ptr(),
                view.offset,
            )
            assert tensor.untyped_storage().nbytes() == 2 * view.memory
