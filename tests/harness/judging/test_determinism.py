"""The same seed gives the same cases: in any process, and under any release of Python, NumPy and Hypothesis."""

import subprocess
import sys
from hashlib import sha256

import pytest

from convcheck import Capabilities, ReferenceBackend
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import Judge
from convcheck.judging.search import search

EVERYTHING = Capabilities(
    dtypes=("float32", "float64", "float16", "bfloat16", "complex64", "complex128"), gradients=True, module=True
)
GOLDEN = "bef285fb9d81bc9a"
"""Of the cases of two blocks. Where a change of ours makes others, it changes; where a release does, that is a defect."""

CONSTANTS = "NUMBERS = (2, 31, 101, 257, 4_000_000, 6.25)\nTEXT = 'a local module'\n"

SEARCHED = """
from convcheck import ReferenceBackend
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import Judge
from convcheck.judging.search import search

candidate = InProcessCandidate(ReferenceBackend)
judge, cases = Judge(candidate, 0), []
search(lambda case: cases.append(case.token) or judge(case), candidate.capabilities, ("float32",),
       run_seed=5, number=0, size=40)
print(*cases)
"""


def digest():
    drawn = [*generate(EVERYTHING, run_seed=0, block=0), *generate(EVERYTHING, run_seed=0, block=3, size=40)]
    return sha256("\n".join(case.token for case in drawn).encode()).hexdigest()[:16]


def in_a_process(folder, code):
    """What code prints in a fresh process beside a local module full of constants."""
    (folder / "local.py").write_text(CONSTANTS)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_no_release_changes_what_a_seed_gives():
    assert digest() == GOLDEN


@pytest.mark.parametrize("loaded", ["local, torch", "numpy, local, decimal, email, http.client"])
def test_other_modules_loaded_change_nothing(tmp_path, loaded):
    code = f"""import hashlib, {loaded}
from convcheck import Capabilities
from convcheck.judging.blocks import generate
everything = {EVERYTHING!r}
drawn = [*generate(everything, run_seed=0, block=0), *generate(everything, run_seed=0, block=3, size=40)]
print(hashlib.sha256("\\n".join(case.token for case in drawn).encode()).hexdigest()[:16])
"""
    assert in_a_process(tmp_path, code) == [GOLDEN]


def test_the_search_is_the_same_beside_other_modules(tmp_path):
    candidate = InProcessCandidate(ReferenceBackend)
    judge, cases = Judge(candidate, 0), []

    def judged(case):
        cases.append(case.token)
        return judge(case)

    search(judged, candidate.capabilities, ("float32",), run_seed=5, number=0, size=40)
    assert len(set(cases)) == 40
    assert in_a_process(tmp_path, f"import local\n{SEARCHED}") == cases
