"""What a process has given up; asked of a process, because it is for good."""

import json
import subprocess
import sys

import pytest

from convcheck.execution.confinement.linux import on_linux

pytestmark = pytest.mark.skipif(not on_linux(), reason="only Linux knows of these")

SCRIPT = """
import json, resource
from pathlib import Path
from convcheck.execution.confinement import Walls, guarantees, shield
from convcheck.execution.confinement.linux import prctl
from convcheck.execution.confinement.privileges import give_up_capabilities, leave_no_core, limit_memory

leave_no_core()
limit_memory(3 << 30)
give_up_capabilities()
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
found = {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs")}
found["core"] = resource.getrlimit(resource.RLIMIT_CORE)
found["memory"] = resource.getrlimit(resource.RLIMIT_DATA)
shield(guarantees(Walls(own_root=True)))
found["open"] = prctl(3)
shield(guarantees(Walls()))
found["closed"] = prctl(3)
try:
    held = bytearray(4 << 30)
except MemoryError:
    found["allocated"] = False
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    return json.loads(subprocess.run([sys.executable, "-c", SCRIPT], check=True, stdout=subprocess.PIPE).stdout)


def test_no_capability_is_left_and_none_can_be_had(found):
    assert {found[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    assert found["NoNewPrivs"] == "1"


def test_it_leaves_no_core_and_has_its_share_of_memory(found):
    assert found["core"] == [0, 0]
    assert found["memory"] == [3 << 30, 3 << 30]
    assert found["allocated"] is False


def test_the_judge_closes_itself_where_nothing_else_does(found):
    assert (found["open"], found["closed"]) == (1, 0)
