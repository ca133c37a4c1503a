from dataclasses import replace
from pathlib import Path

import pytest

from convcheck.model.record_lines import RecordError
from convcheck.report import read_record, write_report
from convcheck.report.badge import badge
from convcheck.report.discrepancies import details, discrepancies
from convcheck.report.html import html
from convcheck.report.junit import junit
from convcheck.report.script import script
from convcheck.report.summary import summary

FILES = {"findings.jsonl", "summary.md", "summary.txt", "discrepancies.md", "junit.xml", "index.html", "badge.json"}
FILES |= {f"reproduce_{number}.py" for number in (1, 2, 4, 5, 6, 7, 8, 9)}  # no case is to blame for the third


def test_a_report_has_every_file_and_nothing_else(record, tmp_path):
    folder = tmp_path / "new" / "report"
    written = write_report(record, folder)
    assert {path.name for path in folder.iterdir()} == FILES
    texts = {path.name: path.read_bytes().decode() for path in folder.iterdir()}
    assert texts["summary.md"] == summary(written, "markdown")
    assert texts["summary.txt"] == summary(written, "text")
    assert texts["discrepancies.md"] == discrepancies(written)
    assert texts["junit.xml"] == junit(written)
    assert texts["index.html"] == html(written)
    assert texts["badge.json"] == badge(written)
    assert texts["reproduce_1.py"] == script(record, record.findings[0])


def test_findings_name_the_scripts_that_are_there(record, tmp_path):
    written = write_report(record, tmp_path)
    assert [finding.reproduction.script for finding in written.findings] == [
        f"reproduce_{number}.py" if number != 3 else "" for number in range(1, 10)
    ]
    assert dict(details(written.findings[0]))["script"] == "reproduce_1.py"
    assert "reproduce_1.py" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_record_is_read_from_its_folder_and_from_its_file(record, tmp_path):
    written = write_report(record, tmp_path)
    assert read_record(tmp_path) == written
    assert read_record(tmp_path / "findings.jsonl") == written


def test_a_report_can_be_written_anew_from_its_record(record, tmp_path):
    write_report(record, tmp_path / "first")
    write_report(read_record(tmp_path / "first"), tmp_path / "second")
    for name in FILES:
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()


def test_scripts_for_a_candidate_that_is_not_installed_here_ask_convcheck(record, tmp_path):
    backends = (replace(record.backends[0], spec="somebody-elses-engine"), *record.backends[1:])
    write_report(replace(record, backends=backends), tmp_path)
    assert "convcheck.cli" in (tmp_path / "reproduce_1.py").read_text(encoding="utf-8")


def test_a_failure_while_writing_leaves_the_old_file_and_no_other(record, tmp_path, monkeypatch):
    write_report(record, tmp_path)

    def full(self, target):
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write_report(replace(record, name="newer", findings=()), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert read_record(tmp_path).name == "nightly"


def test_a_command_with_a_file_name_that_is_no_utf_8_is_written(record, tmp_path):
    write_report(replace(record, command="convcheck run --backend caf\udce9.py:conv"), tmp_path)
    assert read_record(tmp_path).command == "convcheck run --backend caf?.py:conv"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_cannot_be_read_says_what_was_expected(tmp_path, content):
    if content is not None:
        (tmp_path / "findings.jsonl").write_bytes(content)
    with pytest.raises(RecordError, match=r"findings\.jsonl cannot be read: .*; expected a report's folder or its"):
        read_record(tmp_path)


def test_a_blank_line_does_not_shift_the_line_that_an_error_names(tmp_path):
    (tmp_path / "findings.jsonl").write_text("\n\nno JSON\n", encoding="utf-8")
    with pytest.raises(RecordError, match="line 3"):
        read_record(tmp_path)


def test_scripts_of_findings_that_are_gone_go_and_files_of_others_stay(record, tmp_path):
    write_report(record, tmp_path)
    for name in ("reproduce_17.py", "reproduce_by_hand.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    write_report(record, tmp_path)
    assert not (tmp_path / "reproduce_17.py").exists()
    assert (tmp_path / "reproduce_1.py").exists()
    assert (tmp_path / "reproduce_by_hand.py").exists()
