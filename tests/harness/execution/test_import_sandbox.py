"""What a process can still open once the import sandbox is closed; asked of a process, because it is for good."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, os, pathlib, sys, tempfile
import convcheck, convcheck_reference
from convcheck.execution.import_sandbox import block_the_judge

judge, reference = (pathlib.Path(m.__path__[0]) for m in (convcheck, convcheck_reference))
own = pathlib.Path(tempfile.mkdtemp())
(own / "link.py").symlink_to(reference / "convolution.py")
(own / "folder").symlink_to(judge)
own.joinpath("mine.txt").write_text("mine")
sys.path.insert(0, str(own))
own.joinpath("my_module.py").write_text("answer = 42")
os.chdir(judge)
block_the_judge()

def attempts():
    yield "the harness", lambda: open(judge / "model" / "case.py").close()
    yield "the reference", lambda: open(reference / "convolution.py").close()
    yield "a name in bytes", lambda: open(os.fsencode(reference / "naive.py")).close()
    yield "a relative path", lambda: open("model/case.py").close()
    yield "a descriptor of the system", lambda: os.close(os.open(reference / "naive.py", os.O_RDONLY))
    yield "a link to a file", lambda: open(own / "link.py").close()
    yield "a link to a folder", lambda: open(own / "folder" / "model" / "case.py").close()
    yield "a way around", lambda: open(judge / "model" / ".." / ".." / "convcheck" / "model" / "case.py").close()
    yield "a descriptor of its folder", lambda: os.close(os.open(reference, os.O_RDONLY))
    yield "a descriptor of a folder above", lambda: os.close(os.open(judge.parent, os.O_RDONLY))
    yield "the root", lambda: os.close(os.open("/", os.O_RDONLY))
    yield "another name", lambda: os.link(reference / "naive.py", own / "hard.py")
    yield "the import of the reference", lambda: __import__("convcheck_reference.convolution")
    yield "the import of an oracle", lambda: __import__("convcheck.oracles.exact")
    yield "a folder of one's own", lambda: os.close(os.open(own, os.O_RDONLY))
    yield "a new name of one's own", lambda: (own / "mine.txt").rename(own / "still mine.txt").rename(own / "mine.txt")
    yield "a temporary folder that goes", lambda: tempfile.TemporaryDirectory().cleanup()
    yield "a file of one's own", lambda: open(own / "mine.txt").close()
    yield "a module of one's own", lambda: __import__("my_module")
    yield "a module of the library", lambda: __import__("wave")
    yield "a descriptor that is open", lambda: os.close(os.dup(0))

def outcome(attempt):
    try:
        attempt()
    except PermissionError as error:
        return "closed" if "belongs to the judge" in str(error) else str(error)
    return "opened"

print(json.dumps({name: outcome(attempt) for name, attempt in attempts()}))
"""


@pytest.fixture(scope="module")
def outcomes():
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "attempt",
    [
        "the harness",
        "the reference",
        "a name in bytes",
        "a relative path",
        "a descriptor of the system",
        "a link to a file",
        "a link to a folder",
        "a way around",
        "a descriptor of its folder",
        "a descriptor of a folder above",
        "the root",
        "another name",
        "the import of the reference",
        "the import of an oracle",
    ],
)
def test_the_judges_files_are_closed_by_any_name(outcomes, attempt):
    assert outcomes[attempt] == "closed"


@pytest.mark.parametrize(
    "attempt",
    [
        "a folder of one's own",
        "a new name of one's own",
        "a temporary folder that goes",
        "a file of one's own",
        "a module of one's own",
        "a module of the library",
        "a descriptor that is open",
    ],
)
def test_everything_else_opens_as_before(outcomes, attempt):
    assert outcomes[attempt] == "opened"
