"""Guarded regions are new memory for whoever holds a view, and none for whoever holds an address."""

import ctypes
import gc
import os

import numpy as np
import pytest

from convcheck.tensors.guarded import GuardedPages
from convcheck.tensors.regions import surrounding_byte


class Touch:
    """Touches memory by way of the system, which says so where a process would die."""

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._ends = os.pipe()

    def read(self, at):
        """Whether one byte can be read."""
        return self._libc.write(self._ends[1], ctypes.c_void_p(at), ctypes.c_size_t(1)) == 1

    def write(self, at):
        """Whether one byte can be written."""
        os.write(self._ends[1], b"7")
        return self._libc.read(self._ends[0], ctypes.c_void_p(at), ctypes.c_size_t(1)) == 1


@pytest.fixture
def touch():
    return Touch()


def address(region):
    return region.content.__array_interface__["data"][0]


@pytest.mark.parametrize("memory", ["guard_after", "guard_before"])
def test_pages_are_used_again_only_when_nobody_has_a_view(memory):
    guarded = GuardedPages()
    first = guarded(100, memory)
    first.content[:] = 7
    view, where = first.content[3:50:2], address(first)
    del first
    others = [guarded(100, memory) for _ in range(3)]
    assert where not in {address(other) for other in others}
    assert (view == 7).all()
    del view
    gc.collect()
    assert address(guarded(100, memory)) == where


@pytest.mark.parametrize("memory", ["guard_after", "guard_before"])
def test_pages_that_are_used_again_are_guarded_and_hold_their_surroundings_only(memory, touch):
    guarded = GuardedPages()
    for _ in range(3):
        region = guarded(100, memory)
        assert (region.whole == surrounding_byte(memory)).all()
        region.content[:] = 7
        start = address(region)
        beyond = start + 100 if memory == "guard_after" else start - 1
        assert not touch.read(beyond)
        assert touch.write(start + 1)
        region.seal()
        assert touch.read(start)
        assert not touch.write(start + 1)
        assert region.content[0] == 7
        del region


def test_the_address_of_a_tensor_whose_time_is_over_is_a_trap(touch):
    guarded = GuardedPages()
    for _ in range(2):
        region = guarded(100, "guard_after")
        where = address(region)
        assert touch.read(where)
        del region
        assert not touch.read(where)


def test_large_pages_are_given_back():
    guarded = GuardedPages()
    for _ in range(3):
        assert np.count_nonzero(guarded(1 << 20, "guard_after").content) == 1 << 20
    assert not any(guarded._parked.values())
