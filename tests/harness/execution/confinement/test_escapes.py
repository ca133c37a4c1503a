"""Every way out of an untrusted run that we know of is closed, or seen, where the table says that it is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from convcheck.execution.confinement import ALL_MEANS, bubblewrap
from escaping import attempts

WITHOUT = {
    "everything": {},
    "no namespaces": {"namespaces": False, "bubblewrap": False},
    "no Landlock": {"landlock": 0},
    "bubblewrap instead": {"namespaces": False},
}
NEEDED = {
    "reference": {"reference withheld"},
    "judge": {"files", "other processes", "left processes"},
    "machine": {"files", "network", "privileges", "other processes"},
    "convolution": {"convolutions", "trace", "programs"},
}
"""The guarantees on which it hangs whether ways are closed, by what they lead to."""

AS_A_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
SCRIPT = """
import json, sys, tempfile
from dataclasses import asdict
from pathlib import Path
from escaping import attempts
with tempfile.TemporaryDirectory() as folder:
    found, guarantees, report = attempts(Path(folder))
print(json.dumps([[asdict(a) for a in found], [asdict(g) for g in guarantees], report]))
"""


def tried(folder, without):
    found, guarantees, report = attempts(folder, replace(ALL_MEANS, **WITHOUT[without]))
    return [asdict(a) for a in found], [asdict(g) for g in guarantees], report


def assert_closed(found, guarantees, report):
    held = {g["name"] for g in guarantees if g["holds"]}
    ways_open = [a for a in found if a["open"] and NEEDED[a["to"]] <= held]
    assert not ways_open
    assert {a["to"] for a in found} == set(NEEDED)
    if "files" in held:
        assert report == "DOES NOT CONFORM"


@pytest.mark.parametrize("without", WITHOUT)
def test_what_is_guaranteed_is_closed(tmp_path, without):
    if without == "bubblewrap instead" and not bubblewrap.wrapper(replace(ALL_MEANS, namespaces=False)):
        pytest.skip("bubblewrap is not installed, or may enter no namespaces")
    found, guarantees, report = tried(tmp_path, without)
    assert_closed(found, guarantees, report)
    missing = [g for g in guarantees if not g["holds"]]
    assert all(g["by"] for g in missing)
    if without == "no Landlock" and sys.platform == "linux":
        assert "programs" in {g["name"] for g in missing}


def test_an_ordinary_user_is_kept_from_as_much_as_root(tmp_path):
    if os.getuid() != 0 or shutil.which(AS_A_USER[0]) is None:
        pytest.skip("only root can be somebody else for a test, with util-linux")
    if subprocess.run([*AS_A_USER, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine has no namespaces of users, or an unshare that maps none")
    done = subprocess.run(
        [*AS_A_USER, sys.executable, "-c", SCRIPT],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)},
    )
    assert_closed(*json.loads(done.stdout))


def test_the_trial_itself_can_tell_who_escapes(tmp_path):
    """Nothing but Python's own walls: ways that are known to be open are found to be, and torch is seen all the same."""
    means = replace(ALL_MEANS, namespaces=False, bubblewrap=False, landlock=0, seccomp=False, another_uid=False)
    openings = {"the c library", "hard link", "report read", "own source rewritten"}
    found, guarantees, _ = attempts(tmp_path, means, only={*openings, "functional", "bare thread"})
    assert {a.route for a in found if a.open} == openings
    assert not {"reference withheld", "files", "network", "other processes"} & {g.name for g in guarantees if g.holds}
