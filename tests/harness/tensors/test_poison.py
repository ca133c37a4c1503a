import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import torch

from convcheck.tensors import poison
from convcheck.tensors.poison import ALLOCATOR_SETTINGS, is_poison, poison_free_memory
from convcheck_reference import DTYPES


@pytest.mark.parametrize("kind", ["nan", "large"])
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_new_memory_of_a_poisoned_size_is_poison(dtype, kind):
    poison_free_memory(np.empty(3), dtype, 60, kind)
    new = np.empty((3, 4, 5), dtype)
    assert is_poison(new).all()
    wide = np.abs(new.astype(np.complex128))
    assert np.isnan(wide).all() if kind == "nan" else (wide > 1e4).all()


CLAIMS = """
import numpy as np, torch
from convcheck.tensors.poison import is_poison, poison_free_memory

for native, empty in ((np.empty(3), np.empty), (torch.empty(3), lambda n, dtype: torch.empty(n).numpy())):
    for elements in (1, 40, 200, 400, 4000, 40_000, 1_000_000):
        for kind in ("nan", "large"):
            old = [np.zeros(elements, np.float32) for _ in range(20)]
            del old
            assert poison_free_memory(native, np.dtype(np.float32), elements, kind), elements
            blocks = [empty(elements, np.float32) for _ in range(20)]
            assert all(is_poison(block).all() for block in blocks), (elements, native)
"""


def test_in_a_process_with_a_poisoning_allocator_every_block_is_poison():
    environment = {**os.environ, "GLIBC_TUNABLES": ALLOCATOR_SETTINGS}
    subprocess.run([sys.executable, "-c", CLAIMS], env=environment, check=True)


def test_without_such_an_allocator_nothing_is_claimed():
    assert not poison_free_memory(np.empty(3), np.dtype(np.float32), 60, "nan")


def test_nothing_is_claimed_about_unknown_allocators_and_empty_results():
    assert not poison_free_memory(object(), np.dtype(np.float32), 60, "nan")
    assert not poison_free_memory(np.empty(3), np.dtype(np.float32), 0, "nan")


@pytest.mark.parametrize("value", [0.0, -1.5, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float32", "complex64"])
def test_numbers_are_no_poison(dtype, value):
    assert not is_poison(np.full((2, 3), value, dtype)).any()


def test_arithmetic_of_poison_is_seen_or_wrong():
    poison_free_memory(np.empty(3), np.dtype(np.float32), 60, "large")
    new = np.empty(60, np.float32)
    new += 1
    assert not np.isclose(new, 1).any()


def test_integers_are_no_poison():
    assert not is_poison(np.full(3, 0x72727272)).any()


def test_memory_of_a_device_is_filled_even_where_the_allocator_of_the_host_poisons(monkeypatch):
    made = []
    full = torch.full

    def counting(*arguments, **settings):
        made.append(settings["device"])
        return full(*arguments, **settings)

    monkeypatch.setattr(poison, "allocator_poisons", lambda: True)
    monkeypatch.setattr(torch, "full", counting)
    assert not poison.poison_free_memory(torch.empty(3, device="meta"), np.dtype(np.float32), 12, "nan")
    assert made
    assert set(made) == {"meta"}


def test_tensors_of_a_kind_of_their_own_are_left_alone():
    class Tensor:
        @property
        def device(self):
            raise RuntimeError("not before it is computed")

    assert not poison.poison_free_memory(Tensor(), np.dtype(np.float32), 12, "nan")
