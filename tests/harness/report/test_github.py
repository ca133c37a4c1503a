import re
from dataclasses import replace

import pytest

from convcheck.report import ReportError
from convcheck.report.github import MOST_LISTED, job_summary, workflow_commands, write_job_summary
from full_record import COMPLETE

COMMAND = re.compile(r"::(error|notice) ((?:\w+=[^,:\n]*)(?:,\w+=[^,:\n]*)*)::([^\n]+)")


def at(record, spec):
    return replace(record, backends=tuple(replace(backend, spec=spec) for backend in record.backends))


def test_every_finding_is_one_annotation_in_one_line(record):
    commands = [COMMAND.fullmatch(line) for line in workflow_commands(record)]
    assert len(commands) == len(record.findings)
    decisive = [finding in record.decisive_findings for finding in record.findings]
    assert [command[1] == "error" for command in commands] == decisive


def test_an_annotation_is_shown_beside_the_kernel(record, tmp_path, monkeypatch):
    (tmp_path / "kernel.py").write_text("x = 1\nconv = print\n")
    monkeypatch.chdir(tmp_path)
    first = next(workflow_commands(at(record, f"{tmp_path}/kernel.py:conv")))
    assert first.startswith("::error file=kernel.py,line=2,title=computes%3A C2D-SHAPE-1 of ")
    assert "file=" not in next(workflow_commands(at(record, "torch-cpu")))


def test_a_run_that_judged_nothing_is_an_error_too(record):
    nothing = replace(record, findings=(), counts=(), levels=())
    (command,) = workflow_commands(nothing)
    assert command.startswith("::error title=convcheck::NOTHING WAS JUDGED")


def test_a_run_that_conforms_says_nothing(record):
    right = replace(record, backends=record.backends[1:2], findings=(), interrupted=False)
    right = replace(right, counts=tuple(c for c in record.counts if c.backend == right.backends[0].name))
    assert right.conforms
    assert not list(workflow_commands(right))


def test_the_summary_of_the_job_leads_with_the_verdict_and_lists_the_findings(record):
    page = job_summary(record)
    assert page.startswith("## convcheck: DOES NOT CONFORM")
    assert "| computes " in page
    assert re.findall(r"^(\d+)\. ", page, re.MULTILINE) == [str(n + 1) for n in range(8)]
    many = job_summary(replace(record, findings=(COMPLETE,) * (MOST_LISTED + 5)))
    assert "and 5 findings more" in many


def test_the_summary_is_added_to_that_of_the_job(record, tmp_path):
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    assert write_job_summary(record, {"GITHUB_STEP_SUMMARY": str(file)})
    assert file.read_text() == f"before\n{job_summary(record)}"
    assert not write_job_summary(record, {})
    with pytest.raises(ReportError, match="GITHUB_STEP_SUMMARY="):
        write_job_summary(record, {"GITHUB_STEP_SUMMARY": str(tmp_path)})
