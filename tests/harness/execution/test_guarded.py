"""A process under a guardian ends when it is told to and when the judge is gone, with all that descends from it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convcheck.execution.guarded import Guarded
from convcheck.execution.processes import command_of, descendants, memory, share_of_memory

LIMIT = 10.0
_IN_A_SESSION = "import subprocess, time; subprocess.Popen(['sleep', '1000'], start_new_session=True); {}"


@pytest.fixture
def started(tmp_path):
    """Starts Python under a guardian, which is ended after the test."""
    running = []

    def start(program, memory=0):
        kept, other = os.pipe()
        os.close(other)
        running.append(Guarded([sys.executable, "-c", program], dict(os.environ), str(tmp_path), kept, memory))
        os.close(kept)
        return running[-1]

    yield start
    for guarded in running:
        guarded.end()


def eventually(happened):
    until = time.monotonic() + LIMIT
    while not (found := happened()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def test_what_it_printed_and_how_it_ended_is_known(started):
    guarded = started("import os, sys; sys.stderr.write('x' * 100_000 + 'end'); sys.stderr.flush(); os._exit(7)")
    report = guarded.end(grace=LIMIT)
    assert report.status == 7
    assert report.output.endswith("xend")
    assert len(report.output) == 4000


def test_orphans_in_a_session_of_their_own_are_ended_and_told(started):
    guarded = started(_IN_A_SESSION.format("time.sleep(0.2)"))
    report = guarded.end(grace=LIMIT, sweep=0.1)
    assert [command for _, command in report.left] == ["sleep 1000"]
    assert not Path(f"/proc/{report.left[0][0]}").exists()


def test_more_memory_than_it_may_have_ends_it(started):
    guarded = started("import time; kept = b'x' * 200_000_000; time.sleep(1000)", memory=100_000_000)
    assert "the limit is 0.10 GB" in eventually(lambda: guarded.report().why)
    assert eventually(lambda: guarded.report().status == -signal.SIGKILL)


def test_what_forks_share_is_counted_once(started):
    forks = (
        "import os, time; kept = b'x' * 100_000_000; any(os.fork() == 0 for _ in range(3)); print('forked', flush=True)"
    )
    guarded = started(f"{forks}; time.sleep(1000)", memory=200_000_000)
    assert eventually(lambda: guarded.report().output.count("forked") == 4)
    forked = descendants(guarded._process.pid)[1:]
    assert sum(map(memory, forked)) > 300_000_000
    assert sum(map(share_of_memory, forked)) < 100_000_000
    assert not guarded.end().why


def test_who_stops_the_guardian_is_found_and_it_goes_on(started):
    guarded = started("import os, signal, time; os.kill(os.getppid(), signal.SIGSTOP); time.sleep(1000)")
    assert eventually(guarded.is_stopped)
    assert guarded.report().stopped
    assert not guarded.is_stopped()


_JUDGE = f"""
import os, sys
from convcheck.execution.guarded import Guarded
kept, other = os.pipe()
guarded = Guarded([sys.executable, "-c", {_IN_A_SESSION.format("time.sleep(1000)")!r}], dict(os.environ), "/", kept, 0)
print("started", flush=True)
sys.stdin.read()
"""


def test_nothing_outlives_a_judge_that_is_killed():
    judge = subprocess.Popen([sys.executable, "-c", _JUDGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    judge.stdout.readline()
    assert eventually(lambda: "sleep 1000" in map(command_of, descendants(judge.pid)))
    below = descendants(judge.pid)
    judge.kill()
    judge.communicate()
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def test_what_is_known_of_a_process_that_is_gone():
    assert (command_of(2**22 + 1), memory(2**22 + 1), descendants(2**22 + 1)) == ("", 0, [])
    assert memory(os.getpid()) > 2**20
