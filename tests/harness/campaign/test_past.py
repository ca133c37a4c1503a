"""A run whose journal was cut off anywhere goes on from there, and comes to what a run that was never stopped does."""

import json
from collections import Counter

import pytest

from convcheck.campaign import job as jobs
from convcheck.campaign.campaign import ResumeError, run
from convcheck.campaign.errors import JournalError
from convcheck.campaign.journal import Begun, Keeping, append
from convcheck.campaign.options import Options
from convcheck.campaign.past import Past
from convcheck.campaign.unfinished import unfinished_record
from convcheck.judging.judge import Judge
from convcheck.judging.tally import Tally
from convcheck.model.ladder import Ladder
from convcheck.model.origins import Origin
from convcheck.model.record_lines import RecordError, to_lines
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from stand_ins import TOKENS, failure

WRONG = "convcheck.defects:group-outputs-interleaved"
OPTIONS = Options(
    specs=(WRONG, "numpy"),
    examples=10,
    in_process=True,
    diagnosis_calls=5,
    dtypes=("float32",),
    seed=1,
    reach=Ladder.QUICK,
)


def ran(journal, past=None, options=OPTIONS):
    return run(options, name="run", command="it", journal=journal, past=past)


def said(record):
    """All but the times, which differ."""
    entries = [json.loads(line) for line in to_lines(record)]
    return [{name: value for name, value in entry.items() if name not in ("seconds", "started")} for entry in entries]


@pytest.fixture
def asked(monkeypatch):
    """The cases that are put to a candidate, with their parts."""
    seen = []

    class Noting(Judge):
        def __call__(self, case, *others):
            seen.append((self._block, self.tally.cases, case.token))
            return super().__call__(case, *others)

    monkeypatch.setattr(jobs, "Judge", Noting)
    return seen


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The journal of a run that was never stopped, and what it came to."""
    journal = tmp_path_factory.mktemp("whole") / "journal.jsonl"
    record = ran(journal)
    return journal.read_bytes(), said(record)


def entries(text, kind):
    ended = text[: text.rfind(b"\n") + 1]  # a line that is cut off may end in a brace
    found = (json.loads(line) for line in ended.splitlines() if line.startswith(b"{"))
    return [entry for entry in found if entry["kind"] == kind]


def kept(text):
    """The cases that a journal has, with their parts."""
    found, size = [], {}
    for entry in entries(text, "cases"):
        part = entry["stretch"]["part"]
        for token in entry["stretch"]["cases"]:
            at = size.setdefault((entry["at"], part), 0)
            size[entry["at"], part] += 1
            found.append((entry["at"], part, at, token))
    return found


@pytest.mark.parametrize("share", [0.03, 0.2, 0.4, 0.6, 0.97])
def test_a_run_that_was_cut_off_comes_to_the_same_and_judges_nothing_twice(tmp_path, asked, whole, share):
    text, expected = whole
    journal = tmp_path / "journal.jsonl"
    cut = max(int(share * len(text)), text.index(b'"kind":"cases"'))
    journal.write_bytes(text[:cut])
    before = kept(text[:cut])
    record = ran(journal, Past(journal))
    assert said(record) == expected
    assert not record.interrupted
    assert len(before) + len(asked) == len(kept(text))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.55])
def test_what_was_judged_can_be_read_at_any_time_and_nothing_conforms(tmp_path, whole, share):
    text, _ = whole
    journal = tmp_path / "journal.jsonl"
    cut = max(int(share * len(text)), text.index(b'"kind":"part"'))
    journal.write_bytes(text[:cut])
    record = unfinished_record(Past(journal))
    assert record.interrupted
    assert not record.conforms
    cases = kept(text[:cut])
    assert record.cases == len(cases)
    failing = [f for entry in entries(text[:cut], "cases") for f in entry["stretch"]["failures"]]
    assert failing
    assert {count.clause for count in record.counts if count.status in FAILURES}
    shown = {finding.verdict.quantity for finding in record.findings if finding.backend == WRONG}
    assert shown == {failure["verdict"]["quantity"] for failure in failing}


def test_a_line_that_was_cut_off_hides_no_other(tmp_path, whole):
    text, expected = whole
    journal = tmp_path / "journal.jsonl"
    lines = [line for line in text.splitlines() if line]
    at = next(n for n, line in enumerate(lines) if b'"kind":"part"' in line)
    torn = lines[at][: len(lines[at]) // 2]  # by a process that was killed, while others went on
    journal.write_bytes(b"\n".join([*lines[:at], torn, *lines[at:]]) + b"\n")
    assert said(ran(journal, Past(journal))) == expected


def test_a_backend_that_has_changed_is_not_gone_on_with(tmp_path):
    kernel = tmp_path / "kernel.py"
    kernel.write_text("from convcheck_backends.numpy_reference import NumpyBackend as Mine\n")
    options = Options(specs=(f"{kernel}:Mine",), examples=1, in_process=True, dtypes=("float32",))
    ran(tmp_path / "journal", options=options)
    lines = (tmp_path / "journal").read_bytes().splitlines()
    (tmp_path / "journal").write_bytes(b"\n".join(line for line in lines if b'"kind":"judged"' not in line))
    kernel.write_text("from convcheck_backends.numpy_reference import NumpyBackend as Mine  # mended\n")
    with pytest.raises(ResumeError, match="not the backend that the run was begun with"):
        ran(tmp_path / "journal", Past(tmp_path / "journal"), options)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"kind": "cases", "at": 0, "stretch": {"part": "one"}}', "field part"),
        (b'{"kind": "nonsense"}', "kind nonsense"),
        (b'{"kind": "run", "schema": 99}', "schema 99"),
        (b'{"kind": "backend", "at": 0, "spec": 5}', "field spec"),
    ],
)
def test_lines_that_are_none_are_named(tmp_path, whole, line, message):
    (tmp_path / "journal").write_bytes(whole[0] + line + b"\n")
    with pytest.raises(RecordError, match=message):
        Past(tmp_path / "journal")


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    (tmp_path / "journal").write_text("nothing\n")
    with pytest.raises(RecordError, match="does not say what run it is of"):
        Past(tmp_path / "journal")
    with pytest.raises(RecordError, match="cannot be read"):
        Past(tmp_path / "nowhere")


def test_a_full_disk_ends_the_run_and_leaves_what_was_judged(tmp_path, whole, monkeypatch):
    text, expected = whole
    journal, written = tmp_path / "journal.jsonl", []

    def append_some(path, line):
        written.append(line)
        if len(written) == 7:
            raise JournalError(f"{path} cannot be written: No space left on device")
        append(path, line)

    monkeypatch.setattr(jobs, "append", append_some)
    with pytest.raises(JournalError, match="No space left"):
        ran(journal)
    monkeypatch.undo()
    assert 0 < len(kept(journal.read_bytes())) < len(kept(text))
    assert said(ran(journal, Past(journal))) == expected


def test_a_journal_that_cannot_be_written_says_why(tmp_path):
    with pytest.raises(JournalError, match="No such file or directory"):
        ran(tmp_path / "nowhere" / "journal")


def begun(journal):
    append(journal, Begun(schema=1, name="", command="", started="", version="", options=OPTIONS))


def judged(journal, tokens, first=0, end=False):
    """An attempt at part 3 that judges so many cases, and leaves a failure of each."""
    keeping = Keeping(lambda line: append(journal, line), 0, 3, first, Origin.DRAWN, lambda: False)
    whole = Tally()
    for at, token in enumerate(tokens, first):
        one = Tally(cases=1, origins=Counter({Origin.DRAWN: 1}), failures=[failure(token, block=3, position=at)])
        keeping.add(one, read(token))
        whole.add(one)
    keeping.write()
    if end:
        keeping.end(whole, {})


def test_a_part_that_was_begun_twice_counts_once(tmp_path):
    journal = tmp_path / "journal"
    begun(journal)
    judged(journal, TOKENS[:2])  # by a process that was lost
    judged(journal, TOKENS[:3])  # anew, and lost as well
    found = Past(journal).part(0, 3)
    assert [case.token for case in found.cases] == [read(token).token for token in TOKENS[:3]]
    assert found.tally.cases == len(found.tally.failures) == 3
    assert not found.done
    judged(journal, TOKENS[3:], first=3)  # from where the second was
    assert [f.position for f in Past(journal).part(0, 3).tally.failures] == [0, 1, 2, 3]
    judged(journal, TOKENS, end=True)
    judged(journal, TOKENS[:1])  # by one that nobody waits for any more
    found = Past(journal).part(0, 3)
    assert found.done
    assert found.tally.cases == 4
    assert found.tally.origins == {Origin.DRAWN: 4}
