"""Half of the memory is half of what a process may use here."""

import os

import pytest

from convcheck.execution import machine_memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("limit", "half"), [("max\n", MACHINE // 2), ("4000000\n", 2_000_000), (None, MACHINE // 2)])
def test_a_control_group_may_have_less_than_the_machine(monkeypatch, tmp_path, limit, half):
    path = tmp_path / "memory.max"
    if limit is not None:
        path.write_text(limit)
    monkeypatch.setattr(machine_memory, "_CONTROL_GROUP", path)
    assert machine_memory.half_of_the_machine() == half
