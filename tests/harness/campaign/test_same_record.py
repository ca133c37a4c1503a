"""A run with the same options gives the same record, byte by byte, wherever and on however many workers it runs."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"

WRONG = f"""
import sys
sys.path.insert(0, {str(PLUGINS)!r})
from my_kernel import my_conv

def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, (str, int)) else tuple(padding)[::-1]
    return my_conv(x, weight, bias, stride, padding, dilation, groups)
"""

RUN = """
import json, sys
from convcheck.campaign.campaign import run
from convcheck.campaign.options import Options
from convcheck.model.ladder import Ladder
from convcheck.model.record_lines import to_lines

def said(spec, workers):
    options = Options(
        specs=(spec,), examples=60, seed=0, dtypes=("float32",), workers=workers, diagnosis_calls=150, reach=Ladder.QUICK
    )
    record = run(options, name="", command="")
    for line in to_lines(record):
        entry = json.loads(line)
        entry.pop("seconds", None)  # times differ
        entry.pop("started", None)
        yield json.dumps(entry, ensure_ascii=False)

if __name__ == "__main__":
    print("\\n".join(said(sys.argv[1], int(sys.argv[2]))))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("run")
    (made / "wrong.py").write_text(WRONG)
    (made / "said.py").write_text(RUN)
    (made / "local.py").write_text("NUMBERS = (101, 257, 4_000_000)\nTEXT = 'a local module'\n")
    return made


@pytest.fixture(scope="module")
def from_pytest(folder):
    """By this process, with pytest, its plugins and all their modules loaded."""
    names = {}
    exec(RUN.partition("if __name__")[0], names)
    return list(names["said"](f"{folder / 'wrong.py'}:conv", 1))


def test_a_fresh_process_with_other_modules_and_two_workers_says_the_same(folder, from_pytest):
    (folder / "main.py").write_text(f"import local, decimal, email, http.client\n{RUN}")
    command = [sys.executable, "main.py", f"{folder / 'wrong.py'}:conv", "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == from_pytest


def test_the_run_had_something_to_say(from_pytest):
    assert sum('"kind": "finding"' in line for line in from_pytest) >= 1
