"""Every way out of an untrusted run that we know of is closed, or seen, where the table says that it is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from convcheck.execution.confinement import ALL_MEANS, bubblewrap
from convcheck.model.guarantees import Guarantee
from escaping import Attempt, attempts_in_turn, everything

NO_NAMESPACES = replace(ALL_MEANS, namespaces=False, bubblewrap=False)
NO_LANDLOCK = replace(ALL_MEANS, landlock=0)
NOTHING = replace(NO_NAMESPACES, landlock=0, seccomp=False, another_uid=False)
BUBBLEWRAP = replace(ALL_MEANS, namespaces=False)
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
from escaping import attempts_in_turn
from convcheck.execution.confinement import ALL_MEANS
with tempfile.TemporaryDirectory() as folder:
    ((found, guarantees, report),) = attempts_in_turn(Path(folder), [(ALL_MEANS, lambda _, to: to != "convolution")])
print(json.dumps([[asdict(a) for a in found], [asdict(g) for g in guarantees], report]))
"""


SLOW = {"a spawned process", "root by a program", "report rewritten by a child that stays"}
"""Routes that wait for something: gone once."""


def quick(name, _):
    return name not in SLOW


def assert_closed(found, guarantees, report):
    held = {g.name for g in guarantees if g.holds}
    assert not [a for a in found if a.open and NEEDED[a.to] <= held]
    assert {"reference", "judge", "machine"} <= {a.to for a in found} <= set(NEEDED)
    assert all(g.by for g in guarantees if not g.holds)
    if "files" in held:
        assert report == "DOES NOT CONFORM"


def test_what_is_guaranteed_is_closed_whatever_is_missing_and_else_known_to_be_open(tmp_path):
    """With nothing but Python's own walls, ways are open that are known to be, and torch is seen all the same."""
    openings = {"the c library", "hard link", "report read", "own source rewritten"}
    chosen = {*openings, "functional", "bare thread"}
    trials = [(ALL_MEANS, everything), (NO_NAMESPACES, quick), (NO_LANDLOCK, quick)]
    *closed, (found, guarantees, _) = attempts_in_turn(tmp_path, [*trials, (NOTHING, lambda name, _: name in chosen)])
    for came in closed:
        assert_closed(*came)
    if sys.platform == "linux":
        assert [g.name for g in closed[2][1] if not g.holds] == ["programs"]
    assert {a.route for a in found if a.open} == openings
    assert not {"reference withheld", "files", "network", "other processes"} & {g.name for g in guarantees if g.holds}


def test_bubblewrap_closes_what_it_guarantees(tmp_path):
    if not bubblewrap.wrapper(BUBBLEWRAP):
        pytest.skip("bubblewrap is not installed, or may enter no namespaces")
    (came,) = attempts_in_turn(tmp_path, [(BUBBLEWRAP, quick)])
    assert_closed(*came)


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
    found, guarantees, report = json.loads(done.stdout)
    assert_closed([Attempt(**a) for a in found], [Guarantee(**g) for g in guarantees], report)
