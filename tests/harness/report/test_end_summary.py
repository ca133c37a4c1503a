from dataclasses import replace

import pytest
from typer.testing import CliRunner

from convcheck.cli import app
from convcheck.report import write_report
from convcheck.report.end_summary import end_summary
from convcheck.report.levels import levels_table, opening
from convcheck.report.sentence import finding_sentence
from full_record import RECORD, WRONG
from read_tables import rows


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(RECORD, folder)
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"\nreport: {folder / 'index.html'}\n")
    return done.output


def test_every_backend_has_its_numbers(said):
    sentences, rest = said.split("\n\n", 1)
    assert sentences == opening(RECORD)
    assert rest.startswith(levels_table(RECORD, "text"))
    numbers = rest.removeprefix(levels_table(RECORD, "text")).strip()
    assert rows(numbers.split("\n\n")[1]) == [["cases", "verdicts", "findings", "known"], ["40", "27", "8", "1"]]
    assert "no such device: a|b" in numbers


def test_every_finding_is_a_sentence_at_the_end(said):
    sentences = [
        f"{number}. {f.level.label}, {f.clause} of {WRONG}: {finding_sentence(f)}"
        for number, f in enumerate(RECORD.findings, 1)
    ]
    assert said.split("\n")[-3 - len(sentences) : -3] == sentences


def test_one_backend_is_not_named_again_and_again():
    alone = end_summary(replace(RECORD, backends=RECORD.backends[:1]))
    assert f"\n1. computes, C2D-SHAPE-1: {finding_sentence(RECORD.findings[0])}\n" in alone


def test_the_verdict_comes_last(said):
    assert said.split("\n")[-3] == "DOES NOT CONFORM: 8 findings."


def test_a_terminal_obeys_nothing_that_a_candidate_said(said):
    assert not set("\0\x1b\ufffe") & set(said)
