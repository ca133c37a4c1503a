"""What Landlock leaves a process; asked of a process, because it is for good."""

import json
import subprocess
import sys

import pytest

from convcheck.execution.confinement import landlock

SCRIPT = """
import json, subprocess, sys
from pathlib import Path
from convcheck.execution.confinement import landlock

folder = Path(sys.argv[1])
libraries = [Path(p) for p in ("/usr", "/lib", "/lib64", "/bin") if Path(p).exists()]
version = min(landlock.version(), int(sys.argv[2]))
landlock.restrict(version, [folder / "read", *libraries], libraries, [folder / "write", folder / "absent"])

def attempts():
    yield "read", (folder / "read" / "a").read_text
    yield "a file beside it", (folder / "other").read_text
    yield "write", lambda: (folder / "write" / "b").write_text("")
    yield "read what was written", (folder / "write" / "b").read_text
    yield "write where it may read", lambda: (folder / "read" / "b").write_text("")
    yield "remove where it may read", (folder / "read" / "a").unlink
    yield "link out", lambda: (folder / "write" / "c").hardlink_to(folder / "other")
    yield "run a program", lambda: subprocess.run(["/bin/true"], check=True)
    yield "run a file of its own", lambda: subprocess.run([folder / "read" / "program"], check=True)

def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"

print(json.dumps({name: outcome(attempt) for name, attempt in attempts()}))
"""
DONE = {"read", "write", "read what was written", "run a program"}


@pytest.mark.skipif(landlock.version() == 0, reason="this machine has no Landlock")
@pytest.mark.parametrize("version", [1, 7])
def test_only_what_is_named_is_left(tmp_path, version):
    for name in ("read", "write"):
        (tmp_path / name).mkdir()
    for name in ("read/a", "other"):
        (tmp_path / name).write_text("")
    program = tmp_path / "read" / "program"
    program.write_text("#!/bin/true\n")
    program.chmod(0o755)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(version)]
    outcomes = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == DONE
