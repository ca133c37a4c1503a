"""Runs that are killed, and what `resume`, `report` and `diff` make of them."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from convcheck import cli

KERNEL = """
from convcheck import ReferenceBackend

class Wrong(ReferenceBackend):
    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias, params) + (max(params.stride) > 1)
"""


def arguments(folder, name, workers, kernel="Wrong"):
    return [
        *("run", "--backend", f"{folder / 'wrong.py'}:{kernel}", "--examples", "24", "--workers", str(workers)),
        *("--report-dir", str(folder), "--name", name, "--database", "none", "--dtype", "float32"),
        *("--reach", "quick", "--diagnosis-calls", "20"),
    ]


def started(*given):
    command = [sys.executable, "-c", "from convcheck.cli import main; main()", *given]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def convcheck(monkeypatch, *given):
    monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, given)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("runs")
    (made / "wrong.py").write_text(KERNEL)
    started(*arguments(made, "whole", 1)).wait()
    return made


def wait_for(path, kind, number):
    """Until a journal has so many lines of a kind."""
    while True:
        with suppress(OSError):
            if path.read_bytes().count(f'"kind":"{kind}"'.encode()) >= number:
                return
        time.sleep(0.005)  # the processor is the run's


def said(path):
    entries = [json.loads(line) for line in (path / "findings.jsonl").read_text().splitlines()]
    for entry in entries:
        for name in ("seconds", "started", "command", *(("name",) if entry["kind"] == "campaign" else ())):
            entry.pop(name, None)
    return entries


def test_a_run_that_is_killed_is_unfinished_and_goes_on_to_the_same(monkeypatch, capsys, folder):
    name = "killed"
    process = started(*arguments(folder, name, workers=2))
    wait_for(folder / name / "journal.jsonl", "cases", 1)
    process.kill()
    process.wait()
    assert "UNFINISHED" in (folder / name / "summary.txt").read_text()
    convcheck(monkeypatch, "report", folder / name)
    assert "UNFINISHED" in capsys.readouterr().out
    assert "UNFINISHED" in (folder / name / "summary.md").read_text()
    assert said(folder / name)[0]["cases"] > 0
    assert convcheck(monkeypatch, "diff", folder / "whole", folder / name) in (0, 1)
    assert "the later run is UNFINISHED" in capsys.readouterr().out
    assert convcheck(monkeypatch, "resume", folder / name) == 1
    assert said(folder / name) == said(folder / "whole")
    assert "UNFINISHED" not in (folder / name / "summary.txt").read_text()
    capsys.readouterr()
    assert convcheck(monkeypatch, "diff", folder / "whole", folder / name) == 0
    assert capsys.readouterr().out.strip() == "0 new findings, 0 changed findings, 0 fixed findings."
    assert convcheck(monkeypatch, "resume", folder / name) == 2
    assert "has ended" in capsys.readouterr().err


def test_a_signal_ends_the_case_and_writes_the_reports(monkeypatch, folder):
    name = "stopped"
    process = started(*arguments(folder, name, workers=1))
    wait_for(folder / name / "journal.jsonl", "cases", 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 1
    assert "UNFINISHED" in (folder / name / "summary.txt").read_text()
    entries = said(folder / name)
    assert 0 < entries[0]["cases"] < said(folder / "whole")[0]["cases"]
    assert any(entry["kind"] == "finding" for entry in entries)
    assert convcheck(monkeypatch, "resume", folder / name) == 1
    assert said(folder / name) == said(folder / "whole")


def test_what_another_convcheck_began_is_not_gone_on_with(monkeypatch, capsys, folder, tmp_path):
    text = (folder / "whole" / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(text.replace('"version":"', '"version":"0.'))
    assert convcheck(monkeypatch, "resume", tmp_path) == 2
    assert "was begun with convcheck 0." in capsys.readouterr().err


def test_a_folder_without_a_journal_is_named(monkeypatch, capsys, tmp_path):
    assert convcheck(monkeypatch, "resume", tmp_path) == 2
    assert "expected a run's folder" in capsys.readouterr().err


@pytest.mark.parametrize("made", ["a file", "below a file"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_first_case(monkeypatch, capsys, tmp_path, made):
    (tmp_path / "a file").write_text("")
    target = tmp_path / ("a file" if made == "a file" else "a file/below")
    assert convcheck(monkeypatch, "run", "--backend", "numpy", "--examples", 5, "--report-dir", target) == 2
    assert "no report can be written to" in capsys.readouterr().err


def test_a_misspelt_second_backend_is_refused_before_the_first_case(monkeypatch, capsys, tmp_path):
    given = ("--backend", "numpy", "--backend", "numpi", "--examples", 5, "--report-dir", tmp_path, "--name", "run")
    assert convcheck(monkeypatch, "run", *given) == 2
    assert "no backend is named 'numpi'" in capsys.readouterr().err
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of files are those of Unix")
def test_a_file_that_may_not_grow_ends_the_run_in_one_line(folder, tmp_path):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); "
        "from convcheck.cli import main; main()"
    )
    command = [sys.executable, "-c", code, *arguments(folder, "small", 1)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("convcheck: ")
    assert "UNFINISHED" in (folder / "small" / "summary.txt").read_text()
