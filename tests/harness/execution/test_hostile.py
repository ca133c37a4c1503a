"""Of the hostile candidates a few of each kind: what is due comes out, and no process and no file is left."""

import pytest

from hostile import ALL, Hostile, judged

QUICK = (
    "import hangs",
    "import stops its parent",
    "import raises endless text",
    "constructor ends",
    "real-time signal",
    "exits",
    "raises what has no text",
    "is killed once",
    "has its guardian killed once",
    "has its guardian killed while it is imported",
    "stops its parent",
    "closes its connections",
    "hangs in every call",
    "claims a frame of 4 GB",
    "forks, both return",
    "forks, the child keeps the connection",
    "leaves a daemon",
    "keeps a pool of processes",
    "has more memory than it may",
    "returns far too much",
    "rounds upward",
    "imports at its first call",
)
BY_NAME = {hostile.name: hostile for hostile in ALL}


@pytest.mark.parametrize("name", QUICK)
def test_what_is_due_comes_out_and_nothing_is_left(name, tmp_path):
    came = judged(BY_NAME[name], tmp_path)
    assert came.is_due(BY_NAME[name]), came


def test_a_start_that_hangs_later_is_told_once_and_the_next_one_goes_on(tmp_path):
    top = "F = __file__ + '.starts'"
    constructor = "with open(F, 'a') as file: file.write('.')\nif os.path.getsize(F) == 2: time.sleep(1000)"
    hostile = Hostile("", "", top=top, constructor=constructor, options={"start_limit": 1.0}, cases=4)
    came = judged(hostile, tmp_path)
    assert came.said.count("it was not ready within 1 s") == 1
    assert "WorkerStartError" not in came.said
    assert (tmp_path / "hostile_kernel.py.starts").read_text() == "......"  # for each case, the one that hung, the last
