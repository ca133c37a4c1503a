from typing import get_args

import numpy as np
import pytest

from convcheck.model.calls import Memory
from convcheck.tensors.regions import heap, surrounding_byte
from convcheck_reference import DTYPES

MEMORY = get_args(Memory)


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_content_lies_between_bytes_that_show_who_strays(memory, size):
    region = heap(size, memory)
    before = address(region.content) - address(region.whole)
    after = len(region.whole) - before - size
    assert (region.whole == surrounding_byte(memory)).all()
    region.content[:] = 0
    assert np.count_nonzero(region.whole) == before + after
    assert min(before, after) >= 16
    # as guarded pages are: what ends at a guard is as aligned as its size is
    assert (address(region.content) + (size if memory == "guard_after" else 0)) % 64 == 0


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_the_surroundings_are_nan_or_large_in_every_format(dtype):
    for memory in MEMORY:
        around = np.full(dtype.itemsize, surrounding_byte(memory), np.uint8).view(dtype).astype(np.complex128)
        if memory == "guard_before":
            assert 1e4 < np.abs(around).item() < np.inf
        else:
            assert np.isnan(around).all()


def test_a_sealed_region_on_the_heap_can_be_written_to():
    region = heap(4, "read_only")
    region.seal()
    region.content[:] = 7
    region.unseal()
    assert (region.content == 7).all()
